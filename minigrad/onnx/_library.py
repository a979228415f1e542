"""The library of ONNX's format, imported when it is first needed."""

from __future__ import annotations

import importlib
from typing import Any

from minigrad.errors import missing_extra


def library(module: str = "") -> Any:
    """A module of the library. Raises ``ImportError`` that names the extra which installs it."""
    try:
        return importlib.import_module(f"onnx{module}")
    except ModuleNotFoundError as missing:
        raise missing_extra("minigrad.onnx.export", str(missing.name), "onnx") from None
