"""What the table of operations does not say of the pointwise ones: kinks, dtypes, numbers on either side, silence."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import functional as F
from minigrad.ops.pointwise import special


def gradient(function, *values):
    """The derivatives of `function` at the numbers `values`."""
    tensors = [mg.tensor(v, dtype=mg.float64, requires_grad=True) for v in values]
    function(*tensors).backward()
    return [t.grad.item() for t in tensors]


# ---------------------------------------------------------------------------------------------------- kinks

@pytest.mark.parametrize(("function", "at", "expected"), [
    (F.relu, 0.0, 0), (F.relu6, 0.0, 0), (F.relu6, 6.0, 0), (F.hardtanh, -1.0, 0), (F.hardtanh, 1.0, 0),
    (F.leaky_relu, 0.0, 0.01), (F.elu, 0.0, 1), (F.selu, 0.0, 1.6732632423543772 * 1.0507009873554805), (F.celu, 0.0, 1),
    (F.hardsigmoid, 3.0, 0), (F.hardsigmoid, -3.0, 0), (F.hardswish, 3.0, 1), (F.hardswish, -3.0, 0),
    (F.softshrink, 0.5, 0), (F.hardshrink, -0.5, 0), (mg.abs, 0.0, 0), (mg.sign, 0.0, 0), (mg.floor, 1.0, 0),
    (lambda x: mg.clamp(x, -1, 1), 1.0, 1), (lambda x: mg.clamp(x, -1, 1), -1.0, 1), (lambda x: F.threshold(x, 1.0, 0.0), 1.0, 0),
    (lambda x: x ** 0, 0.0, 0), (mg.sinc, 0.0, 0), (mg.nan_to_num, float("inf"), 0)])
def test_the_derivative_at_a_kink_is_the_documented_one(function, at, expected):
    assert gradient(function, at) == [pytest.approx(expected)]


@pytest.mark.parametrize("function", [mg.maximum, mg.minimum])
def test_equal_elements_share_the_gradient(function):
    assert gradient(function, 2.0, 2.0) == [0.5, 0.5]
    assert gradient(function, float("nan"), 2.0) == [1.0, 1.0]


@pytest.mark.parametrize("function", [mg.fmax, mg.fmin])
def test_of_equal_elements_the_first_has_the_gradient_and_nan_has_none(function):
    assert gradient(function, 2.0, 2.0) == [1.0, 0.0]
    assert gradient(function, float("nan"), 2.0) == [0.0, 1.0]


def test_bounds_that_are_tensors_share_by_who_decides():
    def slopes(x, low, high):
        return gradient(lambda x, low, high: mg.clamp(x, low, high), x, low, high)
    assert slopes(0.5, 0.0, 1.0) == [1, 0, 0]
    assert slopes(-1.0, 0.0, 1.0) == [0, 1, 0]
    assert slopes(2.0, 0.0, 1.0) == [0, 0, 1]
    assert slopes(0.5, 1.0, 0.0) == [0, 0, 1]


def test_what_where_does_not_choose_gets_zero_even_where_its_slope_is_infinite():
    x = mg.tensor([0.0, 4.0], requires_grad=True)
    mg.where(x > 0, x, 0.0).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]
    assert gradient(lambda x, y: mg.atan2(x, y), 0.0, 0.0) == [0.0, 0.0]
    assert gradient(mg.pow, 0.0, 2.0) == [0.0, 0.0]
    assert gradient(mg.xlogy, 0.0, 0.0)[0] == 0.0


# ---------------------------------------------------------------------------------------------------- dtypes and numbers

def test_division_of_integers_gives_the_default_floating_type():
    a = mg.tensor([7, -7])
    assert (a / 2).dtype is mg.float32
    assert (a // 2).tolist() == [3, -4] and (a // 2).dtype is mg.int64
    assert mg.div(a, 2, rounding_mode="trunc").tolist() == [3, -3]
    assert (a % 3).tolist() == [1, 2] and mg.fmod(a, 3).tolist() == [1, -1]
    with pytest.raises(RuntimeError, match="rounding_mode"):
        mg.div(a, 2, rounding_mode="up")


def test_numbers_stand_on_either_side():
    x = mg.tensor([1.0, 2.0, 4.0])
    assert (8 / x).tolist() == [8, 4, 2] and (1 - x).tolist() == [0, -1, -3]
    assert (2 ** x).tolist() == [2, 4, 16] and (x ** 2).tolist() == [1, 4, 16] and (x ** -1).tolist() == [1, 0.5, 0.25]
    assert (9 % x).tolist() == [0, 1, 1] and (9 // x).tolist() == [9, 4, 2]
    assert (mg.tensor([1, 2]) ** 2.0).dtype is mg.float32 and (mg.tensor([1, 2]) + 1.5).dtype is mg.float32
    assert (mg.tensor([1.0], dtype=mg.float64) * 2).dtype is mg.float64
    assert (x == None).__class__ is bool  # noqa: E711


def test_powers_of_integers():
    x = mg.tensor([2, 1, -1, 3])
    assert (x ** mg.tensor([-1, -1, -3, 2])).tolist() == [0, 1, -1, 9]
    assert (x ** 3).tolist() == [8, 1, -1, 27] and (x ** 3).dtype is mg.int64
    with pytest.raises(RuntimeError, match="negative integer powers"):
        x ** -2


@pytest.mark.parametrize("exponent", [-2, -1, 0, 0.5, 1, 2, 3, 4, 5, 2.5])
def test_powers_by_multiplication_are_powers(exponent):
    x = mg.tensor([0.5, 1.5, 2.0], dtype=mg.float64, requires_grad=True)
    y = x ** exponent
    np.testing.assert_allclose(y.detach().numpy(), np.power(x.detach().numpy(), exponent), rtol=1e-14)
    assert mg.autograd.gradcheck(lambda x: x ** exponent, (x,))


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: mg.maximum(x, 1.0), r"maximum\(\): argument 'other' must be a Tensor, not float"),
    (lambda x: mg.gt(1.0, x), r"gt\(\): argument 'input' must be a Tensor"),
    (lambda x: mg.equal(x, 1.0), r"equal\(\): argument 'other' must be a Tensor"),
    (lambda x: mg.ldexp(2, x), r"ldexp\(\): argument 'input' must be a Tensor"),
    (lambda x: mg.add(x, "1"), r"add\(\): argument 'other' must be a Tensor, not str")])
def test_a_number_is_refused_where_pytorch_refuses_it(call, message):
    with pytest.raises(TypeError, match=message):
        call(mg.tensor([1.0]))


def test_clamp_wants_a_bound():
    with pytest.raises(RuntimeError, match="At least one of 'min' or 'max' must not be None"):
        mg.clamp(mg.tensor([1.0]))


def test_where_wants_booleans():
    with pytest.raises(RuntimeError, match="expected condition to be a boolean tensor"):
        mg.where(mg.tensor([1, 0]), 1.0, 2.0)
    assert [i.tolist() for i in mg.where(mg.tensor([[0, 2], [3, 0]]))] == [[0, 1], [1, 0]]
    assert mg.where(mg.tensor([True, False]), 1, 2.5).tolist() == [1.0, 2.5]


# ---------------------------------------------------------------------------------------------------- in place

def test_in_place_forms_of_composed_functions():
    x = mg.tensor([7.0, -7.0])
    assert x.div_(2, rounding_mode="floor") is x and x.tolist() == [3, -4]
    assert x.clamp_(min=0).tolist() == [3, 0] and x.pow_(2).tolist() == [9, 0]
    x += 1
    x **= 2
    assert x.tolist() == [100, 1]
    with pytest.raises(RuntimeError, match="can't be cast"):
        mg.tensor([1]).div_(2)


# ---------------------------------------------------------------------------------------------------- silence and precision

def test_overflow_and_division_by_zero_are_silent_and_leave_numpys_settings_alone():
    before = np.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = mg.tensor([0.0, -1.0, 3e38], requires_grad=True)
        y = x * x * 10 + 1 / x + x.log() + x / 0
        y.sum().backward()
        assert not mg.isfinite(x.grad[0])
    assert np.geterr() == before


def test_the_error_function_without_scipy(monkeypatch):
    expected = mg.erf(mg.linspace(-7, 7, 1001, dtype=mg.float64)).numpy()
    x = np.linspace(-7, 7, 1001)
    np.testing.assert_allclose(special.erf_by_series(x), expected, rtol=1e-15, atol=1e-15)
    edges = special.erf_by_series(np.array([np.inf, -np.inf, -0.0, np.nan]))
    assert edges[:2].tolist() == [1, -1] and np.signbit(edges[2]) and np.isnan(edges[3])

    def missing(self):
        raise ImportError
    monkeypatch.setattr(mg._arrays.library.NumpyLibrary, "special", missing)
    np.testing.assert_allclose(mg.erf(mg.tensor(x)).numpy(), expected, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(F.gelu(mg.tensor(x)).numpy(), x * (1 + special.erf_by_series(x / np.sqrt(2))) / 2, rtol=1e-12)
    with pytest.raises(ImportError):
        mg.lgamma(mg.tensor(x))


def test_gelu_in_float32_is_as_exact_as_its_probability_can_be():
    """That is a float32 near 1; gelu is x times it. PyTorch's is no nearer."""
    here = mg.linspace(-12, 12, 80001, requires_grad=True)
    x = here.detach().double().requires_grad_()
    exact, found = F.gelu(x), F.gelu(here)
    assert ((found - exact).abs() <= x.abs() * 2e-7 + 1e-9).all()
    exact.sum().backward()
    found.sum().backward()
    assert ((here.grad - x.grad).abs() < 3e-7).all()
    ends = mg.tensor([-mg.inf, -1e30, -100.0, 0.0, 100.0, 1e30, mg.inf])
    assert F.gelu(ends)[1:].tolist() == [0, 0, 0, 100, mg.tensor(1e30).item(), mg.inf]
    assert F.gelu(ends.double())[1:].float().tolist() == F.gelu(ends)[1:].tolist() and F.gelu(ends)[0].isnan()


