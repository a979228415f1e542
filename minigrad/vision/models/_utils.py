"""What the models share."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Callable

from minigrad import nn
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

Layer = Callable[..., nn.Module]  # a class of layers, or what else makes one


def init_weights(model: nn.Module, conv: Callable[[Any], Any] | None = None, linear: Callable[[Any], Any] | None = None) -> None:
    """Fill the weight of each convolution by `conv` and of each linear layer by `linear`, where given, and their biases with 0.

    Norms begin with weight 1 and bias 0 of themselves.
    """
    for module in model.modules():
        fill = conv if isinstance(module, nn.Conv2d) else linear if isinstance(module, nn.Linear) else None
        if fill is not None:
            fill(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _make_divisible(v: float, divisor: int, min_value: int | None = None) -> int:
    """The multiple of `divisor` nearest to `v`, but at least `min_value` and no more than a tenth below `v`."""
    nearest = max(divisor if min_value is None else min_value, int(v + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * v else nearest


class IntermediateLayerGetter(nn.ModuleDict):
    """The layers of a model up to the last that is asked for; gives what some of them compute.

    The layers that stand directly in the model are called one after the other, in their order.

    Args:
        model: the model.
        return_layers: for each layer that is asked for, by its name in the model, its name in the dictionary that is returned.

    >>> import minigrad as mg
    >>> from minigrad.vision import models
    >>> backbone = IntermediateLayerGetter(models.resnet18(), {"layer1": "low", "layer2": "high"})
    >>> {name: tuple(features.shape) for name, features in backbone(mg.rand(1, 3, 32, 32)).items()}
    {'low': (1, 64, 8, 8), 'high': (1, 128, 4, 4)}
    """

    _version = 2

    def __init__(self, model: nn.Module, return_layers: dict[str, str]) -> None:
        there = [name for name, _ in model.named_children()]
        if missing := [name for name in return_layers if name not in there]:
            raise InvalidValueError(f"return_layers are not present in model: {missing}; it has {there}")
        last = max(map(there.index, return_layers))
        super().__init__(OrderedDict(list(model.named_children())[:last + 1]))
        self.return_layers = return_layers

    def forward(self, x: Any) -> OrderedDict[str, Tensor]:
        out = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                out[self.return_layers[name]] = x
        return out


class BasicConv2d(nn.Module):
    """Convolution, norm and ReLU, as in GoogLeNet and its successors; `kwargs` are the other arguments of ``nn.Conv2d``."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


def from_imagenet_to_tensorflow(x: Tensor) -> Tensor:
    """Images (N, 3, H, W) that were normalized by ImageNet's mean and deviation, normalized to [-1, 1] instead.

    The published weights of GoogLeNet and Inception come from TensorFlow, where images are normalized so.
    """
    mean, std = (x.new_tensor(values).view(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    return x * (std / 0.5) + (mean - 0.5) / 0.5
