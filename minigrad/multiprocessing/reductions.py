"""How arrays go to other processes: what lies in shared memory by its descriptor, everything else by its elements."""

from __future__ import annotations

from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

from minigrad._arrays import shared

__all__ = ["reduce_array", "reduce_shared"]


def reduce_shared(array: Any) -> tuple[Any, ...] | None:
    """What the pickle of an array in shared memory holds; None for other arrays. The other process can open it while this one
    lives."""
    segment = shared.segment_of(array)
    if segment is None:
        return None
    from multiprocessing.reduction import DupFd  # not on Windows, which has no segments
    offset = array.__array_interface__["data"][0] - segment.address
    return rebuild_shared, (DupFd(segment.file), array.dtype, array.shape, offset, array.strides)


def rebuild_shared(descriptor: Any, *description: Any) -> Any:
    """The array from its pickle."""
    return shared.array_in(shared.open_segment(descriptor.detach()), *description)


def reduce_array(array: Any) -> Any:
    """What the pickle of any array holds that Python's pipes and queues are given."""
    return reduce_shared(array) or array.__reduce__()


ForkingPickler.register(np.ndarray, reduce_array)
