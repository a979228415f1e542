"""PyTorch's older constructors, one for each dtype: ``minigrad.LongTensor([1, 2])``, ``isinstance(x, minigrad.FloatTensor)``."""

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
    """The type of the classes whose instances are the tensors of one dtype."""

    dtype: dtypes.dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __call__(cls, *data: Any, device: DeviceLike | None = None) -> Any:
        """A tensor in host memory from data, or uninitialised of a shape: ``LongTensor([1, 2])``, ``LongTensor(2, 3)``."""
        if device is not None and (there := _arrays.as_device(device)).type != "cpu":
            raise DeviceError(f"{cls.__name__}(): the older constructors are of the CPU, not of {there}; "
                              "use tensor(..., device=...)")
        if len(data) == 1 and not isinstance(data[0], (int, Size)):
            if isinstance(data[0], Tensor):
                if data[0].dtype is not cls.dtype:
                    raise ArgumentError(f"{cls.__name__}(): expected a tensor of {cls.dtype!r}, not of {data[0].dtype!r}; "
                                        f"convert it, by .to({cls.dtype!r})")
                return data[0].detach()
            return creation.tensor(legacy_data(data[0]), dtype=cls.dtype)
        return creation.empty(*(data or (0,)), dtype=cls.dtype)


def tensor_type(name: str) -> Any:
    """The class of the tensors of the dtype that PyTorch's older constructor `name` stands for."""
    dtype = TYPE_OF[f"minigrad.{name}"]
    return TypedTensorMeta(name, (), {"dtype": dtype, "__module__": "minigrad", "__doc__": f"Tensors of {dtype!r}."})


BoolTensor, ByteTensor, CharTensor, DoubleTensor = map(tensor_type, ("BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor"))
FloatTensor, HalfTensor, IntTensor, LongTensor = map(tensor_type, ("FloatTensor", "HalfTensor", "IntTensor", "LongTensor"))
ShortTensor, BFloat16Tensor = map(tensor_type, ("ShortTensor", "BFloat16Tensor"))


def set_default_tensor_type(t: Any) -> None:
    """The older form of :func:`set_default_dtype`: takes ``minigrad.DoubleTensor`` or its name."""
    dtype = TYPE_OF.get(t.replace("torch.", "minigrad.")) if isinstance(t, str) else getattr(t, "dtype", None)
    if dtype is None:
        raise ArgumentError("set_default_tensor_type(): expected minigrad.FloatTensor, minigrad.DoubleTensor or their names, "
                            f"got {t!r}")
    dtypes.set_default_dtype(dtype)
