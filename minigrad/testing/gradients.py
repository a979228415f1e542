"""One assertion for the derivatives of a function: against its values, or against another function that computes the same."""

from __future__ import annotations

from typing import Any, Callable

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad.autograd.gradcheck import GradcheckError
from minigrad.errors import ArgumentError
from minigrad.testing.comparison import assert_close

__all__ = ["assert_gradients_match"]


def assert_gradients_match(func: Callable[..., Any], *inputs: Any, expected: Callable[..., Any] | None = None,
                           order: int = 2, rtol: float | None = None, atol: float | None = None) -> None:
    """Raise ``AssertionError`` unless the derivatives of `func` at `inputs` are right.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors; or an ``nn.Module``, whose parameters are checked too.
        inputs: tensors of any dtype and other arguments. Floating and complex tensors are copied to double precision and
            differentiated with respect to; the rest is handed over as it is.
        expected: a function that computes the same in another way. With it values and gradients are compared with that
            function's. Without it the gradients are compared with what the values of `func` show: see
            :func:`minigrad.autograd.gradcheck`.
        order: 1 for first derivatives only, 2 for second ones too.
        rtol, atol: how far apart the two may be; by default those of ``gradcheck`` or, with `expected`, of ``assert_close``.

    Raises: ``AssertionError`` with the input, the index, both values and the likely cause.

    >>> import minigrad as mg
    >>> x = mg.tensor([0.5, 2.0])
    >>> mg.testing.assert_gradients_match(lambda t: t.log() * t, x)
    >>> mg.testing.assert_gradients_match(lambda t: t.log() + t.detach(), x)  # cut off where it should not be
    Traceback (most recent call last):
    AssertionError: Jacobian mismatch for output 0 with respect to input 0: the derivative of output[0] with respect to input \
0[0] is 2 by backward and 3 by the function's values (2 of 4 entries differ). Likely cause: a term of the rule that is wrong or \
missing.
    numerical:
    [[3.  0. ]
     [0.  1.5]]
    analytical:
    [[2.  0. ]
     [0.  0.5]]
    """
    if order not in (1, 2):
        raise ArgumentError(f"assert_gradients_match: order must be 1 or 2, not {order!r}")
    points = tuple([to_double(x) for x in inputs])
    if expected is not None:
        compare(func, expected, points, order, rtol, atol)
        return
    try:
        autograd.gradcheck(func, points, rtol=rtol, atol=atol)
        if order == 2:
            autograd.gradgradcheck(func, points, rtol=rtol, atol=atol)
    except GradcheckError as error:
        raise AssertionError(str(error)) from None


def to_double(x: Any) -> Any:
    """A floating or complex tensor as a leaf of double precision; anything else as it is."""
    if not isinstance(x, Tensor) or x.array.dtype.kind not in "fc":
        return x
    copy = x.detach().cdouble() if x.is_complex() else x.detach().double()
    return copy.clone().requires_grad_()


def compare(func: Callable[..., Any], expected: Callable[..., Any], points: tuple[Any, ...], order: int, rtol: float | None,
            atol: float | None) -> None:
    """Values, gradients and second derivatives of two functions at `points`, each contracted with the same fixed weights."""
    chosen = [x for x in points if isinstance(x, Tensor) and x.requires_grad]
    found = [derivatives(f, points, chosen, order) for f in (func, expected)]
    for what, mine, theirs in zip(("value", "gradient", "second derivative"), *found):
        try:
            assert_close(mine, theirs, rtol=rtol, atol=atol)
        except AssertionError as error:
            raise AssertionError(f"The {what} differs from that of `expected`. {error}") from None


def derivatives(f: Callable[..., Any], points: tuple[Any, ...], chosen: list[Any], order: int) -> list[Any]:
    """The values of `f`, then its gradients of each order, one list for each."""
    output = f(*points)
    values = list(output) if isinstance(output, (tuple, list)) else [output]
    result = [values]
    level = values
    for k in range(order):
        total = sum([weighted_sum(y) for y in level if y.requires_grad])
        level = list(autograd.grad(total, chosen, create_graph=k + 1 < order, materialize_grads=True)) \
            if isinstance(total, Tensor) else [x.detach() * 0 for x in chosen]
        result.append(level)
    return [[y.detach() for y in level] for level in result]


def weighted_sum(y: Any) -> Any:
    """The sum of the elements of `y`, of which no two count the same."""
    flat = y.reshape(-1)
    parts = flat * (flat.detach().real * 0 + 1).cumsum(0)
    return (parts.real + parts.imag).sum() if y.is_complex() else parts.sum()
