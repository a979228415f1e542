"""Making a module without paying for its initial values."""

from __future__ import annotations

import inspect
from typing import Any

from minigrad.errors import RuntimeValueError
from minigrad.nn.modules.module import Module


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """``module_cls(*args, **kwargs)`` whose parameters are to be set by the caller; their values are undefined.

    Raises ``RuntimeError`` for what is not a module or does not take a device.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeValueError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeValueError("Module must support a 'device' arg to skip initialization")
    return module_cls(*args, **kwargs)
