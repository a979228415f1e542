"""The library of ONNX's format, and the one that runs its files, imported when they are first needed."""

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


def runtime() -> Any:
    """The library that runs files. Raises ``ImportError`` that names the extra which installs it."""
    try:
        return importlib.import_module("onnxruntime")
    except ModuleNotFoundError:
        raise missing_extra("a call of an ONNXProgram", "onnxruntime", "onnx") from None
