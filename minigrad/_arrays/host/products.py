"""Products of matrices.

The second is packed into panels: each holds, row by row, as many columns as a tile of the product has. A tile is some rows and a
panel's columns, and stays in the registers of the processor while the sum runs over the depth. What the compiler makes of plain
loops does not, and is several times slower. Nor has this to look for the best way as a library of products does, which
takes matrices of every size and is slower at those that layers have.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from minigrad._arrays.host.compiling import kernel, part
from minigrad._arrays.host.threads import share

__all__ = ["multiply", "pack", "padded", "product"]

FEATURES = binding.get_host_cpu_features()
VECTOR = 64 if FEATURES.get("avx512f") else 32 if FEATURES.get("avx") else 16  # bytes
VECTORS = 2 if FEATURES.get("sse2") and VECTOR < 64 else 4  # in a row of a tile; 16 registers hold 4 rows of 2, 32 hold 4 of 4
DEPTH = 512  # over which sums run at a time: so much of a panel stays in the cache, and digits of long sums are not lost
ROWS = 64  # of a product, at a time
LLVM = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


def padded(columns: int, dtype: Any) -> int:
    """How many columns whole panels have for so many."""
    width: int = VECTORS * VECTOR // np.dtype(dtype).itemsize
    return -(-columns // width) * width


def pack(matrix: Any) -> Any:
    """The panels of a matrix (depth, columns): an array (panels, depth, columns of one), with zeros at the end of the last."""
    depth, columns = matrix.shape
    width = padded(1, matrix.dtype)
    panels = np.empty((padded(columns, matrix.dtype) // width, depth, width), matrix.dtype)
    if matrix.strides[0] >= matrix.strides[1]:
        share(fill_by_rows, len(panels), matrix, panels)
    else:
        share(fill_by_columns, len(panels), matrix.T, panels)
    return panels


@kernel
def fill_by_rows(matrix: Any, panels: Any, begin: int, end: int) -> None:
    """Write panels of `matrix`."""
    width = panels.shape[2]
    for p in range(begin, end):
        for k in range(matrix.shape[0]):
            row, part = matrix[k, p * width:(p + 1) * width], panels[p, k]
            for j in range(row.size):
                part[j] = row[j]
            part[row.size:] = 0


@kernel
def fill_by_columns(columns: Any, panels: Any, begin: int, end: int) -> None:
    """Write panels of a matrix of these `columns`."""
    width = panels.shape[2]
    for p in range(begin, end):
        panel = panels[p]
        n = min(columns.shape[0] - p * width, width)
        for k in range(0, panel.shape[0], 128):
            for j in range(n):
                column = columns[p * width + j, k:k + 128]
                for i in range(column.size):
                    panel[k + i, j] = column[i]
        panel[:, n:] = 0


def tile_of(rows: int) -> Any:
    """The product of so many rows with one panel, of a depth of at least one. With `more` it is added to `out`."""
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(context: Any, out: Any, out_stride: Any, a: Any, a_stride: Any, a_step: Any, panel: Any, depth: Any,
             more: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            number, integer, index = LLVM[out.dtype], ir.IntType(64), ir.IntType(32)
            size = out.dtype.bitwidth // 8
            lanes = VECTOR // size
            vector = ir.VectorType(number, lanes)
            out_, a_, panel_ = (context.make_array(signature.args[k])(context, builder, args[k]).data for k in (0, 2, 5))
            _, out_stride_, _, a_stride_, a_step_, _, depth_, more_ = args

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
                x = spread(builder.load(at(a_rows[r], builder.mul(k, a_step_))))
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
            places = [vector_at(row(out_, out_stride_, r), v) for r in range(rows) for v in range(VECTORS)]
            with builder.if_else(more_) as (add, write):
                with add:
                    for result, place in zip(results, places):
                        builder.store(builder.fadd(builder.load(place, align=size), result), place, align=size)
                with write:
                    for result, place in zip(results, places):
                        builder.store(result, place, align=size)
            return context.get_dummy_value()

        return types.void(out, types.int64, a, types.int64, types.int64, panel, types.int64, types.boolean), generate

    return tile


four, two, one = tile_of(4), tile_of(2), tile_of(1)


@part
def product_with_panel(a: Any, panel: Any, out: Any) -> None:
    """Write the product of the rows of `a` with one panel to `out`."""
    stride, step, out_stride = a.strides[0] // a.itemsize, a.strides[1] // a.itemsize, out.strides[0] // out.itemsize
    for k in range(0, panel.shape[0], DEPTH):
        depth, more = min(panel.shape[0] - k, DEPTH), k > 0
        row = 0
        while row + 4 <= a.shape[0]:
            four(out[row:], out_stride, a[row:, k:], stride, step, panel[k:], depth, more)
            row += 4
        if row + 2 <= a.shape[0]:
            two(out[row:], out_stride, a[row:, k:], stride, step, panel[k:], depth, more)
            row += 2
        if row < a.shape[0]:
            one(out[row:], out_stride, a[row:, k:], stride, step, panel[k:], depth, more)


@part
def product(a: Any, panels: Any, out: Any) -> None:
    """Write the product of the rows of `a` with the packed matrix to `out`, which has whole panels of columns."""
    width = panels.shape[2]
    for p in range(panels.shape[0]):
        product_with_panel(a, panels[p], out[:, p * width:])


@kernel
def multiply(out: Any, a: Any, panels: Any, begin: int, end: int) -> None:
    """The rows from `begin` to `end` of the product of `a` with the packed matrix. Those of a transposed matrix are copied, some
    at a time: what lies in one line of the cache is then read together."""
    width, whole = panels.shape[2], out.shape[1] // panels.shape[2]
    across = a.strides[0] < a.strides[1]
    rest, copied = np.empty((ROWS, width), out.dtype), np.empty((a.shape[1] if across else 0, ROWS), a.dtype)
    for row in range(begin, end, ROWS):
        n = min(end - row, ROWS)
        rows, made = a[row:row + n], out[row:row + n]
        if across:
            for k in range(a.shape[1]):
                column, part = rows[:, k], copied[k]
                for r in range(column.size):
                    part[r] = column[r]
            product(copied.T[:n], panels[:whole], made)
            if whole < panels.shape[0]:
                product_with_panel(copied.T[:n], panels[whole], rest)
        else:
            product(rows, panels[:whole], made)
            if whole < panels.shape[0]:
                product_with_panel(rows, panels[whole], rest)
        if whole < panels.shape[0]:
            made[:, whole * width:] = rest[:n, :made.shape[1] - whole * width]
