"""PyTorch's older constructors, one for each dtype: ``minigrad.LongTensor([1, 2])``, ``isinstance(x, minigrad.FloatTensor)``.

Those of GPUs, :data:`ON_GPUS`, are names of ``minigrad.cuda``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad import _arrays
from minigrad._tensor.tensor import TYPE_OF, Tensor, legacy_data
from minigrad._types import dtypes
from minigrad._types.size import Size
from minigrad.errors import ArgumentError, DeviceError
from minigrad.ops import creation

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike

__all__ = ["BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor",
           "LongTensor", "ShortTensor", "set_default_tensor_type"]


class TypedTensorMeta(type):
    """The type of the classes whose instances are the tensors of one dtype, in host memory or on GPUs."""

    dtype: dtypes.dtype
    on: str

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and instance.device.type == cls.on

    def __call__(cls, *data: Any, device: DeviceLike | None = None) -> Any:
        """A tensor from data, or uninitialised of a shape: ``LongTensor([1, 2])``, ``LongTensor(2, 3)``."""
        there = _arrays.as_device(cls.on if device is None else device)
        if there.type != cls.on:
            raise DeviceError(f"{cls.__name__}(): this older constructor is of {cls.on}, not of {there}; "
                              "use tensor(..., device=...)")
        if len(data) == 1 and not isinstance(data[0], (int, Size)):
            if isinstance(data[0], Tensor):
                if data[0].dtype is not cls.dtype:
                    raise ArgumentError(f"{cls.__name__}(): expected a tensor of {cls.dtype!r}, not of {data[0].dtype!r}; "
                                        f"convert it, by .to({cls.dtype!r})")
                return data[0].detach().to(there)
            return creation.tensor(legacy_data(data[0]), dtype=cls.dtype, device=there)
        return creation.empty(*(data or (0,)), dtype=cls.dtype, device=there)


def tensor_type(name: str, on: str = "cpu") -> Any:
    """The class of the tensors of the dtype that PyTorch's older constructor `name` stands for."""
    dtype, module = TYPE_OF[f"minigrad.{name}"], "minigrad" if on == "cpu" else f"minigrad.{on}"
    return TypedTensorMeta(name, (), {"dtype": dtype, "on": on, "__module__": module, "__doc__": f"Tensors of {dtype!r}."})


BoolTensor, ByteTensor, CharTensor, DoubleTensor = map(tensor_type, ("BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor"))
FloatTensor, HalfTensor, IntTensor, LongTensor = map(tensor_type, ("FloatTensor", "HalfTensor", "IntTensor", "LongTensor"))
ShortTensor, BFloat16Tensor = map(tensor_type, ("ShortTensor", "BFloat16Tensor"))

ON_GPUS = {name: tensor_type(name, "cuda") for name in __all__ if name.endswith("Tensor")}


def set_default_tensor_type(t: Any) -> None:
    """The older form of :func:`set_default_dtype`: takes ``minigrad.DoubleTensor`` or its name."""
    dtype = TYPE_OF.get(t.replace("torch.", "minigrad.")) if isinstance(t, str) else getattr(t, "dtype", None)
    if dtype is None:
        raise ArgumentError("set_default_tensor_type(): expected minigrad.FloatTensor, minigrad.DoubleTensor or their names, "
                            f"got {t!r}")
    dtypes.set_default_dtype(dtype)
