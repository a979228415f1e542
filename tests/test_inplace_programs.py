"""Random programs of views, in-place writes and slice assignments: their gradients against central differences of the program
itself, and, where PyTorch is installed, values and gradients against PyTorch."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import minigrad as mg

INSTRUCTIONS: list[Any] = [
    lambda t, s, a, b: t.reshape(-1), lambda t, s, a, b: t.transpose(0, -1), lambda t, s, a, b: t[1:], lambda t, s, a, b: t[0],
    lambda t, s, a, b: t.diagonal(), lambda t, s, a, b: t[..., ::2], lambda t, s, a, b: t.unsqueeze(0),
    lambda t, s, a, b: t * t, lambda t, s, a, b: t.detach(),
    lambda t, s, a, b: t.mul_(1.3), lambda t, s, a, b: t.mul_(b),
    lambda t, s, a, b: t.add_(s.sum()), lambda t, s, a, b: t.add_(s),
    lambda t, s, a, b: t.__setitem__(0, s.sum()), lambda t, s, a, b: t.__setitem__((Ellipsis, 0), b.sum()),
    lambda t, s, a, b: t.__setitem__(t > 1.0, t[t > 1.0] * 0.5), lambda t, s, a, b: t.copy_(s), lambda t, s, a, b: t.zero_(),
    lambda t, s, a, b: t.sigmoid_(), lambda t, s, a, b: t.fill_(2.0),
]


def program_of(seed: int) -> list[tuple[Any, float, float]]:
    dice = random.Random(seed)
    return [(dice.choice(INSTRUCTIONS), dice.random(), dice.random()) for _ in range(dice.randint(3, 9))]


CONSTANT = np.linspace(0.6, 1.4, 12).reshape(3, 4)


def run(lib: Any, program: list[tuple[Any, float, float]], x: Any, y: Any) -> tuple[list[Any], Any, Any, list[int]]:
    """The tensors a program leaves behind, its two leaves, and which of its instructions could be carried out."""
    a, b = lib.tensor(x, requires_grad=True), lib.tensor(y, requires_grad=True)
    tensors = [a * 1.0, lib.tensor(CONSTANT)]
    done = []
    for k, (instruction, one, other) in enumerate(program):
        t, s = tensors[int(one * len(tensors))], tensors[int(other * len(tensors))]
        try:
            made = instruction(t, s, a, b)
        except (RuntimeError, IndexError, TypeError, ValueError):
            continue  # shapes that do not fit
        done.append(k)
        if made is not None and made is not t:
            tensors.append(made)
    return tensors, a, b, done


def total(tensors: list[Any]) -> Any:
    result = tensors[0].sum() * 0.0
    for k, t in enumerate(tensors):
        result = result + (t * (k + 1)).sum()
    return result


def leaves(seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0.5, 1.5, (3, 4)), rng.uniform(0.5, 1.5, 4)


def gradients(lib: Any, seed: int) -> tuple[list[Any], list[Any], list[int]] | None:
    """Values and gradients, or None for a program whose graph refuses to be differentiated (a saved value was overwritten)."""
    tensors, a, b, done = run(lib, program_of(seed), *leaves(seed))
    try:
        total(tensors).backward()
    except RuntimeError:
        return None
    return ([t.detach().numpy().copy() for t in tensors],
            [np.zeros(tuple(t.shape)) if t.grad is None else t.grad.numpy() for t in (a, b)], done)


@pytest.mark.parametrize("start", range(0, 200, 25))
def test_gradients_are_the_slopes_of_the_program(start: int) -> None:
    checked = 0
    for seed in range(start, start + 25):
        found = gradients(mg, seed)
        if found is None or any(i in (t for t, _, _ in program_of(seed)) for i in INSTRUCTIONS[8:9]):
            continue  # detach makes slopes and gradients differ, as it should
        program = program_of(seed)
        points = list(leaves(seed))
        for which, gradient in enumerate(found[1]):
            for place in np.ndindex(gradient.shape):
                values = []
                for step in (1e-6, -1e-6):
                    moved = [p.copy() for p in points]
                    moved[which][place] += step
                    values.append(float(total(run(mg, program, *moved)[0]).detach()))
                slope = (values[0] - values[1]) / 2e-6
                allowed = 1e-4 * max(1.0, abs(values[0]) * 1e-3)
                assert gradient[place] == pytest.approx(slope, rel=1e-4, abs=allowed), f"seed {seed}"
        checked += 1
    assert checked >= 8


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch itself
def test_values_and_gradients_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    compared = 0
    for seed in range(400):
        theirs = gradients(torch, seed)
        if theirs is None:
            continue
        ours = gradients(mg, seed)
        assert ours is not None, f"seed {seed}"
        if ours[2] != theirs[2]:
            continue  # PyTorch refuses some writes to overlapping memory
        for one, other in zip((*ours[0], *ours[1]), (*theirs[0], *theirs[1])):
            np.testing.assert_allclose(one, other, rtol=1e-6, err_msg=f"seed {seed}")
        compared += 1
    assert compared > 150
