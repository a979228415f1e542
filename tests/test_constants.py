"""No rule is not a constant: what has no derivative says so when it requires grad, and what has one gives it."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import gradcheck, gradgradcheck
from minigrad.errors import DtypeError, GraphError
from minigrad.ops.neural.loss import cross_entropy_of_classes

F = mg.nn.functional


def random(*shape: int, low: float = 0.5, requires_grad: bool = True) -> Any:
    rng = np.random.default_rng(sum(shape))
    return mg.tensor(rng.uniform(low, 2, shape), requires_grad=requires_grad)


def number() -> Any:
    return mg.tensor(0.5, requires_grad=True)


X = random(4, 3, requires_grad=False)
CLASSES = mg.tensor([0, 2, -100, 1])

REFUSED: dict[str, tuple[str, Callable[[], Any]]] = {
    "zeta": ("'input'", lambda: mg.special.zeta(random(3) + 1, 2.0)),
    "degrees of a polynomial": ("'n'", lambda: mg.special.legendre_polynomial_p(X, random(3))),
    "geqrf": ("'input'", lambda: mg.geqrf(random(3, 3))),
    "ldl_factor": ("'A'", lambda: mg.linalg.ldl_factor(random(3, 3))),
    "ldl_solve": ("'LD'", lambda: mg.linalg.ldl_solve(random(2, 2), mg.tensor([1, 2]), mg.ones(2, 1).double())),
    "pinv": ("'rtol'", lambda: mg.linalg.pinv(X, rtol=number())),
    "histogram": ("'input'", lambda: mg.histogram(random(3), 2)),
    "histogram's weight": ("'weight'", lambda: mg.histogram(X, 2, weight=random(4, 3))),
    "histogramdd": ("'input'", lambda: mg.histogramdd(random(4, 2), [2, 2])),
    "histogramdd's edges": ("'bins'", lambda: mg.histogramdd(X[:, :2], [random(3), random(3)])),
    "batch_norm, training": ("'running_mean'", lambda: F.batch_norm(X, random(3), None, training=True)),
    "batch_norm, evaluating": ("'running_var'", lambda: F.batch_norm(X, X[0], random(3))),
    "instance_norm": ("'running_mean'", lambda: F.instance_norm(X[None], random(4), None)),
    "full": ("'fill_value'", lambda: mg.full((2,), number())),
    "full_like": ("'fill_value'", lambda: mg.full_like(X, number())),
    "arange": ("'end'", lambda: mg.arange(number())),
    "a setting that is multiplied by": ("setting", lambda: mg.add(X, X, alpha=number())),
    "a setting that is read as a number": ("setting", lambda: F.leaky_relu(X, number())),
    "a setting that is read as an array": ("setting", lambda: F.threshold(X, 1.0, number())),
    "a setting of several results": ("setting", lambda: mg.var_mean(X, correction=number())),
    "a setting of padding": ("setting", lambda: F.pad(X, (1, 1), value=number())),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_derivative_refuses_a_gradient_and_names_the_argument(name: str) -> None:
    argument, call = REFUSED[name]
    with pytest.raises(GraphError, match=argument) as raised:
        call()
    assert isinstance(raised.value, RuntimeError)


@pytest.mark.parametrize("name", [name for name, (said, _) in REFUSED.items() if said != "setting"])
def test_without_recording_nothing_is_refused(name: str) -> None:
    with mg.no_grad():
        if name == "batch_norm, training":
            F.batch_norm(X, random(3), random(3), training=True)
        elif name == "instance_norm":
            F.instance_norm(X[None], random(4), random(4))
        else:
            REFUSED[name][1]()


def test_the_refusal_says_what_would_be_right() -> None:
    said = ("geqrf: not differentiable with respect to argument 'input', which requires grad; give input.detach(), or call it "
            "under `with minigrad.no_grad():`")
    with pytest.raises(GraphError) as raised:
        mg.geqrf(random(3, 3))
    assert str(raised.value) == said


def test_floats_in_the_place_of_integers_are_named() -> None:
    with pytest.raises(DtypeError, match="'target' to hold integers or booleans, but got minigrad.float64"):
        cross_entropy_of_classes(X, random(4))


LOSSES: dict[str, tuple[tuple[int, ...], Callable[[Any, Any, str], Any]]] = {
    "cross_entropy": ((3,), lambda x, w, r: F.cross_entropy(x, CLASSES, weight=w, reduction=r)),
    "cross_entropy, smoothed": ((3,), lambda x, w, r: F.cross_entropy(x, CLASSES, weight=w, reduction=r, label_smoothing=0.2)),
    "cross_entropy of probabilities": ((3,), lambda x, w, r: F.cross_entropy(x, X / 6, weight=w, reduction=r)),
    "nll_loss": ((3,), lambda x, w, r: F.nll_loss(x.log_softmax(1), CLASSES, weight=w, reduction=r)),
    "nll_loss of pictures": ((3,), lambda x, w, r: F.nll_loss(x.reshape(2, 3, 2), CLASSES.reshape(2, 2), weight=w, reduction=r)),
    "nll_loss of one sample": ((3,), lambda x, w, r: F.nll_loss(x[0], CLASSES[1], weight=w, reduction=r)),
    "binary_cross_entropy": ((4, 3), lambda x, w, r: F.binary_cross_entropy(x.sigmoid(), X / 2, weight=w, reduction=r)),
    "its logits": ((3,), lambda x, w, r: F.binary_cross_entropy_with_logits(x, X / 2, weight=w, reduction=r)),
    "its positives": ((3,), lambda x, w, r: F.binary_cross_entropy_with_logits(x, X / 2, pos_weight=w, reduction=r)),
    "multi_margin_loss": ((3,), lambda x, w, r: F.multi_margin_loss(x, CLASSES.abs() % 3, weight=w, p=2, reduction=r)),
    "multilabel_soft_margin_loss": ((3,), lambda x, w, r: F.multilabel_soft_margin_loss(x, X / 2, weight=w, reduction=r)),
    "mse_loss": ((4, 3), lambda x, w, r: F.mse_loss(x, X, weight=w, reduction=r)),
}


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("name", LOSSES)
def test_the_weight_of_a_loss_has_a_gradient_of_every_order(name: str, reduction: str) -> None:
    shape, loss = LOSSES[name]
    inputs = (random(4, 3, low=-1.0), random(*shape))
    assert gradcheck(lambda x, w: loss(x, w, reduction), inputs)
    assert gradgradcheck(lambda x, w: loss(x, w, reduction), inputs)


def test_the_mean_over_weights_in_half_precision_holds_a_large_batch() -> None:
    """The sum of 70,000 ones is more than float16 can hold."""
    scores = mg.zeros(70_000, 2, dtype=mg.float16, requires_grad=True)
    F.nll_loss(scores, mg.zeros(70_000, dtype=mg.int64)).backward()
    assert scores.grad is not None
    assert np.allclose(scores.grad.numpy()[:, 0], -1 / 70_000, rtol=0.01)


def test_unique_elements_share_the_gradient_of_the_one_that_stands_for_them() -> None:
    x = mg.tensor([3.0, 1.0, 3.0, 2.0], requires_grad=True)
    (mg.unique(x) * mg.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [50.0, 1.0, 50.0, 10.0]


def test_bincount_and_heaviside_have_gradients() -> None:
    w = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (mg.bincount(mg.tensor([0, 2, 0]), w) * mg.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert w.grad.tolist() == [1.0, 100.0, 1.0]
    x, v = (mg.tensor(values, requires_grad=True) for values in ([-1.0, 0.0, 2.0], [5.0, 6.0, 7.0]))
    mg.heaviside(x, v).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0] and v.grad.tolist() == [0.0, 1.0, 0.0]


def test_bessel_functions_and_polynomials_have_gradients_of_every_order_also_where_formulas_divide_by_zero() -> None:
    x = mg.tensor([0.0, 0.3, 1.0], dtype=mg.float64, requires_grad=True)
    n = mg.tensor(4)
    for function in (mg.special.bessel_j1, mg.special.spherical_bessel_j0, mg.special.airy_ai,
                     lambda t: mg.special.chebyshev_polynomial_t(t, n), lambda t: mg.special.legendre_polynomial_p(t, n),
                     lambda t: mg.special.laguerre_polynomial_l(t, n)):
        assert gradcheck(function, x) and gradgradcheck(function, x)
    second = mg.autograd.functional.hessian(lambda t: mg.special.spherical_bessel_j0(t).sum(), mg.zeros(1, dtype=mg.float64))
    assert np.allclose(second.numpy(), -1 / 3)
