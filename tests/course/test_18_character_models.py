from __future__ import annotations

from typing import Any, Callable

import numpy as np
import pytest

from tests.course.conftest import Run


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_quick(run: Run, cell: str) -> None:
    done = run("18_character_models", "--cell", cell)
    nats = done.figures
    assert nats["recurrent"] < nats["window"] < nats["table"] < np.log(27) - 0.5
    invented = [line.rpartition("invents")[2].split() for line in done.out.splitlines() if "invents" in line]
    assert [len(words) for words in invented] == [10, 10, 10]
    assert all(word.isalpha() for words in invented for word in words)


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    nats = measured("18_character_models")
    assert nats["recurrent"] < nats["window"] - 0.1 < nats["table"] - 0.3
