"""Tensors for those who know NumPy."""

from __future__ import annotations

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("01_tensors")
    assert "Tensor([1, 2]) minigrad.float32" in done.out and "tensor([1, 2]) minigrad.int64" in done.out
    assert "x[::-1] is refused" in done.out
    assert done.figures["in_place"] == 3 and "Y = X + Y     another tensor" in done.out
    assert done.figures["shared"] == 9, "as many as in PyTorch"
    assert done.figures["accuracy"] > 0.84
