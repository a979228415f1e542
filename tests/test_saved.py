"""What a node saves is part of an operation's interface: a program may change in place, before the backward pass, whatever it
may change in PyTorch. The result of each declared operation is tested with the others (``tests/test_op_table.py``); here are
the lines that programs have."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import pytest

import minigrad
from minigrad import tensor
from minigrad.errors import InplaceError

F = minigrad.nn.functional


def leaves(t: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(4)
    return (t.tensor(rng.permutation(24).reshape(4, 6) / 12 + 0.1, dtype=t.float64, requires_grad=True),
            t.tensor(rng.uniform(0.5, 1.5, (4, 6)), dtype=t.float64, requires_grad=True))


# A call of a, b and the namespace, and which of its result "y" and its inputs "a" and "b" may be changed.
CALLS: dict[str, tuple[Callable[[Any, Any, Any], Any], str]] = {
    "a + b": (lambda t, a, b: a + b, "yab"),
    "a * b": (lambda t, a, b: a * b, "y"),
    "a / b": (lambda t, a, b: a / b, "y"),
    "a / 2": (lambda t, a, b: a / 2, "ya"),
    "1 / b": (lambda t, a, b: 1 / b, "y"),
    "a ** 2": (lambda t, a, b: a ** 2, "y"),
    "a @ b.T": (lambda t, a, b: a @ b.T, "y"),
    "exp": (lambda t, a, b: a.exp(), "a"),
    "log": (lambda t, a, b: b.log(), "ya"),
    "tanh": (lambda t, a, b: a.tanh(), "a"),
    "sigmoid": (lambda t, a, b: a.sigmoid(), "a"),
    "erfinv": (lambda t, a, b: (a / 4).erfinv(), "ya"),
    "softmax": (lambda t, a, b: a.softmax(-1), "a"),
    "normalize": (lambda t, a, b: t.nn.functional.normalize(a), "y"),
    "softsign": (lambda t, a, b: t.nn.functional.softsign(a), "y"),
    "local_response_norm": (lambda t, a, b: t.nn.functional.local_response_norm(a[None], 2), "y"),
    "layer_norm": (lambda t, a, b: t.nn.functional.layer_norm(a, (6,)), "y"),
    "topk": (lambda t, a, b: a.topk(2).values, "ya"),
    "sort": (lambda t, a, b: a.sort(0).values, "ya"),
    "msort": (lambda t, a, b: a.msort(), "ya"),
    "max(dim)": (lambda t, a, b: a.max(1).values, "ya"),
    "min(dim)": (lambda t, a, b: a.min(1).values, "ya"),
    "median(dim)": (lambda t, a, b: a.median(1).values, "ya"),
    "mode": (lambda t, a, b: a.mode(1).values, "ya"),
    "kthvalue": (lambda t, a, b: a.kthvalue(2).values, "ya"),
    "cummax": (lambda t, a, b: a.cummax(0).values, "ya"),
    "cummin": (lambda t, a, b: a.cummin(0).values, "ya"),
    "frexp": (lambda t, a, b: a.frexp().mantissa, "ya"),
    "slogdet": (lambda t, a, b: t.linalg.slogdet(a[:, :4] + 3 * t.eye(4, dtype=t.float64)).logabsdet, "ya"),
    "corrcoef": (lambda t, a, b: a.corrcoef(), "ya"),
    "cov": (lambda t, a, b: a.cov(), "ya"),
    "embedding_bag": (lambda t, a, b: t.nn.functional.embedding_bag(t.tensor([0, 2, 3]), a, t.tensor([0, 1]), mode="max"), "ya"),
}


def gradients(t: Any, call: Callable[[Any, Any, Any], Any], written: str) -> list[Any]:
    """The gradients of both leaves, with `written` changed in place between the call and the backward pass."""
    x, w = leaves(t)
    a, b = x * 1, w * 1
    y = call(t, a, b)
    if written:
        {"y": y, "a": a, "b": b}[written].mul_(1.5)
    (y * y.detach().cos()).sum().backward()
    return [leaf.grad if leaf.grad is None else leaf.grad.numpy() for leaf in (x, w)]


@pytest.mark.parametrize("name", CALLS)
def test_what_may_be_changed_after_a_call(name: str) -> None:
    call, free = CALLS[name]
    plain = gradients(minigrad, call, "")
    through_a_copy = gradients(minigrad, lambda t, a, b: call(t, a, b).clone(), "y")
    for written in "yab":
        if written in free:
            expected = through_a_copy if written == "y" else plain
            for found, want in zip(gradients(minigrad, call, written), expected):
                np.testing.assert_allclose(np.zeros(1) if found is None else found, np.zeros(1) if want is None else want)
    if "y" not in free:
        with pytest.raises(InplaceError, match="saved its result"):
            gradients(minigrad, call, "y")


@pytest.mark.parity
@pytest.mark.parametrize("name", CALLS)
def test_pytorch_lets_the_same_be_changed(name: str) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    call, _ = CALLS[name]
    for written in "yab":
        try:
            expected = gradients(torch, call, written)
        except RuntimeError:
            continue
        for found, want in zip(gradients(minigrad, call, written), expected):
            if want is not None:
                np.testing.assert_allclose(found, want, rtol=1e-9)


def test_routing_of_a_mixture_of_experts() -> None:
    scores = tensor([[0.3, 0.9, 0.2], [0.1, 0.2, 0.4]], requires_grad=True)
    weights, chosen = scores.softmax(-1).topk(2)
    weights /= weights.sum(-1, keepdim=True)
    (weights * tensor([[1.0, 3.0], [2.0, 5.0]])).sum().backward()
    again = scores.detach().requires_grad_()
    p = again.softmax(-1).gather(1, chosen)
    (p / p.sum(-1, keepdim=True) * tensor([[1.0, 3.0], [2.0, 5.0]])).sum().backward()
    minigrad.testing.assert_close(scores.grad, again.grad)


def test_a_changed_index_is_named() -> None:
    found = tensor([[3.0, 1.0]], requires_grad=True).max(1)
    found.indices.zero_()
    with pytest.raises(InplaceError, match=r"saved its result 'indices', of shape \(1,\), which zero_ at .* then changed"):
        found.values.sum().backward()


def test_saved_results_are_seen_by_name() -> None:
    node = tensor([[3.0, 1.0]], requires_grad=True).max(1).values.grad_fn
    assert node is not None and node._saved_indices.tolist() == [0]
    scale = tensor([[2.0, 1.0], [0.5, 3.0]], requires_grad=True)
    sign = minigrad.linalg.slogdet(scale).logabsdet.grad_fn._saved_sign
    assert sign.item() == 1.0 and sign.requires_grad
