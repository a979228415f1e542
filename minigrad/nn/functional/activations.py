"""Activation functions with PyTorch's signatures; `inplace` writes the result into the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad import _arrays, random
from minigrad.errors import InvalidValueError
from minigrad.ops.neural import activation
from minigrad.ops.neural.activation import gelu, glu, hardshrink, logsigmoid, prelu, softplus, softshrink, softsign, tanhshrink
from minigrad.ops.pointwise import elementary
from minigrad.ops.pointwise.elementary import sigmoid, tanh
from minigrad.recording import hints
from minigrad.recording.device_guard import on_device_of_inputs

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import DTypeLike

__all__ = ["celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
           "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6",
           "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink",
           "softsign", "tanh", "tanhshrink", "threshold", "threshold_"]

relu_, leaky_relu_, elu_, celu_, selu_, hardtanh_, threshold_ = (
    f.inplace for f in (activation.relu, activation.leaky_relu, activation.elu, activation.celu, activation.selu,
                        activation.hardtanh, activation.threshold))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``."""
    return activation.relu.inplace(input) if inplace else activation.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(x, 0), 6)``."""
    return activation.relu6.inplace(input) if inplace else activation.relu6(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """`x` where it is positive, ``negative_slope * x`` elsewhere."""
    return activation.leaky_relu.inplace(input, negative_slope) if inplace else activation.leaky_relu(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`x` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return activation.elu.inplace(input, alpha) if inplace else activation.elu(input, alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`x` where it is positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere."""
    return activation.celu.inplace(input, alpha) if inplace else activation.celu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """:func:`elu` scaled so that mean 0 and variance 1 are kept. Source: Klambauer et al., 2017, arXiv:1706.02515."""
    return activation.selu.inplace(input) if inplace else activation.selu(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``."""
    return activation.silu.inplace(input) if inplace else activation.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * tanh(softplus(x))``."""
    return activation.mish.inplace(input) if inplace else activation.mish(input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """`x` between `min_val` and `max_val`, these beyond."""
    if min_val > max_val:
        raise InvalidValueError(f"hardtanh: min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return hardtanh_(input, min_val, max_val) if inplace else activation.hardtanh(input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``relu6(x + 3) / 6``."""
    return activation.hardsigmoid.inplace(input) if inplace else activation.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * relu6(x + 3) / 6``."""
    return activation.hardswish.inplace(input) if inplace else activation.hardswish(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """`x` where it is above `threshold`, `value` elsewhere."""
    return threshold_(input, threshold, value) if inplace else activation.threshold(input, threshold, value)


@on_device_of_inputs
def rrelu(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> Tensor:
    """:func:`leaky_relu` with a slope for each element, drawn between `lower` and `upper` in training, else their mean."""
    if lower > upper:
        raise InvalidValueError(f"rrelu: Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    draws = random.draws_on(_arrays.device_of(input.array)).random(input.shape, dtype="float32")
    slopes = (lower + (upper - lower) * draws).astype(input.array.dtype)
    return activation.prelu_kernel.inplace(input, slopes) if inplace else activation.prelu_kernel(input, slopes)


def rrelu_(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """In-place form of :func:`rrelu`."""
    return rrelu(input, lower, upper, training, inplace=True)


def _default_dim(name: str, input: Any, dim: int | None) -> int:
    """The dimension that PyTorch takes where none is given."""
    if dim is not None:
        return dim
    dim = 0 if input.ndim in (0, 1, 3) else 1
    hints.hint(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim={dim} as an "
               "argument.")
    return dim


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Tensor:
    """``exp(x)`` divided by its sum along `dim`: positive numbers that sum to 1."""
    return activation.softmax(input, _default_dim("softmax", input, dim), dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Tensor:
    """``softmax(-x)``."""
    return activation.softmin(input, _default_dim("softmin", input, dim), dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Tensor:
    """``log(softmax(x))``, computed without loss of digits."""
    return activation.log_softmax(input, _default_dim("log_softmax", input, dim), dtype)


@on_device_of_inputs
def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A random choice along `dim` with the probabilities ``softmax(logits)``, softened by the temperature `tau`.

    With `hard` it is one-hot, with the gradient of the soft one. Source: Jang et al., 2017, arXiv:1611.01144.
    """
    draws = random.draws_on(_arrays.device_of(logits.array)).standard_exponential(logits.shape)
    noise = -elementary.log(logits.detach() * 0 + draws.astype(logits.array.dtype))
    soft = activation.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    chosen = soft.detach().argmax(dim, keepdim=True)
    return (soft.detach() * 0).scatter_(dim, chosen, value=1.0) - soft.detach() + soft
