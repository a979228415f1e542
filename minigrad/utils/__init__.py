"""Loading data, and other helpers."""

import importlib as _importlib
from typing import Any as _Any


def __getattr__(name: str) -> _Any:
    # `minigrad.utils.checkpoint`, `data` and `dlpack` are there without an import of their own, as in PyTorch.
    if name in ("checkpoint", "data", "dlpack"):
        return _importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
