from __future__ import annotations

import re

import pytest

from tests.course.conftest import Run


@pytest.mark.parametrize("digit", [3, 7])
def test_quick(run: Run, digit: int) -> None:
    done = run("11_convolution_as_matrix", "--digit", str(digit))
    assert done.figures["largest_difference"] < 1e-12
    differences = [float(found) for found in re.findall(r"differ by at most (\S+)", done.out)]
    assert len(differences) == 6 * 4
    assert max(differences) < 1e-12
    assert "2,304 entries, 216 of them not 0, and 9 different ones" in done.out