# ---------------------------------------------------------------------------------------------------- calls of former versions

@pytest.mark.parametrize(("name", "former", "new"), [
    ("add", lambda f, x, a, b: f(x, 2.0, a), lambda f, x, a, b: f(x, a, alpha=2.0)),
    ("sub", lambda f, x, a, b: f(x, 2, a), lambda f, x, a, b: f(x, a, alpha=2)),
    ("addcmul", lambda f, x, a, b: f(x, 2.0, a, b), lambda f, x, a, b: f(x, a, b, value=2.0)),
    ("addcdiv", lambda f, x, a, b: f(x, -2.0, a, b), lambda f, x, a, b: f(x, a, b, value=-2.0))])
def test_the_number_may_come_first_as_in_pytorchs_first_versions(name: str, former: Any, new: Any) -> None:
    """Optimizers of that time step by ``p.data.addcdiv_(-lr, mean, root)``."""
    a, b = mg.tensor([3.0, 4.0], requires_grad=True), mg.tensor([5.0, 7.0])
    for function in (getattr(mg, name), lambda x, *args, **settings: getattr(x.clone(), f"{name}_")(*args, **settings)):
        with pytest.warns(UserWarning, match=f"overload of {name} is deprecated"):
            found = former(function, mg.ones(2), a, b)
        expected = new(function, mg.ones(2), a, b)
        assert found.tolist() == expected.tolist()
        assert mg.autograd.grad(found.sum(), a)[0].tolist() == mg.autograd.grad(expected.sum(), a)[0].tolist()


