"""Products of matrices of which the second is used again and again, as the weights of a recurrent layer are.

It is packed into panels: each holds, row by row, as many columns as a tile of the product has. A tile is some rows and a panel's
columns, and stays in the registers of the processor while the sum runs over the depth. What the compiler makes of plain loops
does not, and is several times slower.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from minigrad._arrays.host.compiling import part

__all__ = ["pack", "padded", "product"]

FEATURES = binding.get_host_cpu_features()
VECTOR = 64 if FEATURES.get("avx512f") else 32 if FEATURES.get("avx") else 16  # bytes
VECTORS = 2 if FEATURES.get("sse2") and VECTOR < 64 else 4  # in a row of a tile; 16 registers hold 4 rows of 2, 32 hold 4 of 4
LLVM = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


def padded(columns: int, dtype: Any) -> int:
    """How many columns whole panels have for so many."""
    width: int = VECTORS * VECTOR // np.dtype(dtype).itemsize
    return -(-columns // width) * width


def pack(weight: Any) -> Any:
    """The panels of a matrix (depth, columns): an array (panels, depth, columns of one), with zeros at the end of the last."""
    depth, columns = weight.shape
    width = padded(1, weight.dtype)
    panels = np.zeros((padded(columns, weight.dtype) // width, depth, width), weight.dtype)
    whole = columns // width
    panels[:whole] = weight[:, :whole * width].reshape(depth, whole, width).swapaxes(0, 1)
    if whole < len(panels):
        panels[whole, :, :columns - whole * width] = weight[:, whole * width:]
    return panels


def tile_of(rows: int) -> Any:
    """The product of so many rows with one panel."""
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(context: Any, out: Any, out_stride: Any, a: Any, a_stride: Any, panel: Any, depth: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            number, integer, index = LLVM[out.dtype], ir.IntType(64), ir.IntType(32)
            size = out.dtype.bitwidth // 8
            lanes = VECTOR // size
            vector = ir.VectorType(number, lanes)
            out_, a_, panel_ = (context.make_array(signature.args[k])(context, builder, args[k]).data for k in (0, 2, 4))
            _, out_stride_, _, a_stride_, _, depth_ = args

            def at(pointer: Any, offset: Any) -> Any:
                return builder.gep(pointer, [ir.Constant(integer, offset) if isinstance(offset, int) else offset])

            def vector_at(pointer: Any, k: int) -> Any:
                return builder.bitcast(at(pointer, k * lanes), vector.as_pointer())

            def spread(x: Any) -> Any:
                one = builder.insert_element(ir.Constant(vector, ir.Undefined), x, ir.Constant(index, 0))
                return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(index, lanes), [0] * lanes))

            def row(pointer: Any, stride: Any, k: int) -> Any:
                return at(pointer, builder.mul(stride, ir.Constant(integer, k)))

            a_rows = [row(a_, a_stride_, k) for k in range(rows)]
            before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
            builder.branch(loop)
            builder.position_at_end(loop)
            k = builder.phi(integer)
            k.add_incoming(ir.Constant(integer, 0), before)
            sums = [builder.phi(vector) for _ in range(rows * VECTORS)]
            panel_row = at(panel_, builder.mul(k, ir.Constant(integer, VECTORS * lanes)))
            weights = [builder.load(vector_at(panel_row, v), align=size) for v in range(VECTORS)]
            results = []
            for r in range(rows):
                x = spread(builder.load(at(a_rows[r], k)))
                for v in range(VECTORS):
                    product = builder.fmul(x, weights[v], flags=("contract",))
                    results.append(builder.fadd(product, sums[r * VECTORS + v], flags=("contract",)))
            for total, result in zip(sums, results):
                total.add_incoming(ir.Constant(vector, [0.0] * lanes), before)
                total.add_incoming(result, loop)
            following = builder.add(k, ir.Constant(integer, 1))
            k.add_incoming(following, loop)
            builder.cbranch(builder.icmp_signed("<", following, depth_), loop, after)
            builder.position_at_end(after)
            for r in range(rows):
                for v in range(VECTORS):
                    builder.store(results[r * VECTORS + v], vector_at(row(out_, out_stride_, r), v), align=size)
            return context.get_dummy_value()

        return types.void(out, types.int64, a, types.int64, panel, types.int64), generate

    return tile


four, two, one = tile_of(4), tile_of(2), tile_of(1)


@part
def product(a: Any, panels: Any, out: Any) -> None:
    """Write the product of the rows of `a` with the packed matrix to `out`, which has whole panels of columns."""
    depth, width = panels.shape[1:]
    a_stride, out_stride = a.strides[0] // a.itemsize, out.strides[0] // out.itemsize
    for p in range(panels.shape[0]):
        row, column = 0, p * width
        while row + 4 <= a.shape[0]:
            four(out[row:, column:], out_stride, a[row:], a_stride, panels[p], depth)
            row += 4
        if row + 2 <= a.shape[0]:
            two(out[row:, column:], out_stride, a[row:], a_stride, panels[p], depth)
            row += 2
        if row < a.shape[0]:
            one(out[row:, column:], out_stride, a[row:], a_stride, panels[p], depth)
