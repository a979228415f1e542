"""How arrays go to other processes: what lies in shared memory by its descriptor, everything else by its elements."""

from __future__ import annotations

from multiprocessing import reduction
from typing import Any

import numpy as np

from minigrad._arrays import shared

__all__ = ["reduce_array", "reduce_segment", "reduce_shared"]


def reduce_segment(segment: shared.Segment) -> Any:
    """What the pickle of a segment holds. The other process can open it for as long as this one lives."""
    return open_segment, (reduction.DupFd(segment.file),)


def open_segment(descriptor: Any) -> shared.Segment:
    """The segment from its pickle."""
    return shared.open_segment(descriptor.detach())


def reduce_shared(array: Any) -> tuple[Any, ...] | None:
    """What the pickle of an array in shared memory holds; None for other arrays."""
    segment = shared.segment_of(array)
    if segment is None:
        return None
    offset = array.__array_interface__["data"][0] - segment.address
    return shared.array_in, (segment, array.dtype, array.shape, offset, array.strides)


def reduce_array(array: Any) -> Any:
    """What the pickle of any array holds that Python's pipes and queues are given."""
    return reduce_shared(array) or array.__reduce__()


reduction.ForkingPickler.register(shared.Segment, reduce_segment)
reduction.ForkingPickler.register(np.ndarray, reduce_array)
