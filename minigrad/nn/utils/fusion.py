"""Batch norm taken into the layer before it: in evaluation both are linear, so one layer does the work of two.

A channel of ``y = w x + b`` becomes ``(y - mean) / sqrt(var + eps) * weight + bias``, which is a layer of weight
``w * weight / sqrt(var + eps)`` and bias ``(b - mean) * weight / sqrt(var + eps) + bias``.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from minigrad.nn.parameter import Parameter
from minigrad.ops.creation import ones_like, zeros_like
from minigrad.ops.pointwise.arithmetic import rsqrt

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of the convolution `conv` that does what it and the batch norm `bn` after it do. Both must be in evaluation mode.

    Args:
        transpose: `conv` is a transposed convolution, whose weight has the output's channels in its second dimension.

    >>> import minigrad as mg
    >>> conv, norm = mg.nn.Conv2d(1, 2, 3).eval(), mg.nn.BatchNorm2d(2).eval()
    >>> x = mg.randn(1, 1, 5, 5)
    >>> mg.allclose(fuse_conv_bn_eval(conv, norm)(x), norm(conv(x)), atol=1e-6)
    True
    """
    return fused(conv, bn, transpose)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of the layer `linear` that does what it and the batch norm `bn` after it do. Both must be in evaluation mode.

    >>> import minigrad as mg
    >>> linear, norm = mg.nn.Linear(2, 3).eval(), mg.nn.BatchNorm1d(3).eval()
    >>> x = mg.randn(4, 2)
    >>> mg.allclose(fuse_linear_bn_eval(linear, norm)(x), norm(linear(x)), atol=1e-6)
    True
    """
    assert bn.num_features in (linear.out_features, 1), \
        "To fuse, linear.out_features == bn.num_features or bn.num_features == 1"
    return fused(linear, bn, False)


def fuse_conv_bn_weights(conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
                         bn_b: Tensor | None, transpose: bool = False) -> tuple[Parameter, Parameter]:
    """The weight and bias of :func:`fuse_conv_bn_eval`, from those of the convolution (``conv_``) and the batch norm: its running
    mean and variance, `bn_eps`, weight and bias.

    >>> import minigrad as mg
    >>> w, b = fuse_conv_bn_weights(mg.ones(1, 1, 1), None, mg.tensor([1.0]), mg.tensor([4.0]), 0.0, None, None)
    >>> w.item(), b.item()
    (0.5, -0.5)
    """
    scale = (ones_like(bn_rm) if bn_w is None else bn_w) * rsqrt(bn_rv + bn_eps)
    channels = [1] * conv_w.ndim
    channels[1 if transpose else 0] = -1
    bias = ((zeros_like(bn_rm) if conv_b is None else conv_b) - bn_rm) * scale
    bias = bias if bn_b is None else bias + bn_b
    return (Parameter((conv_w * scale.reshape(channels)).to(conv_w.dtype).detach(), conv_w.requires_grad),
            Parameter(bias.to(conv_w.dtype).detach(), conv_w.requires_grad if conv_b is None else conv_b.requires_grad))


def fuse_linear_bn_weights(linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor,
                           bn_b: Tensor) -> tuple[Parameter, Parameter]:
    """The weight and bias of :func:`fuse_linear_bn_eval`; see :func:`fuse_conv_bn_weights`.

    >>> import minigrad as mg
    >>> one = mg.tensor([1.0])
    >>> w, b = fuse_linear_bn_weights(mg.ones(1, 2), one, one, mg.tensor([4.0]), 0.0, one, one)
    >>> w.tolist(), b.item()
    ([[0.5, 0.5]], 1.0)
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def fused(layer: Any, bn: Any, transpose: bool) -> Any:
    """A copy of `layer` with the batch norm `bn` in its weight and bias."""
    assert not (layer.training or bn.training), "Fusion only for eval!"
    assert bn.running_mean is not None and bn.running_var is not None, "a batch norm without running statistics cannot be fused"
    made = copy.deepcopy(layer)
    made.weight, made.bias = fuse_conv_bn_weights(made.weight, made.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight,
                                                  bn.bias, transpose)
    return made
