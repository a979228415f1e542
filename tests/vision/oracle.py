"""torchvision as the oracle, where it is installed and works, and tensors of its PyTorch beside ours."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import minigrad as mg


def torchvision_or_skip() -> Any:
    """torchvision, with PyTorch behind it; the test is skipped where there is none, or one that its PyTorch cannot load."""
    try:
        return importlib.import_module("torchvision")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"compares with torchvision: {error}")


def both(array: Any, requires_grad: bool = False) -> tuple[Any, Any]:
    """A tensor of PyTorch's and one of ours, with copies of the same elements."""
    torch = importlib.import_module("torch")
    theirs, ours = torch.from_numpy(np.array(array)), mg.from_numpy(np.array(array))
    return (theirs.requires_grad_(), ours.requires_grad_()) if requires_grad else (theirs, ours)


def as_array(x: Any) -> Any:
    """The elements of a tensor of PyTorch's or of ours."""
    return x.detach().cpu().numpy()


def assert_same(theirs: Any, ours: Any, tolerance: float = 0.0) -> None:
    """The same shape and dtype, and elements that differ by at most `tolerance` times the largest of them."""
    expected, found = as_array(theirs), as_array(ours)
    assert found.shape == expected.shape and found.dtype == expected.dtype
    scale = np.abs(expected.astype(np.float64)).max(initial=0)
    assert np.abs(found.astype(np.float64) - expected.astype(np.float64)).max(initial=0) <= tolerance * scale
