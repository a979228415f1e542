"""Batch norm taken into the layer before it."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn.utils import fusion


def trained(norm: Any) -> Any:
    """`norm` in evaluation, with statistics, weight and bias that are not those of a new one."""
    for t in norm.state_dict().values():
        if t.is_floating_point():
            t.copy_(mg.rand(*t.shape) + 0.5)
    return norm.eval()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_one_layer_does_what_two_did(bias: bool, affine: bool) -> None:
    for layer, norm, x in ((nn.Conv1d(2, 3, 2, bias=bias), nn.BatchNorm1d(3, affine=affine), mg.randn(2, 2, 5)),
                           (nn.Conv2d(2, 4, 3, groups=2, bias=bias), nn.BatchNorm2d(4, affine=affine), mg.randn(2, 2, 5, 5))):
        expected = trained(norm)(layer.eval()(x))
        made = fusion.fuse_conv_bn_eval(layer, norm)
        mg.testing.assert_close(made(x), expected)
        assert made is not layer and isinstance(made.weight, nn.Parameter) and isinstance(made.bias, nn.Parameter)
    transposed = nn.ConvTranspose2d(2, 3, 2, bias=bias).eval()
    norm, x = trained(nn.BatchNorm2d(3, affine=affine)), mg.randn(1, 2, 4, 4)
    mg.testing.assert_close(fusion.fuse_conv_bn_eval(transposed, norm, transpose=True)(x), norm(transposed(x)))
    linear, norm = nn.Linear(2, 3, bias=bias).eval(), trained(nn.BatchNorm1d(3, affine=affine))
    x = mg.randn(4, 2)
    mg.testing.assert_close(fusion.fuse_linear_bn_eval(linear, norm)(x), norm(linear(x)))


def test_what_cannot_be_fused() -> None:
    with pytest.raises(AssertionError, match="Fusion only for eval!"):
        fusion.fuse_conv_bn_eval(nn.Conv1d(1, 1, 1), nn.BatchNorm1d(1).eval())
    with pytest.raises(AssertionError, match="without running statistics"):
        fusion.fuse_linear_bn_eval(nn.Linear(1, 1).eval(), nn.BatchNorm1d(1, track_running_stats=False).eval())
    with pytest.raises(AssertionError, match="out_features == bn.num_features"):
        fusion.fuse_linear_bn_eval(nn.Linear(1, 3).eval(), nn.BatchNorm1d(2).eval())
