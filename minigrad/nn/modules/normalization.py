"""Normalisation over the batch, the layer, groups or instances."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

from minigrad._types import dtypes
from minigrad.autograd.grad_mode import no_grad
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.modules.factory import buffer, parameter
from minigrad.nn.modules.module import Module
from minigrad.ops.shaping.slicing import cat

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import DeviceLike, IntOrInts
    from minigrad._types.dtypes import dtype
    from minigrad.nn.parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "CrossMapLRN2d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d",
           "InstanceNorm3d", "LayerNorm", "LocalResponseNorm", "RMSNorm", "SyncBatchNorm"]


class RunningNorm(Module):
    """What batch and instance norm share: weight and bias for each channel, and running statistics.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: the share of the newest batch in the running statistics; None for the mean over all batches.
        affine: whether weight and bias are learnt (``bias=False``: the weight only).
        track_running_stats: whether running statistics are kept, for use in evaluation.
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    _version = 2

    def __init__(self, num_features: int, eps: float, momentum: float | None, affine: bool, track_running_stats: bool,
                 device: Any, dtype: Any, bias: bool) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter("weight", parameter(num_features, device=device, dtype=dtype) if affine else None)
        self.register_parameter("bias", parameter(num_features, device=device, dtype=dtype) if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", buffer(0, num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", buffer(1, num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", buffer(0, device=device, dtype=dtypes.int64) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, no batch seen."""
        for statistic, start in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if self.track_running_stats and statistic is not None:
                statistic.fill_(start)

    def reset_parameters(self) -> None:
        """Running statistics as at the beginning, weight 1, bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Any) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: list[str],
                              unexpected_keys: list[str], error_msgs: list[str]) -> None:
        # Dictionaries from before version 2 do not count batches.
        key = prefix + "num_batches_tracked"
        if local_metadata.get("version", 1) < 2 and self.track_running_stats and key not in state_dict:
            state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)


class BatchNorm(RunningNorm):
    """The forward of batch norm in any number of dimensions."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: DeviceLike | None = None, dtype: dtype | None = None, *,
                 bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        average = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                average = 1.0 / float(self.num_batches_tracked)
        of_batch = self.training or (self.running_mean is None and self.running_var is None)
        mean, var = (self.running_mean, self.running_var) if not self.training or self.track_running_stats else (None, None)
        return self.normalize(input, mean, var, of_batch, average)

    def normalize(self, input: Tensor, mean: Tensor | None, var: Tensor | None, of_batch: bool, average: float) -> Tensor:
        """`input` normalised by the batch, or by the statistics `mean` and `var`, which move by `average` towards the batch's."""
        return F.batch_norm(input, mean, var, self.weight, self.bias, of_batch, average, self.eps)


class BatchNorm1d(BatchNorm):
    """Normalises each channel of (N, C) or (N, C, L) over the batch (Ioffe & Szegedy 2015).

    Training uses the batch's mean and biased variance and moves ``running_mean`` and ``running_var`` (unbiased) towards
    them; evaluation uses those.
    """

    def _check_input_dim(self, input: Any) -> None:
        if input.ndim not in (2, 3):
            raise InvalidValueError(f"expected 2D or 3D input (got {input.ndim}D input)")


class BatchNorm2d(BatchNorm):
    """As :class:`BatchNorm1d`, for images (N, C, H, W)."""

    def _check_input_dim(self, input: Any) -> None:
        if input.ndim != 4:
            raise InvalidValueError(f"expected 4D input (got {input.ndim}D input)")


class BatchNorm3d(BatchNorm):
    """As :class:`BatchNorm1d`, for volumes (N, C, D, H, W)."""

    def _check_input_dim(self, input: Any) -> None:
        if input.ndim != 5:
            raise InvalidValueError(f"expected 5D input (got {input.ndim}D input)")


class SyncBatchNorm(BatchNorm):
    """As :class:`BatchNorm1d`, for any number of dimensions from (N, C) on, over the batches of all processes of a group.

    In training the mean and the variance are those of all batches together, which may have different sizes, and gradients flow
    to all of them. Without a group, or with one process, it is batch norm. Raises ``ValueError`` where all batches together have
    one value for each channel, and what :func:`minigrad.distributed.all_reduce` raises.

    Args:
        process_group: the processes; None: all.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, process_group: Any = None, device: DeviceLike | None = None,
                 dtype: dtype | None = None, *, bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Any) -> None:
        if input.ndim < 2:
            raise InvalidValueError(f"expected at least 2D input (got {input.ndim}D input)")

    def normalize(self, input: Tensor, mean: Tensor | None, var: Tensor | None, of_batch: bool, average: float) -> Tensor:
        if not (of_batch and self.training and has_several_processes(self.process_group)):
            return super().normalize(input, mean, var, of_batch, average)
        all_reduce = importlib.import_module("minigrad.distributed.nn.functional").all_reduce
        dims, channels = [0, *range(2, input.ndim)], (1, -1, *[1] * (input.ndim - 2))
        x = input.float() if input.dtype.itemsize < 4 else input  # half precision accumulates in float32
        here = x.numel() // x.size(1)
        sums = all_reduce(cat([x.sum(dims), x.new_full((1,), here)]), group=self.process_group)
        count = sums[-1].item()
        if count < 2:
            raise InvalidValueError(f"Expected more than 1 value per channel when training, got input size {input.size()} in one "
                                    f"process, and none in the others")
        centre = sums[:-1] / count
        centred = x - centre.view(channels)
        variance = all_reduce((centred * centred).sum(dims), group=self.process_group) / count
        for statistic, new in ((mean, centre), (var, variance * (count / (count - 1)))):
            if statistic is not None:
                with no_grad():
                    statistic.lerp_(new.to(statistic.dtype), average)
        y = centred * (variance + self.eps).rsqrt().view(channels)
        if self.weight is not None:
            y = y * self.weight.view(channels)
        if self.bias is not None:
            y = y + self.bias.view(channels)
        return y.to(input.dtype)  # type: ignore[no-any-return]

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """`module` with each batch norm in it replaced by one of this class that has its parameters, statistics and mode; or,
        where `module` is a batch norm itself, that one."""
        if isinstance(module, BatchNorm) and not isinstance(module, cls):
            new = cls(module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats, process_group,
                      bias=module.bias is not None)
            new.weight, new.bias, new.training = module.weight, module.bias, module.training
            new.running_mean, new.running_var = module.running_mean, module.running_var
            new.num_batches_tracked = module.num_batches_tracked
            return new
        for name, child in module.named_children():
            module.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return module


def has_several_processes(group: Any) -> bool:
    """Whether there are processes in `group`, or in that of all, beside this one: only where the program has made one."""
    distributed = sys.modules.get("minigrad.distributed")
    return distributed is not None and distributed.is_initialized() and distributed.get_world_size(group) > 1


class InstanceNorm(RunningNorm):
    """The forward of instance norm: like batch norm, but over each sample by itself."""

    dims: int

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
                 track_running_stats: bool = False, device: DeviceLike | None = None, dtype: dtype | None = None, *,
                 bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def _get_no_batch_dim(self) -> int:
        """How many dimensions an input without a batch has."""
        return self.dims + 1

    def _check_input_dim(self, input: Any) -> None:
        unbatched = self._get_no_batch_dim()
        if input.ndim not in (unbatched, unbatched + 1):
            raise InvalidValueError(f"expected {unbatched}D or {unbatched + 1}D input (got {input.ndim}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.ndim == self._get_no_batch_dim()
        batch = input.unsqueeze(0) if single else input
        if batch.shape[1] != self.num_features:
            channels = f"input's size at dim={0 if single else 1}"
            if self.affine:
                raise InvalidValueError(f"expected {channels} to match num_features ({self.num_features}), but got: "
                                        f"{batch.shape[1]}.")
            warnings.warn(f"{channels} does not match num_features, {self.num_features}, which is not used because affine=False",
                          stacklevel=3)
        out = F.instance_norm(batch, self.running_mean, self.running_var, self.weight, self.bias,
                              self.training or not self.track_running_stats, 0.0 if self.momentum is None else self.momentum,
                              self.eps)
        return out.squeeze(0) if single else out


class InstanceNorm1d(InstanceNorm):
    """Normalises each channel of each sample of (N, C, L) or (C, L) (Ulyanov et al. 2016)."""

    dims = 1


class InstanceNorm2d(InstanceNorm):
    """Normalises each channel of each sample of (N, C, H, W) or (C, H, W)."""

    dims = 2


class InstanceNorm3d(InstanceNorm):
    """Normalises each channel of each sample of (N, C, D, H, W) or (C, D, H, W)."""

    dims = 3


class LayerNorm(Module):
    """Normalises over the last dimensions, those of `normalized_shape` (Ba et al. 2016).

    >>> import minigrad as mg
    >>> norm = mg.nn.LayerNorm(2)
    >>> norm
    LayerNorm((2,), eps=1e-05, elementwise_affine=True, bias=True)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(self, normalized_shape: IntOrInts, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
                 device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        shape = self.normalized_shape
        self.register_parameter("weight", parameter(*shape, device=device, dtype=dtype) if elementwise_affine else None)
        self.register_parameter("bias", parameter(*shape, device=device, dtype=dtype) if elementwise_affine and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class RMSNorm(Module):
    """Divides by the root mean square over the last dimensions (Zhang & Sennrich 2019); `eps` None is the dtype's epsilon."""

    weight: Parameter | None

    def __init__(self, normalized_shape: IntOrInts, eps: float | None = None, elementwise_affine: bool = True,
                 device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = parameter(*self.normalized_shape, device=device, dtype=dtype) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalises groups of channels of (N, C, *) (Wu & He 2018)."""

    weight: Parameter | None
    bias: Parameter | None

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
                 device: DeviceLike | None = None, dtype: dtype | None = None, *, bias: bool = True) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise InvalidValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.register_parameter("weight", parameter(num_channels, device=device, dtype=dtype) if affine else None)
        self.register_parameter("bias", parameter(num_channels, device=device, dtype=dtype) if affine and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class LocalResponseNorm(Module):
    """x / (k + alpha * mean of x**2 over `size` neighbouring channels) ** beta (Krizhevsky et al. 2012)."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """:class:`LocalResponseNorm` under its older name."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)


# By the names under which PyTorch's users know these bases.
_NormBase, _BatchNorm, _InstanceNorm = RunningNorm, BatchNorm, InstanceNorm
