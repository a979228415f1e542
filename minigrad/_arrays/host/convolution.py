"""Convolution and its two gradients. What they are is in :mod:`minigrad.ops.neural.convolution`.

An image is copied once, with zeros around it, and after that no element is copied again: what an element of the window meets from
one position to the next are neighbours in the copy. So positions are counted through whole rows of the padded image, also where a
window would reach over the end of a row; what is computed there is left out when the result is written. With a stride of s the
copy has s * s phases, in each of which the elements that are s apart are neighbours.

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
from minigrad._arrays.host.tiles import HIGH, SUMS, VECTOR, copy_run, outer_tile, product_tile, transpose_tile

__all__ = ["gradient_of_input", "gradient_of_weight", "output"]


# ---------------------------------------------------------------------------------------------------- kernels

NEAR = 1 << 16  # numbers that stay in the cache next to the processor


@functools.cache
def correlation(high: int) -> Any:
    """The kernel that computes `high` channels of the result at a time."""
    widths = {1: (8, 4, 1), 4: (3, 2, 1) if SUMS < 24 else (6, 3, 1), 8: (3, 2, 1)}[high]
    most, middle, least = widths
    wide_tile, middle_tile, narrow_tile = [product_tile(high, wide) for wide in widths]

    def correlate(x: Any, y: Any, weights: Any, images: Any, offsets: Any, copies: Any, step: int, pieces: Any, stride: int,
                  size: int, plane: int, beside: int, splits: int, lanes: int, begin: int, end: int) -> None:
        """`x` (n, groups, channels, elements) to `y` (n, groups, channels, elements); see :class:`Plan`."""
        n, groups, channels, _ = x.shape
        out = y.shape[2]
        blocks = (out + high - 1) // high
        padded = np.zeros(size, x.dtype)
        longest = 0
        for f in range(len(images)):
            longest = max(longest, images[f, 3])
        row = (longest + lanes - 1) // lanes * lanes
        stretch = max(1, NEAR // channels // (most * lanes)) * most * lanes  # positions, whose elements stay in the cache
        found = np.empty(blocks * high * row, x.dtype)
        for unit in range(begin, end):
            first_block, last_block = unit % splits * blocks // splits, (unit % splits + 1) * blocks // splits
            g, first = unit // splits % groups, unit // splits // groups * beside
            count = min(beside, n - first)
            for c in range(channels):
                for i in range(count):
                    image, there = x[first + i, g, c], (c * beside + i) * plane
                    for k in range(len(copies)):
                        copy_run(image, copies[k, 1], step, padded, there + copies[k, 0], 1, copies[k, 2])
            packed = weights[g]
            for f in range(len(images)):
                offset, taps, weight = images[f, 0], images[f, 1], images[f, 2]
                positions, begin_pieces, end_pieces = images[f, 3], images[f, 4], images[f, 5]
                for start in range(0, positions, stretch):
                    end_stretch = min(positions, start + stretch)
                    for b in range(first_block, last_block):
                        at, q = weight + b * taps * high, start
                        while q < end_stretch:
                            left, to = (end_stretch - q + lanes - 1) // lanes, b * high * row + q
                            if left >= most:
                                wide_tile(padded, q, offsets, offset, taps, packed, at, found, to, row)
                                q += most * lanes
                            elif left >= middle:
                                middle_tile(padded, q, offsets, offset, taps, packed, at, found, to, row)
                                q += middle * lanes
                            else:
                                narrow_tile(padded, q, offsets, offset, taps, packed, at, found, to, row)
                                q += least * lanes
                for c in range(first_block * high, min(last_block * high, out)):
                    for i in range(count):
                        image, here = y[first + i, g, c], c * row + i * plane
                        for k in range(begin_pieces, end_pieces):
                            copy_run(found, here + pieces[k, 0], 1, image, pieces[k, 1], stride, pieces[k, 2])

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

class Plan(NamedTuple):
    """The tables of a correlation: everything but the numbers.

    Attributes:
        images: a row for each of the interleaved images of the result: where its offsets begin, their number, where its weights
            begin, the number of its positions, counted through, and its first piece and the first that is not its own.
        offsets: for each channel and element of the kernel, how far in the padded copy what it meets is from the position.
        copies, step: rows of an image to be copied: to where, from where, how many numbers, how far apart in the image.
        pieces, stride: rows of positions of the result: from where, to where, how many numbers, how far apart in the result.
        size, plane, beside: numbers in the padded copy, numbers in it of one channel of one image, and how many images are beside
            each other in it, so that the positions of small images fill whole vectors.
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
    elements: tuple[tuple[int, ...], ...]


def table(rows: Any, width: int) -> Any:
    """Indices as an array with so many columns."""
    return np.array(rows, np.int64).reshape(-1, width)


def steps_of(lengths: Any, last: int) -> list[int]:
    """How far neighbours in each dimension are apart in an array of these lengths, whose rows are `last` numbers apart."""
    steps = [1]
    for length in (last, *reversed(lengths[1:-1]))[:len(lengths) - 1]:
        steps.insert(0, steps[0] * length)
    return steps


