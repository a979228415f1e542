"""The recurrent networks of the course that are written by hand."""

from __future__ import annotations

import re
from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("16_recurrent")
    assert done.figures["lstm"] < 0.005 < 0.05 < done.figures["rnn"]
    assert done.figures["differ"] < 1e-5
    rnn, lstm = map(float, re.findall(r"matters (\S+) times", done.out))
    assert rnn < lstm / 10, "gradients of the RNN vanish more quickly"
    assert done.figures["flow_lstm"] > 0.5, "it keeps what came first"


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("16_recurrent")
    assert figures["lstm"] < figures["usual"] / 100
    assert figures["rnn"] > figures["usual"] / 2
    assert figures["differ"] < 1e-5
