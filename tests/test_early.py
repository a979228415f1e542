"""Leaves that are finished while the backward pass still runs."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.autograd import Function
from minigrad.autograd.early import finish_early, requests


class Owner:
    """Who asks."""


class Note(Function):
    """The identity, whose derivative notes which parameters have a gradient when it is computed."""

    @staticmethod
    def forward(ctx: Any, x: Any, parameters: Any, seen: list[list[bool]]) -> Any:
        ctx.parameters, ctx.seen = parameters, seen
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        ctx.seen.append([p.grad is not None for p in ctx.parameters])
        return g, None, None


def run(model: Any, ask: bool) -> tuple[list[list[bool]], list[Any]]:
    """Which of the parameters had a gradient when the activations between layers were differentiated, and all gradients."""
    model.zero_grad()
    parameters, seen, owner = list(model.parameters()), [], Owner()
    if ask:
        finish_early(parameters, owner)
    x = mg.ones(2, 3)
    for layer in model:
        x = Note.apply(layer(x), parameters, seen)
    (x * x).sum().backward()
    return seen, [p.grad for p in parameters]


def test_each_is_finished_when_its_last_gradient_has_arrived() -> None:
    model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(3)])
    late, expected = run(model, ask=False)
    assert not any(map(any, late)) and not requests
    seen, found = run(model, ask=True)
    assert seen == [[False] * 6, [False] * 4 + [True] * 2, [False] * 2 + [True] * 4]
    for a, b in zip(found, expected):
        mg.testing.assert_close(a, b, rtol=0, atol=0)
    assert not requests, "who asked is gone"
    assert run(model, ask=False)[0] == late


def test_one_that_is_used_twice_waits_for_the_older_use() -> None:
    layer = nn.Linear(3, 3)
    model, last = nn.Sequential(layer, nn.Linear(3, 3), layer), nn.Linear(3, 3)
    seen, found = run(nn.Sequential(model, last), ask=True)
    assert seen[-1] == [False, False, False, False, True, True]
    _, expected = run(nn.Sequential(model, last), ask=False)
    for a, b in zip(found, expected):
        mg.testing.assert_close(a, b, rtol=0, atol=0)


def test_its_gradient_may_be_written_while_the_pass_runs() -> None:
    """The gradient of `b` is that of `x` too: it flows on when `b` is finished."""
    x, b = mg.ones(3, requires_grad=True), mg.zeros(3, requires_grad=True)
    owner = Owner()
    finish_early([b], owner)
    b.register_post_accumulate_grad_hook(lambda leaf: leaf.grad.fill_(100))
    ((x * 2) + b).sum().backward()
    assert b.grad.tolist() == [100] * 3 and x.grad.tolist() == [2] * 3


def test_hooks_are_called_once_and_gradients_add_up() -> None:
    x, calls, owner = mg.ones(3, requires_grad=True), [], Owner()
    finish_early([x], owner)
    x.register_hook(lambda g: calls.append("gradient"))
    x.register_post_accumulate_grad_hook(lambda leaf: calls.append("accumulated"))
    for _ in range(2):
        (x * 3).sum().backward()
    assert calls == ["gradient", "accumulated"] * 2 and x.grad.tolist() == [6] * 3
    (x * 3).sum().backward(inputs=[x])
    gradient, = mg.autograd.grad((x**3).sum(), x, create_graph=True)
    gradient.sum().backward()
    assert x.grad.tolist() == [15] * 3


def test_an_exception_in_a_hook_ends_the_pass() -> None:
    x, owner = mg.ones(3, requires_grad=True), Owner()
    finish_early([x], owner)

    def fail(leaf: Any) -> None:
        raise ValueError("in the hook")
    handle = x.register_post_accumulate_grad_hook(fail)
    with pytest.raises(ValueError, match="in the hook"):
        (x * 3).sum().backward()
    handle.remove()
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3] * 3
