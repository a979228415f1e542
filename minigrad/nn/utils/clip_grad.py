"""Keeping gradients small."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad._types.dtypes import opmath_dtype
from minigrad.errors import MinigradError
from minigrad.ops.reducing.reduction import vector_norm
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.inplace import write_each
from minigrad.recording.watching import watched

if TYPE_CHECKING:
    from collections.abc import Iterable


class NonFiniteError(MinigradError, RuntimeError):
    """A norm is infinite or not a number where that was not to be passed over."""


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Any]:
    """The gradients there are, of one tensor or several."""
    return [p.grad for p in ([parameters] if isinstance(parameters, Tensor) else parameters) if p.grad is not None]


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False,
                   foreach: bool | None = None) -> Tensor:
    """The norm of all `tensors` taken as one vector: a tensor without dimensions.

    Raises ``RuntimeError`` with `error_if_nonfinite` if it is infinite or not a number. `foreach` changes nothing here.
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    norm_type = float(norm_type)
    out = object.__new__(Tensor)
    out.node = None
    if not tensors:
        out.array = np.zeros((), np.float32)
        return out
    arrays = [t.array for t in tensors]
    homes = [_arrays.device_of(x) for x in arrays] if _arrays.accelerator_count() else []
    if any(home != homes[0] for home in homes):
        arrays = [_arrays.to_device(_norm([x], norm_type), homes[0]) for x in arrays]
    out.array = _norm(arrays, norm_type)
    if error_if_nonfinite and not math.isfinite(float(out)):
        raise NonFiniteError(f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot "
                             f"be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
                             "`error_if_nonfinite=False`")
    return out


@watched
@on_device_of_inputs
def _norm(arrays: list[Any], norm_type: float) -> Any:
    """The norm of all `arrays`, of one device, taken as one vector: an array without dimensions."""
    dtype = arrays[0].real.dtype
    if norm_type == 2.0 and all(x.dtype.char in "fd" for x in arrays):  # by products of vectors, which are fast
        fast = np.sqrt(sum(np.dot(x, x) for x in [x.ravel() for x in arrays]))
        if arrays[0].__class__ is not np.ndarray or np.finfo(dtype).eps < fast < math.inf:
            return _arrays.as_array(fast).astype(dtype)
    norms: list[Any] = [vector_norm(x.astype(opmath_dtype(x.dtype), copy=False), norm_type) for x in arrays]
    total: Any = vector_norm(np.stack(norms), norm_type)
    return total.astype(dtype)


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Any,
                          foreach: bool | None = None) -> None:
    """Multiply every gradient by ``min(1, max_norm / (total_norm + 1e-6))``, in place."""
    _scale([g.array for g in _gradients(parameters)], total_norm.array, float(max_norm))


@watched
def _scale(arrays: list[Any], total: Any, most: float) -> None:
    factor = _factor(total, most)

    def scale(g: Any) -> None:
        near = factor if factor.__class__ is g.__class__ is np.ndarray else _arrays.to_device(factor, _arrays.device_of(g))
        g *= near.astype(g.real.dtype, copy=False)
    write_each(arrays, scale, "clip_grad_norm_")


@on_device_of_inputs
def _factor(total: Any, most: float) -> Any:
    return _arrays.as_array(np.minimum(most / (total + 1e-6), 1.0))


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                    error_if_nonfinite: bool = False, foreach: bool | None = None) -> Tensor:
    """Scale all gradients, in place, so that their norm taken as one vector is at most `max_norm`; returns the norm before.

    >>> import minigrad as mg
    >>> w = mg.zeros(2, requires_grad=True)
    >>> (w * mg.tensor([3.0, 4.0])).sum().backward()
    >>> mg.nn.utils.clip_grad_norm_(w, 1.0)
    tensor(5.)
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not parameters:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total = get_total_norm(_gradients(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


def clip_grad_norm(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                   error_if_nonfinite: bool = False, foreach: bool | None = None) -> Tensor:
    """The deprecated name of :func:`clip_grad_norm_`."""
    warnings.warn("`clip_grad_norm` is now deprecated in favor of `clip_grad_norm_`.", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite)


@watched
def _clip(arrays: list[Any], limit: float) -> None:
    write_each(arrays, lambda g: g.clip(-limit, limit, out=g), "clip_grad_value_")


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Bring every element of every gradient between ``-clip_value`` and ``clip_value``, in place."""
    _clip([g.array for g in _gradients(parameters)], float(clip_value))
