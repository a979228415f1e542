"""A short, seeded part of the fuzzer (`tests.fuzz`), and errors planted to see that it finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import minigrad
from tests.fuzz.oracles import DIFFERENCES, Disagreement, check_differences, compare, draw_program
from tests.fuzz.program import script
from tests.fuzz.shrink import shrink


def shown(lines: list[str], found: Disagreement) -> str:
    return f"\n{script(lines)}\n{found.kind}\n{found.text}"


@pytest.mark.parametrize("part", range(8))
def test_programs_have_the_gradients_of_finite_differences(part: int) -> None:
    for seed in range(25 * part, 25 * (part + 1)):
        lines = draw_program(seed, minigrad, smooth=True)
        found = check_differences(lines)
        assert found is None, shown(*shrink(lines, found, check_differences))


@pytest.mark.parity
@pytest.mark.parametrize("part", range(16))
def test_programs_do_what_they_do_in_pytorch(part: int) -> None:
    torch = pytest.importorskip("torch")

    def check(lines: list[str]) -> Disagreement | None:
        return compare(lines, torch)

    for seed in range(40 * part, 40 * (part + 1)):
        lines = draw_program(seed, torch)
        found = check(lines)
        assert found is None, shown(*shrink(lines, found, check))


def test_differences_that_are_passed_over_are_documented() -> None:
    documented = (Path(__file__).parent.parent / "docs/differences.md").read_text()
    for difference in DIFFERENCES:
        assert f"\n| {difference.row}" in documented


def test_a_planted_error_is_found_and_made_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that nobody tracks: the write to it does not reach the gradient of what it is a view of."""
    squeeze = minigrad.Tensor.unsqueeze

    def untracked(t: Any, dim: int) -> Any:
        made = squeeze(t, dim)
        made._base, made._view = None, ()
        return made

    monkeypatch.setattr(minigrad.Tensor, "unsqueeze", untracked)
    lines = ["v0 = leaf((2,), 'float64', 1, grad=True)", "v1 = v0 * 2", "v2 = v1.exp()", "v3 = v1.unsqueeze(0)", "v3.mul_(3)",
             "(v1.sum() + v2.sum()).backward()"]
    found = check_differences(lines)
    assert found is not None
    shorter, again = shrink(lines, found, check_differences)
    assert again.kind == "gradient"
    assert shorter == [lines[0], lines[1], lines[3], lines[4], "(v1.sum()).backward()"]
