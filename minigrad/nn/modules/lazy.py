"""Layers that take the number of their input's features or channels from the first input they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad._types import dtypes
from minigrad.errors import InvalidValueError, ShapeError, StateError
from minigrad.nn.modules.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvBase,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from minigrad.nn.modules.factory import buffer
from minigrad.nn.modules.linear import Linear
from minigrad.nn.modules.module import Module
from minigrad.nn.modules.normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    RunningNorm,
)
from minigrad.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike, IntOrInts
    from minigrad._types.dtypes import dtype

__all__ = ["LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
           "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
           "LazyInstanceNorm3d", "LazyLinear"]


class LazyModuleMixin(Module):
    """Put in front of a module's class: parameters without a shape get one in the first call, and the class then becomes
    `cls_to_become`. Subclasses define ``initialize_parameters(input)``."""

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def has_uninitialized_params(self) -> bool:
        """Whether any parameter or buffer has no shape yet."""
        return any(is_lazy(t) for t in (*self._parameters.values(), *self._buffers.values()))

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes, from the arguments of a call."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def reset_parameters(self) -> None:
        """Draw the parameters anew, if they have shapes by now."""
        if not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name, t in (*self._parameters.items(), *self._buffers.items()):
            if is_lazy(t):
                destination[prefix + name] = t

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        for name, t in (*self._parameters.items(), *self._buffers.items()):
            given = state_dict.get(prefix + name)
            if is_lazy(t) and given is not None and not is_lazy(given):
                t.materialize(given.shape)

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any) -> None:
        self.initialize_parameters(*args, **kwargs)
        if self.has_uninitialized_params():
            raise StateError(f"module {self._get_name()} has not been fully initialized")
        self._initialize_hook.remove()
        self._load_hook.remove()
        del self._initialize_hook, self._load_hook
        if self.cls_to_become is not None:
            self.__class__ = self.cls_to_become  # type: ignore[assignment]


class LazyLinear(LazyModuleMixin, Linear):
    """:class:`Linear` without `in_features`."""

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: DeviceLike | None = None,
                 dtype: dtype | None = None) -> None:
        super().__init__(1, 1, False)
        self.in_features, self.out_features = 0, out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None

    def initialize_parameters(self, input: Any) -> None:
        if self.has_uninitialized_params():
            weight: Any = self.weight
            bias: Any = self.bias
            self.in_features = input.shape[-1]
            weight.materialize((self.out_features, self.in_features))
            if bias is not None:
                bias.materialize((self.out_features,))
            self.reset_parameters()
        self.in_features = self.weight.shape[-1]


class LazyConv(LazyModuleMixin, ConvBase):
    """The start of every lazy convolution."""

    def _make_lazy(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.in_channels, self.out_channels = 0, out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None

    def initialize_parameters(self, input: Any, *args: Any, **kwargs: Any) -> None:
        if self.has_uninitialized_params():
            if input.ndim not in (self.dims + 1, self.dims + 2):
                raise ShapeError(f"Expected {self.dims + 1}D (unbatched) or {self.dims + 2}D (batched) input to "
                                 f"{type(self).__name__}, but got input of size: {input.shape}")
            self.in_channels = input.shape[-self.dims - 1]
            if self.in_channels % self.groups:
                raise InvalidValueError("in_channels must be divisible by groups")
            inner = (self.in_channels, self.out_channels // self.groups) if self.transposed else (
                self.out_channels, self.in_channels // self.groups)
            weight: Any = self.weight
            bias: Any = self.bias
            weight.materialize((*inner, *self.kernel_size))
            if bias is not None:
                bias.materialize((self.out_channels,))
            self.reset_parameters()
        self.in_channels = self.weight.shape[0] if self.transposed else self.weight.shape[1] * self.groups


class LazyConvolution(LazyConv):
    """A convolution without `in_channels`."""

    def __init__(self, out_channels: int, kernel_size: IntOrInts, stride: IntOrInts = 1, padding: IntOrInts = 0,
                 dilation: IntOrInts = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros",
                 device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__(groups, groups, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype)
        self._make_lazy(out_channels, bias, device, dtype)


class LazyTransposedConvolution(LazyConv):
    """A transposed convolution without `in_channels`."""

    def __init__(self, out_channels: int, kernel_size: IntOrInts, stride: IntOrInts = 1, padding: IntOrInts = 0,
                 output_padding: IntOrInts = 0, groups: int = 1, bias: bool = True, dilation: IntOrInts = 1,
                 padding_mode: str = "zeros", device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__(groups, groups, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode,
                         device, dtype)
        self._make_lazy(out_channels, bias, device, dtype)


class LazyNorm(LazyModuleMixin, RunningNorm):
    """A norm without `num_features`."""

    def _start(self, eps: float, momentum: float | None, affine: bool, track_running_stats: bool, device: Any, dtype: Any,
               bias: bool) -> None:
        LazyModuleMixin.__init__(self, 0, eps, momentum, False, False, device, dtype, bias=bias)
        self.affine, self.track_running_stats = affine, track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = buffer(0, device=device, dtype=dtypes.int64)

    def initialize_parameters(self, input: Any) -> None:
        if self.has_uninitialized_params():
            self.num_features = input.shape[1]
            lazy: tuple[Any, ...] = (self.weight, self.bias, self.running_mean, self.running_var)
            for t in lazy:
                if t is not None:
                    t.materialize((self.num_features,))
            self.reset_parameters()
        known = self.weight if self.weight is not None else self.running_mean
        if known is not None:
            self.num_features = known.shape[0]


class LazyBatchNorm(LazyNorm):
    """A batch norm without `num_features`."""

    def __init__(self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
                 device: DeviceLike | None = None, dtype: dtype | None = None, *, bias: bool = True) -> None:
        self._start(eps, momentum, affine, track_running_stats, device, dtype, bias)


class LazyInstanceNorm(LazyNorm):
    """An instance norm without `num_features`."""

    def __init__(self, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True, track_running_stats: bool = True,
                 device: DeviceLike | None = None, dtype: dtype | None = None, *, bias: bool = True) -> None:
        self._start(eps, momentum, affine, track_running_stats, device, dtype, bias)


class LazyConv1d(LazyConvolution, Conv1d):
    """:class:`Conv1d` without `in_channels`."""

    cls_to_become = Conv1d


class LazyConv2d(LazyConvolution, Conv2d):
    """:class:`Conv2d` without `in_channels`."""

    cls_to_become = Conv2d


class LazyConv3d(LazyConvolution, Conv3d):
    """:class:`Conv3d` without `in_channels`."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(LazyTransposedConvolution, ConvTranspose1d):
    """:class:`ConvTranspose1d` without `in_channels`."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(LazyTransposedConvolution, ConvTranspose2d):
    """:class:`ConvTranspose2d` without `in_channels`."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(LazyTransposedConvolution, ConvTranspose3d):
    """:class:`ConvTranspose3d` without `in_channels`."""

    cls_to_become = ConvTranspose3d


class LazyBatchNorm1d(LazyBatchNorm, BatchNorm1d):
    """:class:`BatchNorm1d` without `num_features`."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(LazyBatchNorm, BatchNorm2d):
    """:class:`BatchNorm2d` without `num_features`."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(LazyBatchNorm, BatchNorm3d):
    """:class:`BatchNorm3d` without `num_features`."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(LazyInstanceNorm, InstanceNorm1d):
    """:class:`InstanceNorm1d` without `num_features`."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(LazyInstanceNorm, InstanceNorm2d):
    """:class:`InstanceNorm2d` without `num_features`."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(LazyInstanceNorm, InstanceNorm3d):
    """:class:`InstanceNorm3d` without `num_features`."""

    cls_to_become = InstanceNorm3d


# By the names under which PyTorch's users know these bases.
_LazyNormBase = LazyNorm
