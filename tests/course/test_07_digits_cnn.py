"""A convolutional network reads digits, and so does another with its weights."""

from __future__ import annotations

import re
from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("07_digits_cnn")
    assert done.figures["accuracy"] > 0.7
    new, = re.findall(r"a new network reads ([\d.]+)%", done.out)
    assert float(new) < 40
    assert "it reads the same: True" in done.out


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    assert measured("07_digits_cnn")["accuracy"] >= 0.99