def place(indices: Any, steps: Any) -> int:
    return sum([i * step for i, step in zip(indices, steps)])


def images_beside(n: int, positions: int, plane: int, lanes: int) -> int:
    """How many of `n` images fill vectors best, beside each other; the fewest that do so nearly as well as any."""
    vectors = [-(-((count - 1) * plane + positions) // lanes) / count for count in range(1, min(n, 8) + 1)]
    return next(count for count, value in enumerate(vectors, 1) if value <= 1.05 * min(vectors))


@functools.lru_cache(maxsize=256)
def plan_of_output(n: int, channels: int, blocks: int, high: int, size: Any, kernel: Any, positions: Any, stride: Any,
                   dilation: Any, before: Any, lanes: int) -> Plan:
    """A window's element d * k meets element p + d * k // s of phase d * k % s: of those in the padded image that are s apart."""
    lengths = [o + d * (k - 1) // s for o, k, s, d in zip(positions, kernel, stride, dilation)]
    phases = [sorted({d * i % s for i in range(k)}) for k, s, d in zip(kernel, stride, dilation)]
    inside = []  # for each dimension and phase, the first index in the image and the first beyond it
    for m, s, b, length, found in zip(size, stride, before, lengths, phases):
        bounds = [(max(0, -((a - b) // s)), min(length, (m - 1 + b - a) // s + 1)) for a in found]
        inside.append({a: (begin, max(begin, end)) for a, (begin, end) in zip(found, bounds)})
    # Zeros after a row can be those before the next one.
    shared = max(0, min([min(begin, lengths[-1] - end) for begin, end in inside[-1].values()]))
    steps = steps_of(lengths, lengths[-1] - shared)
    plane = steps[0] * lengths[0] + shared
    count = place([o - 1 for o in positions], steps) + 1
    beside = images_beside(n, count, plane, lanes)
    number = {phase: f for f, phase in enumerate(itertools.product(*phases))}
    image_steps, result_steps = steps_of(size, size[-1]), steps_of(positions, positions[-1])
    copies = []
    for phase, f in number.items():
        bounds = [inside[dim][a] for dim, a in enumerate(phase)]
        for row in itertools.product(*[range(*pair) for pair in bounds[:-1]]):
            first = (*row, bounds[-1][0])
            source = place([a + s * i - b for a, s, i, b in zip(phase, stride, first, before)], image_steps)
            copies.append((f * channels * beside * plane + place(first, steps), source, bounds[-1][1] - bounds[-1][0]))
    offsets = []
    for c in range(channels):
        for element in itertools.product(*map(range, kernel)):
            meets = [d * i for d, i in zip(dilation, element)]
            f = number[tuple([m % s for m, s in zip(meets, stride)])]
            offsets.append((f * channels + c) * beside * plane + place([m // s for m, s in zip(meets, stride)], steps))
    pieces = [(place(row, steps), place(row, result_steps), positions[-1])
              for row in itertools.product(*map(range, positions[:-1]))]
    images = table([(0, len(offsets), 0, (beside - 1) * plane + count, 0, len(pieces))], 6)
    return Plan(images, np.array(offsets, np.int64), table(copies, 3), stride[-1], table(pieces, 3), 1,
                len(number) * channels * beside * plane + lanes, plane, beside, (tuple(range(math.prod(kernel))),))


@functools.lru_cache(maxsize=256)
def plan_of_input(n: int, channels: int, blocks: int, high: int, size: Any, kernel: Any, positions: Any, stride: Any,
                  dilation: Any, before: Any, lanes: int) -> Plan:
    """Element a + s * m of the input meets position m + (a + before - d * k) / s by those elements k of the kernel for which that
    is a whole number."""
    meetings = [[[(i, (a + b - d * i) // s) for i in range(k) if (a + b - d * i) % s == 0] for a in range(min(s, m))]
                for m, k, s, d, b in zip(size, kernel, stride, dilation, before)]
    counts = [[len(range(a, m, s)) for a in range(min(s, m))] for m, s in zip(size, stride)]
    low = [max([0, *[-shift for found in dim for _, shift in found]]) for dim in meetings]
    lengths = [b + max([o, *[m + shift for found, m in zip(dim, count) for _, shift in found]])
               for b, o, dim, count in zip(low, positions, meetings, counts)]
    shared = min(low[-1], lengths[-1] - low[-1] - positions[-1])
    steps = steps_of(lengths, lengths[-1] - shared)
    plane = steps[0] * lengths[0] + shared
    most = place([count[0] - 1 for count in counts], steps) + 1
    beside = images_beside(n, most, plane, lanes)
    source_steps, result_steps = steps_of(positions, positions[-1]), steps_of(size, size[-1])
    copies = [(place([i + b for i, b in zip((*row, 0), low)], steps), place(row, source_steps), positions[-1])
              for row in itertools.product(*map(range, positions[:-1]))]
    images: list[Any] = []
    offsets: list[int] = []
    pieces: list[Any] = []
    elements = []
    weights = 0
    for phase in itertools.product(*[range(len(dim)) for dim in meetings]):
        found = list(itertools.product(*[dim[a] for dim, a in zip(meetings, phase)]))
        count = [counts[dim][a] for dim, a in enumerate(phase)]
        first, begin = len(offsets), len(pieces)
        for c in range(channels):
            for meeting in found:
                offsets.append(c * beside * plane + place([b + shift for b, (_, shift) in zip(low, meeting)], steps))
        for row in itertools.product(*map(range, count[:-1])):
            to = place([a + s * i for a, s, i in zip(phase, stride, (*row, 0))], result_steps)
            pieces.append((place(row, steps), to, count[-1]))
        images.append((first, len(offsets) - first, weights, (beside - 1) * plane + place([m - 1 for m in count], steps) + 1,
                       begin, len(pieces)))
        weights += blocks * (len(offsets) - first) * high
        elements.append(tuple([place([i for i, _ in meeting], steps_of(kernel, kernel[-1])) for meeting in found]))
    return Plan(table(images, 6), np.array(offsets, np.int64), table(copies, 3), 1, table(pieces, 3), stride[-1],
                channels * beside * plane + lanes, plane, beside, tuple(elements))


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
    steps, image_steps = steps_of(lengths, lengths[-1]), steps_of(size, size[-1])
    plane = math.prod(lengths)
    inside = [range(max(0, b), max(0, b, min(length, m + b))) for m, b, length in zip(size, before, lengths)]
    copies = []
    for row in itertools.product(*inside[:-1]):
        first = (*row, inside[-1].start)
        copies.append((place(first, steps), place([i - b for i, b in zip(first, before)], image_steps), len(inside[-1])))
    rows = itertools.product(*map(range, kernel[:-1]), range(0, kernel[-1], wide))
    row_starts = [place([d * i for d, i in zip(dilation, row)], steps) for row in rows]
    starts = [c * plane + start for c in range(channels) for start in row_starts]
    starts += [0] * rows_of_tile(wide)  # the last tile may have more rows than there are
    places = [place([s * i for s, i in zip(stride, position)], steps) for position in itertools.product(*map(range, positions))]
    return Gathering(np.array(starts, np.int64), np.array(places, np.int64), table(copies, 3), channels * plane, plane, wide)


# ---------------------------------------------------------------------------------------------------- arrays

def output(x: Any, weight: Any, shape: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """What `x` (n, channels, *size) gives with `weight` (out, channels / groups, *kernel): an array of this shape."""
    groups = x.shape[1] // weight.shape[1]
    rows = weight.reshape(groups, shape[1] // groups, weight.shape[1], math.prod(weight.shape[2:]))
    return correlated(plan_of_output, x, rows, shape, (x.shape[2:], weight.shape[2:], shape[2:]), stride, padding, dilation)


def gradient_of_input(shape: Any, weight: Any, y: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The gradient (n, channels, *size) of the sum of `y` times :func:`output`."""
    groups = shape[1] // weight.shape[1]
    rows = weight.reshape(groups, y.shape[1] // groups, weight.shape[1], math.prod(weight.shape[2:])).swapaxes(1, 2)
    return correlated(plan_of_input, y, rows, shape, (shape[2:], weight.shape[2:], y.shape[2:]), stride, padding, dilation)


def correlated(plan_of: Any, x: Any, rows: Any, shape: Any, sizes: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """An array of this shape computed from `x` with `rows` (groups, out, channels, elements of the kernel)."""
    n, (groups, out, channels, _), lanes = len(x), rows.shape, VECTOR // x.itemsize
    high = 1 if out == 1 else 4 if -(-out // 4) * 4 < -(-out // HIGH) * HIGH else HIGH
    blocks = -(-out // high)
    before = tuple([pair[0] for pair in padding])
    plan = plan_of(n, channels, blocks, high, *map(tuple, sizes), tuple(stride), tuple(dilation), before, lanes)
    x, y = np.ascontiguousarray(x).reshape(n, groups, channels, -1), np.empty(shape, x.dtype)
    units = -(-n // plan.beside) * groups
    splits = 1 if units >= _settings.get_num_threads() else min(blocks, _settings.get_num_threads())
    share(correlation(high), units * splits, x, y.reshape(n, groups, out, -1), packed(rows, plan.elements, high), *plan[:-1],
          splits, lanes)
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
    if len(elements) == 1:  # all of them, in their order or turned around
        return np.ascontiguousarray(rows[:, :, :, list(elements[0])]).reshape(groups, -1)
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
    found = sums.sum(0)[:, :, :taps * lanes].reshape(groups, -1, taps, lanes).swapaxes(2, 3).reshape(groups, -1, taps)
    return found[:, :out].reshape(shape)
