"""Many tensors in few exchanges."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.distributed.memory import flat, put_all
from minigrad.distributed.process_group import ProcessGroup
from minigrad.distributed.work import exchange

__all__ = ["broadcast_together"]


def broadcast_together(tensors: list[Any], group: ProcessGroup, root: int, words: str) -> None:
    """Set `tensors` to those of process `root` of `group`, all of a dtype in one exchange. Errors call them `words`."""
    with group.on_device():
        for dtype in dict.fromkeys(t.dtype for t in tensors):
            of_dtype = [t for t in tensors if t.dtype == dtype]
            values = np.concatenate([flat(t, words, group) for t in of_dtype])

            def begin(values: Any = values) -> Any:
                return group.communicator.broadcast(values, root)
            exchange(group, f"{words}: {len(of_dtype)} tensors, {values.size} of {values.dtype}", begin)
            if group.rank() != root:
                put_all(of_dtype, values, words)
