"""Tensors that a module owns: parameters, which are trained, and buffers, which are not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self, TypeVar

from minigrad._tensor import Tensor
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.errors import ArgumentError, StateError
from minigrad.ops.creation import empty, refuse_integers

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike, DTypeLike

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]

T = TypeVar("T", bound=Tensor)


class Parameter(Tensor):
    """A tensor that a :class:`~minigrad.nn.Module` counts among its parameters when it is assigned as an attribute.

    It shares the memory of `data`. Results computed from it are tensors, not parameters.
    """

    result_class = Tensor

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        return new_parameter(cls, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = twin = new_parameter(type(self), self.detach().clone(), self.requires_grad)
            for name, value in self.__dict__.items():
                if not name.startswith("_"):
                    setattr(twin, name, copy.deepcopy(value, memo))
        return memo[id(self)]

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    __str__ = __repr__


class Buffer(Tensor):
    """A tensor that a module keeps among its buffers when it is assigned as an attribute: state that is not trained.

    Args:
        persistent: whether it belongs to the module's ``state_dict``.
    """

    persistent: bool
    result_class = Tensor

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        t = new_parameter(cls, data, data is not None and data.requires_grad)
        t.persistent = persistent
        return t


def new_parameter(cls: type[T], data: Tensor | None, requires_grad: bool) -> T:
    """A new leaf of class `cls` that shares the memory of the tensor `data`, or is empty."""
    data = empty(0) if data is None else data
    if not isinstance(data, TensorBase):
        raise ArgumentError(f"{cls.__name__}(): argument 'data' must be a Tensor, not {type(data).__name__}; "
                            "minigrad.tensor(...) makes one of it")
    if requires_grad:
        refuse_integers(data.array)
    t = object.__new__(cls)
    t.array, t.node = data.array, LEAF if requires_grad else None
    return t


class UninitializedTensorMixin:
    """What lazy parameters and buffers share: a dtype and a device, but no shape until :meth:`materialize`."""

    becomes: type[Tensor]

    def materialize(self: Any, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a parameter, or buffer, of the given shape with undefined values."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.array = empty(*shape, device=self.device if device is None else device, dtype=dtype or self.dtype).array
        self.__class__ = self.becomes

    @property
    def shape(self) -> Any:
        """Raises ``RuntimeError``: there is none yet."""
        raise StateError("Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
                         "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call "
                         "`forward` to initialize the parameters before accessing their attributes.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet; the lazy modules have them until they see their first input."""

    becomes = Parameter

    def __new__(cls, requires_grad: bool = True, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> Self:
        return new_parameter(cls, empty(0, device=device, dtype=dtype), requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.device, self.dtype)
        return memo[id(self)]


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet."""

    persistent: bool
    becomes = Tensor

    def __new__(cls, requires_grad: bool = False, device: DeviceLike | None = None, dtype: DTypeLike | None = None,
                persistent: bool = True) -> Self:
        t = new_parameter(cls, empty(0, device=device, dtype=dtype), requires_grad)
        t.persistent = persistent
        return t


def is_lazy(param: Any) -> bool:
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)
