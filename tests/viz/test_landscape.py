"""A loss on a plane: its numbers are the loss's, the path lies where it was, and the parameters stay what they were."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.viz.landscapes import FORMATS, levels_of


def bowl(w: Any) -> Any:
    return lambda: w[0] ** 2 + 4 * w[1] ** 2


def test_two_numbers_are_the_axes() -> None:
    w = mg.tensor([0.5, -0.25], requires_grad=True)
    made = viz.landscape(bowl(w), w, span=((-1, 1), (-2, 2)), points=5)
    assert np.allclose(made.values, made.x[None, :] ** 2 + 4 * made.y[:, None] ** 2)
    assert made.labels == ("first parameter", "second parameter")
    assert w.tolist() == [0.5, -0.25] and w.requires_grad and w.grad is None
    around = viz.landscape(bowl(w), w, span=2.0, points=3)
    assert (around.x[[0, -1]].tolist(), around.y[[0, -1]].tolist()) == ([-1.5, 2.5], [-2.25, 1.75])
    two = [mg.tensor(1.0, requires_grad=True), mg.tensor(2.0, requires_grad=True)]
    assert viz.landscape(lambda: two[0] * two[1], two, points=3).values[1, 1] == pytest.approx(2.0)


def model_and_path() -> tuple[Any, Any, list[Any]]:
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = mg.optim.SGD(model.parameters(), lr=0.2)
    x, y = mg.randn(8, 3), mg.randn(8, 1)
    path = []
    for _ in range(6):
        path.append([p.detach().clone() for p in model.parameters()])
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    path.append([p.detach().clone() for p in model.parameters()])
    return model, lambda: nn.functional.mse_loss(model(x), y), path


def test_a_path_is_seen_where_it_is_longest() -> None:
    model, loss_fn, path = model_and_path()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    made = viz.landscape(loss_fn, model.parameters(), path=path, points=7)
    assert made.path.shape == (7, 2) and np.allclose(made.path[-1], 0)
    assert made.path[:, 0].min() > made.x[0] and made.path[:, 0].max() < made.x[-1]
    assert np.ptp(made.path[:, 0]) > np.ptp(made.path[:, 1])
    assert "main direction of the path (" in made.labels[0]
    assert all((model.state_dict()[k] == v).all() for k, v in before.items())


def test_the_origin_has_the_loss_of_the_parameters() -> None:
    model, loss_fn, _ = model_and_path()
    for directions in (None, "random", [[mg.randn(*p.shape) for p in model.parameters()] for _ in range(2)]):
        made = viz.landscape(loss_fn, model.parameters(), directions, points=5)
        assert made.values[2, 2] == pytest.approx(loss_fn().item(), rel=1e-5)
        assert made.values.shape == (5, 5) and len(made.path) == 0


def test_random_directions_are_as_long_as_the_filters() -> None:
    from minigrad.viz.landscapes import random_direction
    weight = mg.randn(4, 3, 2, 2)
    drawn = random_direction([weight, mg.ones(4)])
    lengths = np.linalg.norm(drawn[:48].reshape(4, -1), axis=1)
    assert np.allclose(lengths, np.linalg.norm(weight.numpy().reshape(4, -1), axis=1))
    assert not drawn[48:].any(), "biases stay"


def test_the_parameters_are_put_back_when_the_loss_fails() -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ZeroDivisionError):
        viz.landscape(lambda: 1 / 0, w)
    assert w.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("arguments", "error", "said"), [
    ({"params": [mg.ones(2, dtype=mg.int64)]}, TypeError, "must be a floating-point Tensor or some of them"),
    ({"params": []}, TypeError, "got none"),
    ({"points": 2}, ValueError, "'points' must be at least 3, got 2"),
    ({"directions": "best"}, ValueError, "must be 'random', 'pca' or two directions .* got 'best'"),
    ({"directions": "pca"}, ValueError, "needs a path of at least 3 steps, got 0"),
    ({"directions": [mg.ones(2)]}, ValueError, "'directions' must be two, got 1"),
    ({"directions": [mg.ones(3), mg.ones(3)]}, ValueError, r"'directions' must have the shapes of the parameters, \[\(2,\)\]"),
    ({"path": [mg.ones(3)]}, ValueError, "'path' must have the shapes of the parameters"),
    ({"span": -1.0}, ValueError, "'span' must be greater than 0, got -1.0"),
    ({"loss_fn": lambda: mg.ones(2)}, ValueError, r"'loss_fn' must return one number, got one of shape \[2\]")])
def test_bad_arguments_are_named(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(error, match=said):
        viz.landscape(**{"loss_fn": bowl(w), "params": w, **arguments})


@pytest.mark.parametrize("form", FORMATS)
def test_forms(form: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    made = viz.landscape(bowl(w), w, path=[w.detach() * k for k in (3, 2, 1)], points=5)
    path = tmp_path / f"l.{form}"
    assert made.save(path) == str(path)
    assert path.read_bytes().startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[form])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with pytest.raises(ValueError, match=r"one of \.png, \.svg, \.pdf; got"):
        made.save(tmp_path / "l.html")


@pytest.mark.parametrize("loss", [lambda: 1.0, lambda: math.nan, lambda: math.inf])
def test_flat_and_infinite_losses_are_drawn(loss: Any) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    made = viz.landscape(loss, w, points=3)
    assert made.image("png").startswith(b"\x89PNG") and "landscape of 3×3" in repr(made)


def test_matplotlib_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    made = viz.landscape(bowl(w), w, points=3)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'matplotlib, which is not installed: pip install "minigrad-numpy\[demo\]"'):
        made.save(tmp_path / "l.png")


def test_contours_rise() -> None:
    levels = levels_of(np.array([1.0, 1.5, 2.0, 100.0]))
    assert (np.diff(levels) > 0).all() and levels[-1] == pytest.approx(100)