def test_two_numbers_make_a_tensor_where_numbers_are_added_or_multiplied() -> None:
    for name, expected in (("add", 9.5), ("sub", 5.5), ("mul", 15.0), ("div", 3.75), ("true_divide", 3.75), ("floor_divide", 3.)):
        found = getattr(mg, name)(7.5, 2)
        assert found.item() == expected and found.dtype is mg.float32 and found.shape == ()
    assert mg.add(1, 2).dtype is mg.int64 and mg.mul(True, True).dtype is mg.bool and mg.add(1, 2j).dtype is mg.complex64
    assert mg.div(7, 2, rounding_mode="trunc").item() == 3 and mg.div(-7, 2, rounding_mode="floor").item() == -4
    with pytest.raises(TypeError, match="must be a Tensor, not int"):
        mg.maximum(1, 2)


@pytest.mark.parametrize("kind", "tuvw")
def test_shifted_polynomials_of_unsigned_integers_do_not_wrap_around(kind: str) -> None:
    function = getattr(mg.special, f"shifted_chebyshev_polynomial_{kind}")
    for n in (1, 2, 5):
        np.testing.assert_allclose(function(mg.tensor([0, 1, 3], dtype=mg.uint8), n).numpy(),
                                   function(mg.tensor([0., 1., 3.]), n).numpy(), rtol=1e-5)
