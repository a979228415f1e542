"""Numbers that describe an array, as drawings show them."""

from __future__ import annotations

import math
import threading
from typing import Any, Iterator

import numpy as np

from minigrad import _arrays
from minigrad.recording.quiet import run_quietly
from minigrad.viz.graph import Statistics

ROW = 1 << 13  # elements summed by one call of BLAS, which for more would start threads, and wait for them
BLOCK = 4 * ROW  # elements looked at together, so that the float64 copy of them stays in the processor's cache
SAMPLE = 1024  # elements that a histogram counts
BINS = 24


ONES = np.ones(ROW)


class Buffer(threading.local):
    """The float64 copy of a block and which of it are zero, for each thread: fresh memory would take longer than the sums."""

    def __init__(self) -> None:
        self.block = np.empty(BLOCK, np.float64)
        self.zeros = np.empty(BLOCK, np.bool_)


buffer = Buffer()


def describe(array: Any) -> Statistics:
    """The :class:`~minigrad.viz.graph.Statistics` of an array of any dtype on any device."""
    return run_quietly(describe_quietly, _arrays.to_numpy(array))


def describe_quietly(array: Any) -> Statistics:
    """:func:`describe` of an array of the host, where NumPy's warnings are off."""
    if array.size == 1:
        return describe_one(array.reshape(-1)[0].item(), array.dtype.kind)
    total = squares = 0.0
    low, high, zeros, finite = math.inf, -math.inf, 0, 0
    for row in flat_parts(array):
        for start in range(0, row.size, BLOCK):
            given = row[start:start + BLOCK]
            size = given.size
            part = buffer.block[:size]
            part[...] = np.abs(given) if given.dtype.kind == "c" else given
            real = given if given.dtype.kind == "f" else part  # short numbers compare sooner
            zeros += int(np.count_nonzero(np.equal(real, 0, out=buffer.zeros[:size])))
            least, most = float(np.minimum.reduce(real)), float(np.maximum.reduce(real))
            if not (math.isfinite(least) and math.isfinite(most)):
                known = np.isfinite(part)
                size = int(np.count_nonzero(known))
                least, most = float(part.min(where=known, initial=math.inf)), float(part.max(where=known, initial=-math.inf))
                part[~known] = 0.0
            some, square = sums(given.size)
            total, squares = total + some, squares + square
            low, high, finite = min(low, least), max(high, most), finite + size
    if not finite:
        return Statistics(array.size, zeros=0.0, nonfinite=array.size)
    rms = math.sqrt(squares / finite)
    if not math.isfinite(rms):  # the squares of large numbers overflow, and they themselves do not
        rms = max(-low, high)
    return Statistics(array.size, None, total / finite, rms, low, high, zeros / array.size, array.size - finite,
                      histogram_of(array, low, high))


def flat_parts(array: Any) -> Iterator[Any]:
    """The elements of `array` in the order of memory: all at once where that needs no copy, else about a block at a time."""
    ordered = array.transpose(sorted(range(array.ndim), key=lambda axis: -array.strides[axis]))
    if ordered.flags.c_contiguous:
        yield ordered.reshape(-1)
        return
    step = max(1, BLOCK * len(ordered) // max(array.size, 1))
    for start in range(0, len(ordered), step):
        yield ordered[start:start + step].reshape(-1)


def sums(size: int) -> tuple[float, float]:
    """The sum of the first `size` elements of the thread's block, and that of their squares."""
    if size <= ROW:
        part = buffer.block[:size]
        return float(part @ ONES[:size]), float(part @ part)
    end = -(-size // ROW)
    buffer.block[size:end * ROW] = 0.0
    rows = buffer.block[:end * ROW].reshape(end, ROW)
    return float(np.vecdot(rows, ONES).sum()), float(np.vecdot(rows, rows).sum())


def describe_one(value: Any, kind: str) -> Statistics:
    """The statistics of a single element."""
    size = abs(value) if kind == "c" else float(value)
    shown: float | str = str(value) if kind == "c" else float(value)
    if not math.isfinite(size):
        return Statistics(1, shown, nonfinite=1)
    return Statistics(1, shown, size, abs(size), size, size, float(size == 0))


def histogram_of(array: Any, low: float, high: float) -> list[int]:
    """How many of some of the finite elements lie in each of equal bins from `low` to `high`."""
    if not low < high or not math.isfinite(high - low):
        return []
    some = array.flat[::max(1, array.size // SAMPLE)][:SAMPLE]
    some = (np.abs(some) if some.dtype.kind == "c" else some).astype(np.float64)
    places = (some[np.isfinite(some)] - low) * (BINS / (high - low))
    counts: list[int] = np.bincount(np.minimum(places.astype(np.intp), BINS - 1), minlength=BINS).tolist()
    return counts
