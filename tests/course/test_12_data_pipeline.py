from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.course.conftest import Run


@pytest.mark.parametrize("workers", [0, 2])
def test_quick(run: Run, workers: int) -> None:
    pytest.importorskip("PIL")
    done = run("12_data_pipeline", "--workers", str(workers))
    assert done.figures["plain"] > 0.5
    assert done.figures["augmented"] > 0.3
    assert f"with {workers} workers" in done.out
    assert "'eight': 0, 'five': 1" in done.out
    assert len(list((done.folder / "learn").glob("*/*.png"))) == 300


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("12_data_pipeline")
    assert figures["augmented"] > figures["plain"] > 0.9
