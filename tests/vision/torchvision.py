"""torchvision as the oracle, where it is installed and works."""

from __future__ import annotations

import importlib
from typing import Any

import pytest


def torchvision_or_skip() -> Any:
    """torchvision, with PyTorch behind it; the test is skipped where there is none, or one that its PyTorch cannot load."""
    pytest.importorskip("torch", reason="compares with torchvision, which needs PyTorch")
    try:
        return importlib.import_module("torchvision")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"compares with torchvision: {error}")
