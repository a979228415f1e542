"""k-means and PCA by gradient descent, against Lloyd's algorithm and the SVD."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    figures = run("25_kmeans_pca").figures
    assert 0.45 < figures["explained"] < figures["best"] + 0.01
    assert figures["descent"] == pytest.approx(figures["lloyd"], rel=0.05)
    assert figures["right"] > 0.5


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("25_kmeans_pca")
    assert figures["same"] > 0.99, "each component is that of the SVD"
    assert figures["explained"] == pytest.approx(figures["best"], abs=1e-3)
    assert figures["descent"] == pytest.approx(figures["lloyd"], rel=0.01)
    assert figures["right"] > 0.65
