"""Small matrices that stay in the processor's registers, from which the kernels of convolution and of products are built.

A processor multiplies and adds whole vectors, 16 numbers of float32 in one instruction, and begins two such instructions in every
cycle. It can load about two vectors in a cycle as well. So a loop that loads two operands for each product waits for memory most
of the time; to be at full speed, what was loaded must be used several times. That is what a tile does: it holds the sums of
8 rows of 3 vectors, loads 3 vectors of the one operand, and multiplies them with 8 numbers of the other: 24 products for 11
loads. The sums are never in memory until they are done. A compiler does not find this by itself: it keeps sums in memory that
it cannot prove to be nobody else's. So the tiles are written instruction by instruction, in LLVM's language of vectors of any
length; numba makes them part of the kernels that call them. How long a vector is, and how many there are, depends on the
processor.

All arrays are one-dimensional and are given with the index at which to begin.
"""

from __future__ import annotations

import functools
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

__all__ = ["HIGH", "REGISTERS", "SUMS", "VECTOR", "copy_run", "matrix_tile", "outer_tile", "product_tile", "transpose_tile"]


def vectors_of(triple: str, features: str) -> tuple[int, int]:
    """How many bytes a vector has, and how many vectors the registers hold, of the processor that LLVM describes so."""
    if triple.startswith(("aarch64", "arm64")):
        return 16, 32
    return (64, 32) if "+avx512f" in features else (32, 16) if "+avx" in features else (16, 16)


TRIPLE, _, FEATURES = cpu_target.target_context.codegen().magic_tuple()  # what numba compiles for
VECTOR, REGISTERS = vectors_of(TRIPLE, FEATURES)
HIGH = 8 if REGISTERS == 32 else 4  # rows of the highest tile
SUMS = 3 * HIGH  # vectors that hold sums; the others hold operands
SHORT = 16  # bytes of a vector that every processor has
CONTRACT = ("contract",)  # a product and a sum are one instruction, where the processor has it


