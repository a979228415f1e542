"""What distributions share: parameters brought to one shape, probabilities and their logits, values computed when asked for."""

from __future__ import annotations

import functools
from numbers import Number
from typing import TYPE_CHECKING, Any, Callable, Generic, Iterable, TypeVar, overload

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.errors import InvalidValueError
from minigrad.ops import creation, sampling
from minigrad.ops.neural import activation
from minigrad.ops.pointwise import elementary
from minigrad.ops.shaping import shape

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike

__all__ = ["broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits", "tril_matrix_to_vec",
           "vec_to_tril_matrix"]

Value = TypeVar("Value")
EULER = 0.57721566490153286061  # Euler's constant


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and tensors as tensors of one shape. Numbers become those of the dtype and device of the first tensor, or, if
    there is none, of the default dtype. Raises ``ValueError`` for anything else.

    >>> import minigrad as mg
    >>> mg.distributions.utils.broadcast_all(mg.zeros(2), 1.0)
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    for value in values:
        if not isinstance(value, (Tensor, Number)):
            raise InvalidValueError("broadcast_all: Input arguments must all be instances of Number or Tensor, got "
                                    f"{type(value).__name__}")
    first = next((value for value in values if isinstance(value, Tensor)), None)
    like: dict[str, Any] = ({"dtype": dtypes.get_default_dtype()} if first is None
                            else {"dtype": first.dtype, "device": first.device})
    return shape.broadcast_tensors(*[value if isinstance(value, Tensor) else creation.tensor(value, **like) for value in values])


def _standard_normal(shape: Iterable[int], dtype: Any, device: DeviceLike) -> Tensor:
    """Numbers of mean 0 and variance 1."""
    return sampling.randn(tuple(shape), dtype=dtype, device=device)


def _sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """The sum over the last `dim` dimensions."""
    kept = value.dim() - dim
    return value if dim == 0 else value.reshape((*value.shape[:kept], value.shape[kept:].numel())).sum(-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept away from 0 and 1 by the smallest step of their dtype at 1, so that their logits are finite.

    >>> import minigrad as mg
    >>> mg.distributions.utils.clamp_probs(mg.tensor([0.0, 0.25])).tolist()
    [1.1920928955078125e-07, 0.25]
    """
    eps = dtypes.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of logits: the softmax along the last dimension, or, with `is_binary`, of each the sigmoid.

    >>> import minigrad as mg
    >>> mg.distributions.utils.logits_to_probs(mg.zeros(4))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    return elementary.sigmoid(logits) if is_binary else activation.softmax(logits, -1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Logits of probabilities: their logarithms, or, with `is_binary`, the logarithm of the odds of each.

    >>> import minigrad as mg
    >>> mg.distributions.utils.probs_to_logits(mg.tensor(0.5), is_binary=True)
    tensor(0.)
    """
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


class lazy_property(Generic[Value]):
    """Decorator: an attribute that a method computes when it is first asked for, with its graph even where that is switched off.

    >>> import minigrad as mg
    >>> class Circle:
    ...     @mg.distributions.utils.lazy_property
    ...     def area(self): return mg.tensor(3.0)
    >>> circle = Circle()
    >>> "area" in vars(circle), circle.area, "area" in vars(circle)
    (False, tensor(3.), True)
    """

    def __init__(self, wrapped: Callable[[Any], Value]) -> None:
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)  # type: ignore[arg-type]

    @overload
    def __get__(self, instance: None, owner: Any = None) -> lazy_property[Value]: ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> Value: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with autograd.enable_grad():
            value = self.wrapped(instance)
        instance.__dict__[self.wrapped.__name__] = value  # which is found before this object from now on
        return value


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements of (*, n, n) matrices on and below the diagonal `diag`, row after row, as vectors (*, m).

    >>> import minigrad as mg
    >>> mg.distributions.utils.tril_matrix_to_vec(mg.tensor([[1., 0.], [2., 3.]]))
    tensor([1., 2., 3.])
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise InvalidValueError(f"tril_matrix_to_vec: diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = creation.tril_indices(n, n, diag)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """The inverse of :func:`tril_matrix_to_vec`: (*, n, n) matrices with these elements and zeros above.

    >>> import minigrad as mg
    >>> mg.distributions.utils.vec_to_tril_matrix(mg.tensor([1., 2., 3.]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    # n (n + 1) / 2 elements of a triangle, and diag more or fewer in each row: solved for n
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * vec.shape[-1] + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if abs(round(n) - n) > dtypes.finfo(vec.dtype).eps:
        raise InvalidValueError(f"vec_to_tril_matrix: The size of last dimension is {vec.shape[-1]} which cannot be expressed as "
                                f"the lower triangular part of a square D x D matrix.")
    mat = vec.new_zeros((*vec.shape[:-1], round(n), round(n)))
    rows, columns = creation.tril_indices(round(n), round(n), diag)
    mat[..., rows, columns] = vec
    return mat
