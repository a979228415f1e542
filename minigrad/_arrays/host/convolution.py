"""Convolution and its two gradients. What they are is in :mod:`minigrad.ops.neural.convolution`.

An image is copied once, with zeros around it: what an element of the window meets from one position to the next are neighbours
in the copy. So positions are counted through whole rows of the padded image, also where a window would reach over the end of a
row; what is computed there is left out when the result is written. With a stride of s the copy has s * s phases, in each of which
the elements that are s apart are neighbours. Where rows are short, and much would be left out, each element of a row of the
kernel has a copy of its own, whose rows are as long as those of the positions. The sums of some thousand positions are computed
at a time, by tiles (:mod:`minigrad._arrays.host.tiles`), and written to their places.

For the gradient of the weight the channels of the result are what vectors hold: for each position one is multiplied with all
elements of the window.

Which elements meet is worked out in Python, once for each shape, and given to the kernels as tables of indices (:class:`Plan`).
So the kernels know nothing of dimensions, strides and dilations, and one kernel computes both what a convolution gives and the
gradient of its input: that is a convolution, too, for each of the s * s interleaved images that the input consists of.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad import _settings
from minigrad._arrays.host.compiling import kernel
from minigrad._arrays.host.threads import share
from minigrad._arrays.host.tiles import HIGH, REGISTERS, SUMS, VECTOR, copy_run, outer_tile, product_tile, transpose_tile

__all__ = ["FAST", "gradient_of_input", "gradient_of_weight", "output"]


# ---------------------------------------------------------------------------------------------------- kernels

FAST = VECTOR * REGISTERS >= 512  # with fewer bytes in registers tiles are so small that BLAS is faster
NEAR = 1 << 16  # numbers that stay in the cache next to the processor
COPY = 12  # cycles that a copy takes, besides those for each number


@functools.cache
def correlation(high: int) -> Any:
    """The kernel that computes `high` channels of the result at a time."""
    widths = {1: (8, 4, 1), 4: (3, 2, 1) if SUMS < 24 else (6, 3, 1), 8: (3, 2, 1)}[high]
    most, middle, least = widths
    wide_tile, middle_tile, narrow_tile = [product_tile(high, wide) for wide in widths]

    def correlate(x: Any, y: Any, weights: Any, shifts: Any, images: Any, offsets: Any, copies: Any, step: int, pieces: Any,
                  stride: int, size: int, plane: int, beside: int, stretch: int, splits: int, lanes: int, begin: int,
                  end: int) -> None:
        """`x` (n, groups, channels, elements) to `y` (n, groups, channels, elements), to whose channels `shifts` are added; see
        :class:`Plan`."""
        n, groups, channels, _ = x.shape
        out = y.shape[2]
        blocks, row = (out + high - 1) // high, stretch + lanes
        padded, found = np.zeros(size, x.dtype), np.empty(blocks * high * row, x.dtype)
        for unit in range(begin, end):
            first_block, last_block = unit % splits * blocks // splits, (unit % splits + 1) * blocks // splits
            g, first = unit // splits % groups, unit // splits // groups * beside
            count, packed, shift = min(beside, n - first), weights[g], shifts[g]
            for c in range(channels):
                for i in range(count):
                    image, there = x[first + i, g, c], (c * beside + i) * plane
                    for k in range(len(copies)):
                        copy_run(image, copies[k, 1], step, padded, there + copies[k, 0], 1, copies[k, 2])
            for f in range(len(images)):
                offset, taps, weight = images[f, 0], images[f, 1], images[f, 2]
                piece, end_pieces = images[f, 3], images[f, 4]
                while piece < end_pieces:  # as many at a time as are to stay in the cache
                    start, next_piece = pieces[piece, 0], piece + 1
                    while next_piece < end_pieces and pieces[next_piece, 0] + pieces[next_piece, 3] - start <= stretch:
                        next_piece += 1
                    positions = pieces[next_piece - 1, 0] + pieces[next_piece - 1, 3] - start
                    for b in range(first_block, last_block):
                        m, at, q = b * high, weight + b * high * taps, 0
                        while q < positions:
                            left, here, to = (positions - q + lanes - 1) // lanes, start + q, m * row + q
                            if left >= most:
                                wide_tile(padded, here, offsets, offset, taps, packed, at, shift, m, found, to, row)
                                q += most * lanes
                            elif left >= middle:
                                middle_tile(padded, here, offsets, offset, taps, packed, at, shift, m, found, to, row)
                                q += middle * lanes
                            else:
                                narrow_tile(padded, here, offsets, offset, taps, packed, at, shift, m, found, to, row)
                                q += least * lanes
                    for c in range(first_block * high, min(last_block * high, out)):
                        for k in range(piece, next_piece):
                            if pieces[k, 1] < count:
                                copy_run(found, c * row + pieces[k, 0] - start, 1, y[first + pieces[k, 1], g, c], pieces[k, 2],
                                         stride, pieces[k, 3])
                    piece = next_piece

    correlate.__name__ = f"correlate_{high}"
    return kernel(correlate)


def rows_of_tile(wide: int) -> int:
    """How many rows of the kernel, of `wide` elements each, one tile computes."""
    return max(1, min(8, (SUMS + 2) // wide))


@functools.cache
def gathering(wide: int) -> Any:
    """The kernel for windows whose elements are neighbours, `wide` at a time."""
    rows = rows_of_tile(wide)
    low = (rows + 1) // 2
    tile, low_tile = outer_tile(rows, wide), outer_tile(low, wide)

    def gather(x: Any, y: Any, sums: Any, starts: Any, places: Any, copies: Any, size: int, plane: int, lanes: int, begin: int,
               end: int) -> None:
        """`x` (n, groups, channels, elements) and `y` (n, groups, out, positions) to `sums` (parts, groups, blocks, elements of
        the window * lanes)."""
        n, groups, channels, _ = x.shape
        out, positions, parts, blocks = y.shape[2], y.shape[3], sums.shape[0], sums.shape[2]
        padded, turned = np.zeros(size, x.dtype), np.zeros((positions + lanes) * lanes, x.dtype)
        for part in range(begin, end):
            for image in range(part * n // parts, (part + 1) * n // parts):
                for g in range(groups):
                    for c in range(channels):
                        source = x[image, g, c]
                        for k in range(len(copies)):
                            copy_run(source, copies[k, 1], 1, padded, c * plane + copies[k, 0], 1, copies[k, 2])
                    grid = y[image, g].reshape(out * positions)
                    for b in range(blocks):
                        whole = positions // lanes * lanes if out >= (b + 1) * lanes else 0
                        for p in range(0, whole, lanes):
                            transpose_tile(grid, b * lanes * positions + p, positions, turned, p * lanes)
                        for m in range(b * lanes, min(out, (b + 1) * lanes)):
                            for p in range(whole, positions):
                                turned[p * lanes + m - b * lanes] = grid[m * positions + p]
                        r = 0
                        while r < len(starts) - rows:
                            to = r * wide * lanes
                            if len(starts) - rows - r > low:
                                tile(padded, 0, starts, r, places, positions, turned, sums[part, g, b], to)
                                r += rows
                            else:
                                low_tile(padded, 0, starts, r, places, positions, turned, sums[part, g, b], to)
                                r += low

    gather.__name__ = f"gather_{wide}"
    return kernel(gather)


# ---------------------------------------------------------------------------------------------------- which elements meet

class Line(NamedTuple):
    """Numbers of one dimension that become neighbours: those at ``start``, ``start + step`` ..., where there are any, else zeros;
    and the range of those that there are."""

    start: int
    inside: range


class Way(NamedTuple):
    """One of the interleaved images of the result, in one dimension: `length` elements, `first`, ``first + stride`` ...; element
    m meets number ``m + shift`` of a line by an element of the kernel, for each of `meetings` (element, line, shift)."""

    first: int
    stride: int
    length: int
    meetings: tuple[tuple[int, int, int], ...]


class Dimension(NamedTuple):
    """How the padded copy and the result lie in one dimension: the lines, their length, how far the numbers of a line are apart
    in the image, and the interleaved images."""

    lines: tuple[Line, ...]
    length: int
    step: int
    ways: tuple[Way, ...]


def lines_of(starts: Any, size: int, step: int, length: int) -> tuple[Line, ...]:
    ends = [min(length, (size - 1 - start) // step + 1) for start in starts]
    begins = [max(0, -(start // step)) for start in starts]
    return tuple([Line(start, range(begin, max(begin, end))) for start, begin, end in zip(starts, begins, ends)])


def dimension_of_output(size: int, kernel: int, positions: int, stride: int, dilation: int, before: int,
                        apart: bool) -> Dimension:
    """Element k of the window meets ``p * stride + k * dilation - before``: of the phase of what are `stride` apart that holds
    its first number, as many further as that is. Or, `apart`, each element has a line of its own."""
    firsts = [k * dilation for k in range(kernel)]
    found = firsts if apart else sorted({first % stride for first in firsts})
    meetings = [(k, k, 0) if apart else (k, found.index(first % stride), first // stride) for k, first in enumerate(firsts)]
    length = positions + max([shift for _, _, shift in meetings])
    return Dimension(lines_of([first - before for first in found], size, stride, length), length, stride,
                     (Way(0, 1, positions, tuple(meetings)),))


def dimension_of_input(size: int, kernel: int, positions: int, stride: int, dilation: int, before: int,
                       apart: bool) -> Dimension:
    """Element a + m * stride of the input meets position m + (a + before - k * dilation) / stride by those elements k of the
    kernel for which that is a whole number."""
    firsts = range(min(stride, size))
    lengths = [len(range(a, size, stride)) for a in firsts]
    shifts = [[(k, (a + before - k * dilation) // stride) for k in range(kernel) if (a + before - k * dilation) % stride == 0]
              for a in firsts]
    every = sorted({shift for found in shifts for _, shift in found}) or [0]
    if apart:
        lines, length = every, max(lengths)
    else:
        reach = max([m + shift for m, found in zip(lengths, shifts) for _, shift in found], default=1)
        lines, length = every[:1], reach - every[0]
    ways = [Way(a, stride, m, tuple([(k, every.index(shift), 0) if apart else (k, 0, shift - every[0]) for k, shift in found]))
            for a, m, found in zip(firsts, lengths, shifts)]
    return Dimension(lines_of(lines, positions, 1, length), length, 1, tuple(ways))


class Plan(NamedTuple):
    """The tables of a correlation: everything but the numbers.

    Attributes:
        images: a row for each of the interleaved images of the result: where its offsets begin, their number, where its weights
            begin, its first piece and the first that is not its own.
        offsets: for each channel and element of the kernel, how far in the padded copy what it meets is from the position.
        copies, step: rows of an image to be copied: to where, from where, how many numbers, how far apart in the image.
        pieces, stride: rows of positions of the result: from which position, to which of the images beside each other and where
            in it, how many numbers, how far apart there.
        size, plane, beside: numbers in the padded copy, numbers in it of one channel of one image, and how many images are beside
            each other in it, so that the positions of small images fill whole vectors.
        stretch: positions that are computed at a time.
        elements: for each of the interleaved images, the elements of the kernel that it meets.
    """

    images: Any
    offsets: Any
    copies: Any
    step: int
    pieces: Any
    stride: int
    size: int
    plane: int
    beside: int
    stretch: int
    elements: tuple[tuple[int, ...], ...]


def table(rows: Any, width: int) -> Any:
    """Indices as an array with so many columns."""
    return np.array(rows, np.int64).reshape(-1, width)


def steps_of(lengths: Any) -> list[int]:
    """How far neighbours in each dimension are apart in an array of these lengths."""
    return [math.prod(lengths[dim + 1:]) for dim in range(len(lengths))]


def place(indices: Any, steps: Any) -> int:
    return sum([i * step for i, step in zip(indices, steps)])


def sums_of(*terms: range) -> Any:
    """The sums of one of each, the last changing fastest."""
    return functools.reduce(np.add.outer, [np.array(term, np.int64) for term in terms]).reshape(-1)


def images_beside(n: int, positions: int, plane: int, lanes: int) -> int:
    """How many of `n` images fill vectors best, beside each other; the fewest that do so nearly as well as any."""
    vectors = [-(-((count - 1) * plane + positions) // lanes) / count for count in range(1, min(n, 8) + 1)]
    return next(count for count, value in enumerate(vectors, 1) if value <= 1.05 * min(vectors))


@functools.lru_cache(maxsize=256)
def plan_of(kind: Any, n: int, channels: int, blocks: int, high: int, size: Any, kernel: Any, positions: Any, stride: Any,
            dilation: Any, before: Any, lanes: int) -> Plan:
    """The cheaper of two: in the last dimension the elements of the kernel share lines, or each has its own, which costs more
    copies, but then no position is computed that is left out."""
    settings = [size, kernel, positions, stride, dilation, before]
    shared, last = [kind(*values, False) for values in zip(*settings)], kind(*[values[-1] for values in settings], True)
    source, result = (size, positions) if kind is dimension_of_output else (positions, size)
    plans = [plan_with(dimensions, n, channels, blocks, high, source, result, kernel, lanes)
             for dimensions in (shared, [*shared[:-1], last])]
    return min(plans, key=lambda plan: cost(plan, channels, blocks * high, lanes))


def cost(plan: Plan, channels: int, out: int, lanes: int) -> float:
    """About how many cycles the copies and the products for one image take."""
    ends = plan.pieces[plan.images[:, 4] - 1]
    vectors = -(-(ends[:, 0] + ends[:, 3]) // lanes) / plan.beside
    return channels * float((COPY + plan.copies[:, 2] / 4).sum()) + out * float((plan.images[:, 1] * vectors).sum()) / 2


def plan_with(dimensions: Any, n: int, channels: int, blocks: int, high: int, source: Any, result: Any, kernel: Any,
              lanes: int) -> Plan:
    lengths = [dim.length for dim in dimensions]
    # Zeros after a row can be those before the next one.
    shared = max(0, min([min(line.inside.start, lengths[-1] - line.inside.stop) for line in dimensions[-1].lines]))
    steps = steps_of([*lengths[:-1], lengths[-1] - shared])
    plane = steps[0] * lengths[0] + shared
    positions = place([max([way.length for way in dim.ways]) - 1 for dim in dimensions], steps) + 1
    beside = images_beside(n, positions, plane, lanes)
    source_steps, result_steps, kernel_steps = steps_of(source), steps_of(result), steps_of(kernel)
    copies = []
    number: dict[Any, int] = {}  # of the lines in each dimension together
    for lines in itertools.product(*[enumerate(dim.lines) for dim in dimensions]):
        number[tuple([index for index, _ in lines])] = len(number)
        begin = (len(number) - 1) * channels * beside * plane
        inside = [line.inside for _, line in lines]
        for row in itertools.product(*inside[:-1]):
            first = (*row, inside[-1].start)
            from_ = place([line.start + dim.step * i for (_, line), dim, i in zip(lines, dimensions, first)], source_steps)
            copies.append((begin + place(first, steps), from_, len(inside[-1])))
    images: list[Any] = []
    offsets = np.empty(0, np.int64)
    pieces: list[Any] = []
    elements = []
    for ways in itertools.product(*[dim.ways for dim in dimensions]):
        meetings = list(itertools.product(*[way.meetings for way in ways]))
        met = [number[tuple([line for _, line, _ in meeting])] * channels * beside * plane
               + place([shift for _, _, shift in meeting], steps) for meeting in meetings]
        offset, taps, piece = offsets.size, channels * len(met), len(pieces)
        offsets = np.append(offsets, np.add.outer(np.arange(channels) * beside * plane, np.array(met, np.int64)))
        for image in range(beside):
            for row in itertools.product(*[range(way.length) for way in ways[:-1]]):
                to = place([way.first + way.stride * i for way, i in zip(ways, (*row, 0))], result_steps)
                pieces.append((image * plane + place(row, steps), image, to, ways[-1].length))
        images.append((offset, taps, offset * blocks * high, piece, len(pieces)))
        elements.append(tuple([place([k for k, _, _ in meeting], kernel_steps) for meeting in meetings]))
    stretch = max(NEAR // channels, *[piece[3] for piece in pieces])
    return Plan(table(images, 5), offsets, table(copies, 3), dimensions[-1].step, table(pieces, 4),
                dimensions[-1].ways[0].stride, len(number) * channels * beside * plane + lanes, plane, beside,
                min(stretch, (beside - 1) * plane + positions), tuple(elements))


class Gathering(NamedTuple):
    """The tables of the gradient of the weight.

    Attributes:
        starts: for each channel and row of the kernel, where in the padded copy what its first element meets begins.
        places: for each position, how far that is from there.
        copies: rows of an image to be copied: to where, from where, how many numbers.
        size, plane: numbers in the padded copy, and numbers in it of one channel.
        wide: how many elements the rows have.
    """

    starts: Any
    places: Any
    copies: Any
    size: int
    plane: int
    wide: int


@functools.lru_cache(maxsize=256)
def plan_of_weight(channels: int, size: Any, kernel: Any, positions: Any, stride: Any, dilation: Any, before: Any) -> Gathering:
    wide = kernel[-1] if dilation[-1] == 1 and kernel[-1] <= 8 else 1
    lengths = [(o - 1) * s + d * (k - 1) + 1 for o, k, s, d in zip(positions, kernel, stride, dilation)]
    steps, image_steps = steps_of(lengths), steps_of(size)
    plane = math.prod(lengths)
    inside = [range(max(0, b), max(0, b, min(length, m + b))) for m, b, length in zip(size, before, lengths)]
    copies = []
    for row in itertools.product(*inside[:-1]):
        first = (*row, inside[-1].start)
        copies.append((place(first, steps), place([i - b for i, b in zip(first, before)], image_steps), len(inside[-1])))
    rows = [range(0, k * d * step, d * step) for k, d, step in zip(kernel[:-1], dilation, steps)]
    starts = sums_of(range(0, channels * plane, plane), *rows, range(0, kernel[-1] * dilation[-1], wide * dilation[-1]))
    starts = np.append(starts, [0] * rows_of_tile(wide))  # the last tile may have more rows than there are
    places = sums_of(*[range(0, o * s * step, s * step) for o, s, step in zip(positions, stride, steps)])
    return Gathering(starts, places, table(copies, 3), channels * plane, plane, wide)


# ---------------------------------------------------------------------------------------------------- arrays

def output(x: Any, weight: Any, shape: Any, bias: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """What `x` (n, channels, *size) gives with `weight` (out, channels / groups, *kernel), plus `bias`, in an array of this
    shape."""
    groups = x.shape[1] // weight.shape[1]
    rows = weight.reshape(groups, shape[1] // groups, weight.shape[1], math.prod(weight.shape[2:]))
    sizes = x.shape[2:], weight.shape[2:], shape[2:]
    return correlated(dimension_of_output, x, rows, bias, shape, sizes, stride, padding, dilation)


def gradient_of_input(shape: Any, weight: Any, y: Any, bias: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The gradient (n, channels, *size) of the sum of `y` times :func:`output`, plus `bias`."""
    groups = shape[1] // weight.shape[1]
    rows = weight.reshape(groups, y.shape[1] // groups, weight.shape[1], math.prod(weight.shape[2:])).swapaxes(1, 2)
    sizes = shape[2:], weight.shape[2:], y.shape[2:]
    return correlated(dimension_of_input, y, rows, bias, shape, sizes, stride, padding, dilation)


def correlated(kind: Any, x: Any, rows: Any, bias: Any, shape: Any, sizes: Any, stride: Any, padding: Any,
               dilation: Any) -> Any:
    """An array of this shape computed from `x` with `rows` (groups, out, channels, elements of the kernel)."""
    n, (groups, out, channels, _), lanes = len(x), rows.shape, VECTOR // x.itemsize
    high = 1 if out == 1 else 4 if -(-out // 4) * 4 < -(-out // HIGH) * HIGH else HIGH
    blocks = -(-out // high)
    before = tuple([pair[0] for pair in padding])
    plan = plan_of(kind, n, channels, blocks, high, *map(tuple, sizes), tuple(stride), tuple(dilation), before, lanes)
    x, y = np.ascontiguousarray(x).reshape(n, groups, channels, -1), np.empty(shape, x.dtype)
    shifts = np.zeros((groups, blocks * high), x.dtype)
    if bias is not None:
        shifts[:, :out] = bias.reshape(groups, out)
    units = -(-n // plan.beside) * groups
    splits = 1 if units >= _settings.get_num_threads() else min(blocks, _settings.get_num_threads())
    share(correlation(high), units * splits, x, y.reshape(n, groups, out, -1), packed(rows, plan.elements, high), shifts,
          *plan[:-1], splits, lanes)
    return y


def packed(rows: Any, elements: Any, high: int) -> Any:
    """`rows` as the tiles read them: for each of the interleaved images and each `high` channels of the result, of every channel
    and every one of its elements these `high` numbers."""
    groups, out, channels, count = rows.shape
    blocks = -(-out // high)
    if out % high:
        padded = np.zeros((groups, blocks * high, channels, count), rows.dtype)
        padded[:, :out] = rows
        rows = padded
    rows = rows.reshape(groups, blocks, high, channels, count).transpose(0, 1, 3, 4, 2)
    if elements == (tuple(range(count)),):
        return np.ascontiguousarray(rows).reshape(groups, -1)
    return np.concatenate([np.ascontiguousarray(rows[:, :, :, list(found)]).reshape(groups, -1) for found in elements], axis=1)


def gradient_of_weight(x: Any, shape: Any, y: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The gradient (out, channels / groups, *kernel) of the sum of `y` times :func:`output`."""
    n, channels, lanes = len(x), shape[1], VECTOR // x.itemsize
    groups = x.shape[1] // channels
    out = shape[0] // groups
    plan = plan_of_weight(channels, x.shape[2:], tuple(shape[2:]), y.shape[2:], tuple(stride), tuple(dilation),
                          tuple([pair[0] for pair in padding]))
    taps, parts = math.prod(shape[1:]), min(n, _settings.get_num_threads())
    sums = np.zeros((parts, groups, -(-out // lanes), len(plan.starts) * plan.wide * lanes), x.dtype)
    share(gathering(plan.wide), parts, np.ascontiguousarray(x).reshape(n, groups, channels, -1),
          np.ascontiguousarray(y).reshape(n, groups, out, -1), sums, *plan[:-1], lanes)
    found = (sums[0] if parts == 1 else sums.sum(0))[:, :, :taps * lanes]
    found = found.reshape(groups, -1, taps, lanes).swapaxes(2, 3).reshape(groups, -1, taps)
    return found[:, :out].reshape(shape)