class Builder:
    """Writes instructions on vectors of the numbers that the arrays of an intrinsic hold."""

    def __init__(self, context: Any, builder: Any, dtype: Any, size: int = VECTOR) -> None:
        self.context, self.builder = context, builder
        self.number = context.get_value_type(dtype)
        self.bytes = context.get_abi_sizeof(self.number)
        self.lanes = size // self.bytes
        self.vector = ir.VectorType(self.number, self.lanes)
        self.zeros = ir.Constant(self.vector, [0.0] * self.lanes)

    def data(self, type: Any, array: Any) -> Any:
        """Where the elements of an array begin."""
        return self.context.make_array(type)(self.context, self.builder, array).data

    def index(self, value: int) -> Any:
        return ir.Constant(ir.IntType(64), value)

    def add(self, *values: Any) -> Any:
        return functools.reduce(self.builder.add, values)

    def load(self, data: Any, at: Any) -> Any:
        return self.builder.load(self.builder.gep(data, [at]))

    def load_vector(self, data: Any, at: Any) -> Any:
        return self.builder.load(self._address(data, at), align=self.bytes)

    def store_vector(self, vector: Any, data: Any, at: Any) -> None:
        self.builder.store(vector, self._address(data, at), align=self.bytes)

    def _address(self, data: Any, at: Any) -> Any:
        return self.builder.bitcast(self.builder.gep(data, [at]), self.vector.as_pointer())

    def spread(self, number: Any) -> Any:
        """A vector of which every element is `number`."""
        one = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
        return self.shuffle(one, one, [0] * self.lanes)

    def shuffle(self, a: Any, b: Any, order: list[int]) -> Any:
        """The elements of `a` and `b`, which are counted on, in this order."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), order))

    def variables(self, count: int, value: Any) -> list[Any]:
        """Vectors with this value that can be written to: in registers, as long as there are enough."""
        found = [cgutils.alloca_once(self.builder, self.vector) for _ in range(count)]
        for variable in found:
            self.builder.store(value, variable)
        return found

    def accumulate(self, variable: Any, a: Any, b: Any) -> None:
        """``variable += a * b``."""
        product = self.builder.fmul(a, b, flags=CONTRACT)
        self.builder.store(self.builder.fadd(self.builder.load(variable), product, flags=CONTRACT), variable)


@intrinsic  # type: ignore[untyped-decorator]
def copy_run(typing: Any, x: Any, at: Any, step: Any, out: Any, to: Any, stride: Any, count: Any) -> Any:
    """``out[to + j * stride] = x[at + j * step]`` for `count` numbers. Where the numbers of `out` are neighbours, and those of
    `x` are, or every second one, by short vectors; the last of these covers part of what the one before has."""
    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x_, at, step, out_, to, stride, count = args
        v = Builder(context, builder, x.dtype, SHORT)
        source, target = builder.gep(v.data(x, x_), [at]), builder.gep(v.data(out, out_), [to])
        lanes, last = v.index(v.lanes), builder.sub(count, v.index(v.lanes))
        by_vectors = builder.and_(builder.icmp_signed(">=", last, v.index(0)), builder.icmp_signed("==", stride, v.index(1)))
        dense = builder.and_(by_vectors, builder.icmp_signed("==", step, v.index(1)))
        halved = builder.and_(by_vectors, builder.icmp_signed("==", step, v.index(2)))
        every_second = [k for k in range(v.lanes) if k % 2 == 0]
        every_second += [k + 1 for k in range(v.lanes, 2 * v.lanes) if k % 2 == 0]  # of numbers that begin one earlier

        def copy(j: Any) -> None:
            v.store_vector(v.load_vector(source, j), target, j)

        def copy_every_second(j: Any) -> None:
            first = builder.add(j, j)
            vectors = v.load_vector(source, first), v.load_vector(source, v.add(first, v.index(v.lanes - 1)))
            v.store_vector(v.shuffle(*vectors, every_second), target, j)

        for applies, copy_vector in ((dense, copy), (halved, copy_every_second)):
            with builder.if_then(applies):
                with cgutils.for_range(builder, builder.sdiv(count, lanes)) as loop:
                    copy_vector(builder.mul(loop.index, lanes))
                copy_vector(last)
        with builder.if_then(builder.not_(builder.or_(dense, halved))), cgutils.for_range(builder, count) as loop:
            number = v.load(source, builder.mul(loop.index, step))
            builder.store(number, builder.gep(target, [builder.mul(loop.index, stride)]))
        return context.get_dummy_value()
    i = types.intp
    return types.void(x, i, i, out, i, i, i), write


@functools.cache
def product_tile(high: int, wide: int) -> Any:
    """``out[to + m * row + q]`` is ``shifts[shift + m]`` and the sum over t of ``weights[begin + t * high + m] *
    x[at + offsets[first + t] + q]``, for `count` offsets t, `high` rows m, and as many q as `wide` vectors have elements."""
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(typing: Any, x: Any, at: Any, offsets: Any, first: Any, count: Any, weights: Any, begin: Any, shifts: Any,
             shift: Any, out: Any, to: Any, row: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x_, at, offsets_, first, count, weights_, begin, shifts_, shift, out_, to, row = args
            v = Builder(context, builder, x.dtype)
            x_data, offset_data, weight_data, shift_data, out_data = [v.data(*pair) for pair in (
                (x, x_), (offsets, offsets_), (weights, weights_), (shifts, shifts_), (out, out_))]
            sums = [v.variables(wide, v.spread(v.load(shift_data, v.add(shift, v.index(m))))) for m in range(high)]
            with cgutils.for_range(builder, count) as loop:
                here = v.add(at, v.load(offset_data, v.add(first, loop.index)))
                vectors = [v.load_vector(x_data, v.add(here, v.index(k * v.lanes))) for k in range(wide)]
                there = v.add(begin, builder.mul(loop.index, v.index(high)))
                for m in range(high):
                    weight = v.spread(v.load(weight_data, v.add(there, v.index(m))))
                    for k in range(wide):
                        v.accumulate(sums[m][k], weight, vectors[k])
            for m in range(high):
                for k in range(wide):
                    place = v.add(to, builder.mul(row, v.index(m)), v.index(k * v.lanes))
                    v.store_vector(builder.load(sums[m][k]), out_data, place)
            return context.get_dummy_value()
        i = types.intp
        return types.void(x, i, offsets, i, i, weights, i, shifts, i, out, i, i), write
    return tile


@functools.cache
def matrix_tile(high: int, wide: int) -> Any:
    """``out[to + m * out_row + q] = sum over k of a[at + m * row + k * step] * panel[begin + k * width + q]`` for `depth` numbers
    k, `high` rows m, and as many q as `wide` vectors have elements, which are `width`. With `more`, it is added to `out`."""
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(typing: Any, a: Any, at: Any, row: Any, step: Any, panel: Any, begin: Any, depth: Any, out: Any, to: Any,
             out_row: Any, more: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            a_, at, row, step, panel_, begin, depth, out_, to, out_row, more = args
            v = Builder(context, builder, a.dtype)
            a_data, panel_data, out_data = [v.data(*pair) for pair in ((a, a_), (panel, panel_), (out, out_))]
            sums = [v.variables(wide, v.zeros) for _ in range(high)]
            begins = [builder.gep(a_data, [v.add(at, builder.mul(row, v.index(m)))]) for m in range(high)]
            with cgutils.for_range(builder, depth) as loop:
                there = v.add(begin, builder.mul(loop.index, v.index(wide * v.lanes)))
                vectors = [v.load_vector(panel_data, v.add(there, v.index(k * v.lanes))) for k in range(wide)]
                for m in range(high):
                    number = v.spread(v.load(begins[m], builder.mul(loop.index, step)))
                    for k in range(wide):
                        v.accumulate(sums[m][k], number, vectors[k])
            places = {(m, k): v.add(to, builder.mul(out_row, v.index(m)), v.index(k * v.lanes))
                      for m in range(high) for k in range(wide)}
            with builder.if_then(more):
                for (m, k), place in places.items():
                    builder.store(builder.fadd(v.load_vector(out_data, place), builder.load(sums[m][k])), sums[m][k])
            for (m, k), place in places.items():
                v.store_vector(builder.load(sums[m][k]), out_data, place)
            return context.get_dummy_value()
        i = types.intp
        return types.void(a, i, i, i, panel, i, i, out, i, i, types.boolean), write
    return tile


@functools.cache
def outer_tile(rows: int, wide: int) -> Any:
    """``sums[to + (r * wide + j) * lanes + m] += sum over p of x[at + starts[first + r] + places[p] + j] * y[p * lanes + m]``
    for `count` places p, `rows` starts r, `wide` neighbours j and as many m as a vector has elements, which are `lanes`."""
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(typing: Any, x: Any, at: Any, starts: Any, first: Any, places: Any, count: Any, y: Any, sums: Any, to: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x_, at, starts_, first, places_, count, y_, sums_, to = args
            v = Builder(context, builder, x.dtype)
            x_data, start_data, place_data, y_data, sum_data = [
                v.data(*pair) for pair in ((x, x_), (starts, starts_), (places, places_), (y, y_), (sums, sums_))]
            found = [v.variables(wide, v.zeros) for _ in range(rows)]
            begins = [builder.gep(x_data, [v.add(at, v.load(start_data, v.add(first, v.index(r))))]) for r in range(rows)]
            with cgutils.for_range(builder, count) as loop:
                vector = v.load_vector(y_data, builder.mul(loop.index, v.index(v.lanes)))
                place = v.load(place_data, loop.index)
                for r in range(rows):
                    for j in range(wide):
                        v.accumulate(found[r][j], v.spread(v.load(begins[r], v.add(place, v.index(j)))), vector)
            for r in range(rows):
                for j in range(wide):
                    there = v.add(to, v.index((r * wide + j) * v.lanes))
                    total = builder.fadd(v.load_vector(sum_data, there), builder.load(found[r][j]))
                    v.store_vector(total, sum_data, there)
            return context.get_dummy_value()
        i = types.intp
        return types.void(x, i, starts, i, places, i, y, sums, i), write
    return tile


@intrinsic  # type: ignore[untyped-decorator]
def transpose_tile(typing: Any, x: Any, at: Any, row: Any, out: Any, to: Any) -> Any:
    """``out[to + k * lanes + r] = x[at + r * row + k]`` for as many r and k as a vector has elements, which are `lanes`."""
    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x_, at, row, out_, to = args
        v = Builder(context, builder, x.dtype)
        x_data, out_data = v.data(x, x_), v.data(out, out_)
        lines = [v.load_vector(x_data, v.add(at, builder.mul(row, v.index(r)))) for r in range(v.lanes)]
        step = 1
        while step < v.lanes:  # in each pair of lines, the second quarter of a square and the third change places
            for r in range(v.lanes):
                if not r & step:
                    a, b = lines[r], lines[r + step]
                    lines[r] = v.shuffle(a, b, [k if not k & step else v.lanes + k - step for k in range(v.lanes)])
                    lines[r + step] = v.shuffle(a, b, [k + step if not k & step else v.lanes + k for k in range(v.lanes)])
            step *= 2
        for k, line in enumerate(lines):
            v.store_vector(line, out_data, v.add(to, v.index(k * v.lanes)))
        return context.get_dummy_value()
    return types.void(x, types.intp, types.intp, out, types.intp), write
