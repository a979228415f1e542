"""Numbers that describe an array, as drawings show them."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad.recording.quiet import run_quietly
from minigrad.viz.graph import Statistics

BLOCK = 1 << 15  # elements that are looked at together, so that the float64 copy of them stays in the processor's cache
SAMPLE = 1024  # elements that a histogram counts
BINS = 24


class Buffer(threading.local):
    """The float64 copy of a block, one for each thread: fresh memory for every block would take longer than the sums."""

    def __init__(self) -> None:
        self.block = np.empty(BLOCK, np.float64)


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
    rows = [array.reshape(-1)] if array.flags.c_contiguous or array.size <= BLOCK else [row.reshape(-1) for row in array]
    for row in rows:
        for start in range(0, row.size, BLOCK):
            given = row[start:start + BLOCK]
            part = buffer.block[:given.size]
            part[...] = np.abs(given) if given.dtype.kind == "c" else given
            zeros += part.size - int(np.count_nonzero(part))
            square = float(part @ part)
            if not math.isfinite(square):
                part = part[np.isfinite(part)]
                square = float(part @ part)
            if part.size:
                real = given if given.dtype.kind == "f" and part.size == given.size else part  # short numbers compare sooner
                total, squares = total + float(part.sum()), squares + square
                low, high, finite = min(low, float(real.min())), max(high, float(real.max())), finite + part.size
    if not finite:
        return Statistics(array.size, zeros=0.0, nonfinite=array.size)
    rms = math.sqrt(squares / finite)
    if not math.isfinite(rms):  # the squares of large numbers overflow, and they themselves do not
        rms = max(-low, high)
    return Statistics(array.size, None, total / finite, rms, low, high, zeros / array.size, array.size - finite,
                      histogram_of(array, low, high))


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
