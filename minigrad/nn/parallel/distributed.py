"""One module in several processes: there are none here to work with."""

from __future__ import annotations

from typing import Any

from minigrad.errors import StateError
from minigrad.nn.modules.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """PyTorch's module for several processes. Programs ask whether a model is one; making one raises ``RuntimeError``."""

    def __init__(self, module: Any, *args: Any, **kwargs: Any) -> None:
        raise StateError("DistributedDataParallel: there is no group of processes here; use the module itself, or DataParallel "
                         "for the GPUs of one process")
