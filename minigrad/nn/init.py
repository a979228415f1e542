"""Initial values of parameters. Every function writes into the tensor it is given, unrecorded, and returns it.

References: Glorot & Bengio 2010 (xavier), He et al. 2015 (kaiming), Saxe et al. 2013 (orthogonal), Martens 2010 (sparse).
"""

from __future__ import annotations

import functools
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays, autograd
from minigrad.errors import InvalidValueError
from minigrad.recording.clock import ledger
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.inplace import refuse_read_only

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad.random import Generator

__all__ = ["calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_",
           "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_"]


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The factor by which `nonlinearity` asks the standard deviation of a layer's weights to be multiplied.

    Args:
        nonlinearity: ``"linear"``, ``"conv1d"`` ... ``"conv_transpose3d"``, ``"sigmoid"``, ``"tanh"``, ``"relu"``,
            ``"leaky_relu"`` or ``"selu"``.
        param: the slope of ``"leaky_relu"``, 0.01 by default.

    >>> calculate_gain("relu")
    1.4142135623730951
    """
    linear = [f"conv{t}{d}d" for t in ("", "_transpose") for d in (1, 2, 3)]
    gains = {"linear": 1.0, **dict.fromkeys(linear, 1.0), "sigmoid": 1.0, "tanh": 5.0 / 3, "relu": math.sqrt(2.0),
             "selu": 3.0 / 4}
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise InvalidValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in gains:
        raise InvalidValueError(f"Unsupported nonlinearity {nonlinearity}; choose one of {', '.join([*gains, 'leaky_relu'])}")
    return gains[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with draws from U(a, b)."""
    with autograd.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with draws from N(mean, std**2)."""
    with autograd.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
                  generator: Generator | None = None) -> Tensor:
    """Fill with draws from N(mean, std**2) of which only those between `a` and `b` are kept.

    A draw is the inverse of the normal distribution function at a uniform draw between its values at `a` and `b`.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
                      "incorrect.", stacklevel=2)
    low, high = [(1 + math.erf((x - mean) / std / math.sqrt(2.0))) / 2 for x in (a, b)]
    with autograd.no_grad():
        tensor.uniform_(2 * low - 1, 2 * high - 1, generator=generator)
        return tensor.erfinv_().mul_(std * math.sqrt(2.0)).add_(mean).clamp_(min=a, max=b)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with `val`."""
    with autograd.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity: 1 on the diagonal, 0 elsewhere."""
    if tensor.ndim != 2:
        raise InvalidValueError("Only tensors with 2 dimensions are supported")
    return _write(tensor, np.eye(*tensor.shape), "eye_")


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make a convolution's weight (3 to 5 dimensions) pass its input channels on unchanged, as many as fit in each group."""
    if tensor.ndim not in (3, 4, 5):
        raise InvalidValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise InvalidValueError("dim 0 must be divisible by groups")
    values = np.zeros(tuple(tensor.shape))
    per_group = tensor.shape[0] // groups
    centre = tuple(n // 2 for n in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(per_group, tensor.shape[1])):
            values[(group * per_group + channel, channel, *centre)] = 1
    return _write(tensor, values, "dirac_")


def _fans(tensor: Any) -> tuple[int, int]:
    """How many inputs an output element of this weight sees, and how many outputs an input element reaches."""
    if tensor.ndim < 2:
        raise InvalidValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_fan_in_and_fan_out(tensor: Any) -> tuple[int, int]:
    return _fans(tensor)


def _fan(tensor: Any, mode: str) -> int:
    modes = ("fan_in", "fan_out")
    if str(mode).lower() not in modes:
        raise InvalidValueError(f"Mode {mode} not supported, please use one of {list(modes)}")
    return _fans(tensor)[modes.index(mode.lower())]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill from U(-a, a) with a = gain * sqrt(6 / (fan_in + fan_out))."""
    bound = gain * math.sqrt(6.0 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill from N(0, std**2) with std = gain * sqrt(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_fans(tensor))), generator)


def _no_elements(tensor: Any) -> bool:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                     generator: Generator | None = None) -> Tensor:
    """Fill from U(-bound, bound) with bound = gain * sqrt(3 / fan); `a` is the slope of the leaky ReLU that follows."""
    if _no_elements(tensor):
        return tensor
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3.0 / _fan(tensor, mode))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                    generator: Generator | None = None) -> Tensor:
    """Fill from N(0, std**2) with std = gain / sqrt(fan); `a` is the slope of the leaky ReLU that follows."""
    if _no_elements(tensor):
        return tensor
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)), generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill so that the rows, or the columns if there are fewer, of the matrix of the first against all other dimensions are
    orthogonal and of length `gain`."""
    if tensor.ndim < 2:
        raise InvalidValueError("Only tensors with 2 or more dimensions are supported")
    if 0 in tensor.shape:
        return tensor
    draws = _arrays.to_numpy(normal_(tensor, generator=generator).array)
    draws = draws.reshape(len(draws), -1).astype(np.float64)
    tall = draws.T if draws.shape[0] < draws.shape[1] else draws
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diag(r))  # makes the distribution uniform
    return _write(tensor, gain * (q.T if draws.shape[0] < draws.shape[1] else q).reshape(tuple(tensor.shape)), "orthogonal_")


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fill a matrix from N(0, std**2), then set a fraction `sparsity` of the rows of each column, chosen at random, to zero."""
    if tensor.ndim != 2:
        raise InvalidValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with autograd.no_grad():
        tensor.uniform_(generator=generator)
        order = np.argsort(_arrays.to_numpy(tensor.array), axis=0)
        values = _arrays.to_numpy(normal_(tensor, 0.0, std, generator).array).copy()
    values[order[:zeros], np.arange(columns)] = 0
    return _write(tensor, values, "sparse_")


def _older_name(name: str) -> Any:
    """PyTorch's older name of a function, without the underscore, which warns."""
    function = globals()[name + "_"]

    @functools.wraps(function)
    def older(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`.", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)
    older.__name__ = name
    older.__doc__ = f"The deprecated name of :func:`{name}_`."
    return older


@on_device_of_inputs
def _write(tensor: Tensor, values: Any, name: str) -> Tensor:
    """Put `values`, a NumPy array, into `tensor`."""
    refuse_read_only(tensor.array, f"nn.init.{name}")
    tensor.array[...] = _arrays.to_device(values.astype(tensor.array.dtype), _arrays.device_of(tensor.array))
    ledger.record(tensor.array, f"nn.init.{name}")
    return tensor


uniform, normal, constant, eye, dirac = [_older_name(name) for name in ("uniform", "normal", "constant", "eye", "dirac")]
xavier_uniform, xavier_normal = _older_name("xavier_uniform"), _older_name("xavier_normal")
kaiming_uniform, kaiming_normal = _older_name("kaiming_uniform"), _older_name("kaiming_normal")
orthogonal, sparse = _older_name("orthogonal"), _older_name("sparse")
