"""Feature pyramids (Lin et al. 2016, https://arxiv.org/abs/1612.03144): large features that know what small ones saw."""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Sequence

from minigrad import nn
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.nn import functional as F
from minigrad.vision.ops.misc import Conv2dNormActivation

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["FeaturePyramidNetwork"]


class ExtraFPNBlock(nn.Module):
    """Base of what adds levels to a pyramid: given the results, the inputs and the names, it gives results and names."""

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        raise NotImplementedError(f"{type(self).__name__}.forward(results, x, names) gives results and names of more levels")


class FeaturePyramidNetwork(nn.Module):
    """Brings features of several sizes to the same channels, and adds to each what the smaller ones have, enlarged.

    Args:
        in_channels_list: the channels of each, the largest features first.
        out_channels: the channels of each result.
        extra_blocks: adds further levels.
        norm_layer: the norm after each convolution; none by default.

    >>> import minigrad as mg
    >>> pyramid = FeaturePyramidNetwork([8, 16], 4)
    >>> levels = pyramid({"large": mg.rand(1, 8, 6, 6), "small": mg.rand(1, 16, 3, 3)})
    >>> {name: tuple(level.shape) for name, level in levels.items()}
    {'large': (1, 4, 6, 6), 'small': (1, 4, 3, 3)}
    """

    _version = 2

    def __init__(self, in_channels_list: Sequence[int], out_channels: int, extra_blocks: ExtraFPNBlock | None = None,
                 norm_layer: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        if 0 in in_channels_list:
            raise InvalidValueError(f"in_channels=0 is currently not supported, got {list(in_channels_list)}")
        if extra_blocks is not None and not isinstance(extra_blocks, ExtraFPNBlock):
            raise ArgumentError(f"extra_blocks should be of type ExtraFPNBlock not {type(extra_blocks)}")
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=None)
        self.inner_blocks = nn.ModuleList(conv(channels, out_channels, kernel_size=1) for channels in in_channels_list)
        self.layer_blocks = nn.ModuleList(conv(out_channels, out_channels, kernel_size=3) for _ in in_channels_list)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        self.extra_blocks = extra_blocks
        self.register_load_state_dict_pre_hook(accept_old_names)

    def forward(self, x: dict[str, Tensor]) -> OrderedDict[str, Tensor]:
        names, features = list(x), list(x.values())
        last = self.inner_blocks[-1](features[-1])
        results = [self.layer_blocks[-1](last)]
        for feature, inner, layer in list(zip(features, self.inner_blocks, self.layer_blocks))[-2::-1]:
            lateral = inner(feature)
            last = lateral + F.interpolate(last, size=lateral.shape[-2:], mode="nearest")
            results.insert(0, layer(last))
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, features, names)
        return OrderedDict(zip(names, results))


def accept_old_names(module: nn.Module, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any],
                     *others: Any) -> None:
    """In files of version 1 the convolutions stood where there is a block of convolution and norm now."""
    if (local_metadata.get("version") or 1) < 2:
        for name in list(state_dict):
            if found := re.fullmatch(re.escape(prefix) + r"((?:inner|layer)_blocks\.\d+)\.(weight|bias)", name):
                state_dict[f"{prefix}{found[1]}.0.{found[2]}"] = state_dict.pop(name)


class LastLevelMaxPool(ExtraFPNBlock):
    """Adds a level, ``"pool"``, of every other element of the smallest result."""

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        return [*results, F.max_pool2d(results[-1], kernel_size=1, stride=2)], [*names, "pool"]


class LastLevelP6P7(ExtraFPNBlock):
    """Adds two levels, ``"p6"`` and ``"p7"``, by convolutions of the smallest result, or of the smallest input.

    Args:
        in_channels, out_channels: the channels that come in and go out; the result is taken where they are equal.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        for conv in (self.p6, self.p7):
            nn.init.kaiming_uniform_(conv.weight, a=1)
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)
        self.use_P5 = in_channels == out_channels

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        p6 = self.p6(results[-1] if self.use_P5 else x[-1])
        return [*results, p6, self.p7(F.relu(p6))], [*names, "p6", "p7"]
