"""Tensors made from nothing, from data, and in the likeness of other tensors."""

from __future__ import annotations

import builtins
import contextlib
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes, layouts
from minigrad._types.layouts import preserve_format
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.errors import (
    ArgumentError,
    DeviceError,
    DtypeError,
    InvalidValueError,
    RuntimeValueError,
    ShapeError,
    UnsupportedDtypeError,
)
from minigrad.recording import watching
from minigrad.recording.argument_errors import refuse_grad
from minigrad.recording.clock import ledger
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.hints import warn_user
from minigrad.recording.inplace import refuse_leaf
from minigrad.recording.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import DeviceLike, DTypeLike, IntOrInts, Number, Tensor
    from minigrad._types.layouts import layout, memory_format

__all__ = ["arange", "as_tensor", "asarray", "empty", "empty_like", "empty_permuted", "empty_strided", "eye", "from_dlpack",
           "from_file", "from_numpy", "frombuffer", "full", "full_like", "linspace", "logspace", "ones", "ones_like", "range",
           "scalar_tensor", "tensor", "to_dlpack", "tril_indices", "triu_indices", "zeros", "zeros_like"]

NUMBERS = (bool, int, float, complex, np.generic)
MOST_DIMENSIONS = 64  # that NumPy's arrays have


# ---------------------------------------------------------------------------------------------------- arrays into tensors

def wrap(array: Any, requires_grad: bool = False, out: Any = None) -> Tensor:
    """`array`, which nobody else holds, as a new tensor; or its values in the tensor `out`."""
    if out is not None:
        return write(out, array)
    t = object.__new__(TensorBase.result_class)
    t.array, t.node = array, None
    if watching.count:
        watching.show_made(t)
    if requires_grad:
        refuse_integers(array)
        t.node = LEAF
    return t


@on_device_of_inputs
def write(out: Tensor, array: Any) -> Tensor:
    """Serve ``out=``: `array` in `out`, which takes its shape and keeps its own dtype."""
    if out.array.shape == array.shape:
        return out.copy_(wrap(array))
    refuse_leaf(out, "out=")
    out.array = array.astype(out.array.dtype)
    return out


def dtype_with_out(name: str, out: Any, dtype: Any, device: Any = None, default: Any = None) -> dtypes.dtype:
    """The dtype of what the function `name` makes: `dtype`, or that of `out`, or the `default` one. Raises where they differ."""
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    if out is None:
        return wanted or default or dtypes.get_default_dtype()
    if not isinstance(out, TensorBase):
        raise ArgumentError(f"{name}(): argument 'out' must be a Tensor, not {type(out).__name__}")
    found = dtypes.FROM_NUMPY[out.array.dtype]
    if wanted is not None and wanted is not found:
        raise DtypeError(f"{name}(): dtype {wanted!r} does not match dtype of out parameter ({found!r})")
    if device is not None and _arrays.as_device(device).type != _arrays.device_of(out.array).type:
        raise DeviceError(f"{name}(): device {device} does not match device of out parameter ({_arrays.device_of(out.array)})")
    return found


def refuse_integers(array: Any) -> None:
    """Raise unless `array` is of a dtype that can have gradients."""
    if array.dtype.kind not in dtypes.DIFFERENTIABLE:
        raise DtypeError("only Tensors of floating point and complex dtype can require gradients, not "
                         f"{dtypes.FROM_NUMPY[array.dtype]!r}; convert it first, for instance with .float()")


def wrap_shared(array: Any) -> Tensor:
    """A tensor on the memory of `array`, which the user holds. Where that is a part of another array, the tensor has no more."""
    whole = array.base if isinstance(array, np.ndarray) and array.size else None
    is_part = isinstance(whole, np.ndarray) and whole.nbytes > array.nbytes and min(array.strides, default=0) >= 0
    return wrap(ledger.add_piece(array) if is_part else array)


def warn_read_only(array: Any, what: str = "NumPy array") -> None:
    """Warn where a tensor is to share the memory of `array`, and that must not be written."""
    if isinstance(array, np.ndarray) and not array.flags.writeable:
        warn_user(f"The given {what} is not writable, and a tensor that shares its memory cannot be written to either; copy it, "
                  "by minigrad.tensor(...) or .clone(), to write")


def sizes_of(name: str, args: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    """A shape from PyTorch's forms: several integers, one sequence of them, or ``size=``."""
    if size is None and not args:
        raise ArgumentError(f"{name}(): missing argument 'size', as in {name}(2, 3) or {name}((2, 3)); "
                            f"{name}(()) has no dimensions")
    if size is not None:
        args = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    elif len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = tuple(args[0])
    try:
        shape = tuple([n.__index__() for n in args])
    except (AttributeError, TypeError):
        wrong = next(n for n in args if not hasattr(n, "__index__") or isinstance(n, TensorBase))
        raise ArgumentError(f"{name}(): argument 'size' must be a tuple of ints, but found {type(wrong).__name__}") from None
    if any(n < 0 for n in shape):
        raise ShapeError(f"{name}: Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape


def number_of(x: Any) -> Any:
    """A Python number from a number or a tensor of one element."""
    if watching.count and isinstance(x, TensorBase):
        watching.show_read(x.array)
    return x.array.item() if isinstance(x, TensorBase) else x.item() if isinstance(x, np.generic) else x


# ---------------------------------------------------------------------------------------------------- constant values

def make(function: str, shape: tuple[int, ...], out: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """A tensor that NumPy's `function` (``empty``, ``zeros`` or ``ones``) makes of `shape`."""
    wanted = dtype_with_out(function, out, dtype, device)
    return wrap(_arrays.make(_arrays.as_device(device), function, shape, wanted.numpy), requires_grad, out)


def empty(*args: int | Sequence[int], size: IntOrInts | None = None, out: Tensor | None = None, dtype: DTypeLike | None = None,
          layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False, requires_grad: bool = False,
          memory_format: memory_format | None = None) -> Tensor:
    """A tensor whose values are whatever was in its memory, of a shape given as ``empty(2, 3)`` or ``empty((2, 3))``."""
    if memory_format is preserve_format:
        raise RuntimeValueError("empty: unsupported memory format preserve_format: there is no tensor whose order it could keep")
    result = make("empty", sizes_of("empty", args, size), out, dtype, device, requires_grad)
    result.array = lay_out(result.array, memory_format)
    return result


def zeros(*args: int | Sequence[int], size: IntOrInts | None = None, out: Tensor | None = None, dtype: DTypeLike | None = None,
          layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False,
          requires_grad: bool = False) -> Tensor:
    """A tensor of zeros, of a shape given as ``zeros(2, 3)`` or ``zeros((2, 3))``."""
    return make("zeros", sizes_of("zeros", args, size), out, dtype, device, requires_grad)


def ones(*args: int | Sequence[int], size: IntOrInts | None = None, out: Tensor | None = None, dtype: DTypeLike | None = None,
         layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False,
         requires_grad: bool = False) -> Tensor:
    """A tensor of ones, of a shape given as ``ones(2, 3)`` or ``ones((2, 3))``."""
    return make("ones", sizes_of("ones", args, size), out, dtype, device, requires_grad)


def full(size: IntOrInts, fill_value: Number, *, out: Tensor | None = None, dtype: DTypeLike | None = None,
         layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False,
         requires_grad: bool = False) -> Tensor:
    """A tensor of shape `size` in which every element is `fill_value`; the dtype is by default that of the value."""
    if not isinstance(size, (tuple, list)):
        raise ArgumentError(f"full(): argument 'size' must be a tuple of ints, not {type(size).__name__}")
    refuse_grad("full", fill_value=fill_value)
    value = fill_value if getattr(fill_value, "ndim", 0) else number_of(fill_value)
    if not isinstance(value, NUMBERS):
        raise ArgumentError(f"full(): argument 'fill_value' must be a number, not {type(fill_value).__name__}")
    wanted = dtype_with_out("full", out, dtype, device, dtypes.result_dtype([value]))
    value = wrap_number("full", value, wanted)
    array = quiet().run(_arrays.make, _arrays.as_device(device), "full", sizes_of("full", (size,)), value, wanted.numpy)
    return wrap(array, requires_grad, out)


def wrap_number(caller: str, value: Any, wanted: dtypes.dtype) -> Any:
    """The number `value` as one that the dtype `wanted` can hold. For an unsigned dtype -1 stands for its largest number, and so
    on."""
    if wanted.kind in "iu" and not isinstance(value, complex):
        bounds = np.iinfo(wanted.numpy)
        if not (-bounds.max if wanted.kind == "u" else bounds.min) <= value <= bounds.max:
            raise DtypeError(f"{caller}: value cannot be converted to {wanted!r} without overflow: {value}; it holds "
                             f"{bounds.min} to {bounds.max}")
        return int(value) % (bounds.max + 1) if wanted.kind == "u" else int(value)
    return value


def eye(n: int, m: int | None = None, *, out: Tensor | None = None, dtype: DTypeLike | None = None, layout: layout | None = None,
        device: DeviceLike | None = None, pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """An `n` by `m` matrix (`m` is `n` by default) with ones on the diagonal and zeros elsewhere."""
    wanted = dtype_with_out("eye", out, dtype, device)
    m = n if m is None else m
    for name, count in (("n", n), ("m", m)):
        if not hasattr(count, "__index__"):
            raise ArgumentError(f"eye(): argument '{name}' must be int, not {type(count).__name__}")
        if count < 0:
            raise RuntimeValueError(f"eye: {name} must be greater or equal to 0, got {count}")
    return wrap(_arrays.make(_arrays.as_device(device), "eye", int(n), int(m), dtype=wanted.numpy), requires_grad, out)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike = dtypes.int64, device: DeviceLike | None = None,
                 layout: layout | None = None) -> Tensor:
    """The places on and below the diagonal `offset` of a `row` by `col` matrix: their row numbers, then their columns."""
    return triangle("tril_indices", row, col, offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike = dtypes.int64, device: DeviceLike | None = None,
                 layout: layout | None = None) -> Tensor:
    """The places on and above the diagonal `offset` of a `row` by `col` matrix: their row numbers, then their columns."""
    return triangle("triu_indices", row, col, offset, dtype, device)


def triangle(name: str, row: int, col: int, offset: int, dtype: Any, device: Any) -> Tensor:
    if row < 0 or col < 0:
        raise RuntimeValueError(f"{name}: row and col must be non-negative, got {row} and {col}")
    if dtypes.as_dtype(dtype).kind not in "iu":
        raise UnsupportedDtypeError(f"{name}: not implemented for {dtypes.as_dtype(dtype)!r}; places are integers")
    places = np.stack(getattr(np, name)(row, offset, col)).astype(dtypes.as_dtype(dtype).numpy)
    return wrap(_arrays.to_device(places, _arrays.as_device(device)))


def scalar_tensor(s: Number, *, dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
                  pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """A 0-dimensional tensor of the number `s`, by default of the default dtype."""
    return full((), s, dtype=dtypes.get_default_dtype() if dtype is None else dtype, device=device, requires_grad=requires_grad)


def empty_strided(size: Sequence[int], stride: Sequence[int], *, dtype: DTypeLike | None = None, layout: layout | None = None,
                  device: DeviceLike | None = None, pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """A tensor with unset values whose neighbours in dimension i lie ``stride[i]`` elements apart in memory."""
    shape, stride = sizes_of("empty_strided", (tuple(size),)), tuple(stride)
    if len(shape) != len(stride):
        raise ShapeError(f"empty_strided: dimensionality of sizes ({len(shape)}) must match dimensionality of strides "
                         f"({len(stride)})")
    if min(stride, default=0) < 0:
        raise RuntimeValueError(f"empty_strided: strides must not be negative, got {list(stride)}")
    needed = 1 + sum((n - 1) * s for n, s in zip(shape, stride)) if 0 not in shape else 0
    t = make("empty", (needed,), None, dtype, device, False)
    strided = _arrays.library_of(t.array).as_strided
    return wrap(strided(t.array, shape, [s * t.array.itemsize for s in stride]), requires_grad)


def empty_permuted(size: Sequence[int], physical_layout: Sequence[int], *, dtype: DTypeLike | None = None,
                   layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False,
                   requires_grad: bool = False) -> Tensor:
    """A tensor with unset values, contiguous when its dimensions are put in the order `physical_layout`."""
    shape = sizes_of("empty_permuted", (tuple(size),))
    if sorted(physical_layout) != [*builtins.range(len(shape))]:
        raise ShapeError(f"empty_permuted: physical_layout {tuple(physical_layout)} is no permutation of {len(shape)} dimensions")
    strides, step = [0] * len(shape), 1
    for d in reversed(physical_layout):
        strides[d] = step
        step *= max(shape[d], 1)
    return empty_strided(shape, strides, dtype=dtype, device=device, requires_grad=requires_grad)


# ---------------------------------------------------------------------------------------------------- sequences

def arange(start: Number = 0, end: Number | None = None, step: Number = 1, *, out: Tensor | None = None,
           dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
           pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """``start, start + step, ...`` up to, and without, `end`; ``arange(end)`` starts at 0. Integers give int64.

    Raises ``RuntimeError`` for a step of 0, or one that leads away from `end`.

    >>> import minigrad as mg
    >>> mg.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    start, end = (0, start) if end is None else (start, end)
    refuse_grad("arange", start=start, end=end, step=step)
    start, end, step = (number_of(x) for x in (start, end, step))
    had = 0 if out is None else out.numel()
    result = step_values("arange", start, end, step, math.ceil, out, dtype, device, requires_grad)
    if had and had != result.numel():
        warn_user(f"arange: the number of elements in the out tensor was {had}, which does not match the computed number of "
                  f"elements {result.numel()}, perhaps by rounding; the out tensor was resized")
    return result


def range(start: Number = 0, end: Number | None = None, step: Number = 1, *, out: Tensor | None = None,
          dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
          pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """As :func:`arange` but with `end`, and in the default dtype. PyTorch deprecates it."""
    refuse_grad("range", start=start, end=end, step=step)
    start, end, step = (number_of(x) for x in (start, end, step))
    return step_values("range", start, end, step, lambda n: math.floor(n) + 1, out,
                       None if out is not None else dtype or dtypes.get_default_dtype(), device, requires_grad)


def step_values(name: str, start: Any, end: Any, step: Any, rounded: Any, out: Any, dtype: Any, device: Any,
                requires_grad: bool) -> Tensor:
    """The numbers from `start` in steps. `rounded` turns ``(end - start) / step`` into their count."""
    wanted = None if dtype is None and out is None else dtype_with_out(name, out, dtype, device)
    finite = all(math.isfinite(x) for x in (start, end, step))
    if finite and wanted is not None and wanted.kind in "iu":
        start, end, step = int(start), int(end), int(step)
    if step == 0:
        raise RuntimeValueError(f"{name}: step must be nonzero")
    if not finite:
        raise RuntimeValueError(f"{name}: unsupported range: {start} -> {end}")
    if (end - start) * (1 if step > 0 else -1) < 0:
        raise RuntimeValueError(f"{name}: upper bound and lower bound inconsistent with step sign: from {start} to {end} by "
                                f"{step}")
    if isinstance(start, int) and isinstance(end, int) and isinstance(step, int):
        numbers = dtypes.int64
        array = np.arange(start, end if rounded is math.ceil else end + (1 if step > 0 else -1), step, dtype=np.int64)
    else:
        numbers = dtypes.get_default_dtype()
        array = start + step * np.arange(rounded((end - start) / step), dtype=np.float64)
    return tensor_on_device(array, wanted or numbers, out, device, requires_grad)


def tensor_on_device(array: Any, dtype: Any, out: Any, device: Any, requires_grad: bool) -> Tensor:
    """The vector `array`, which was computed on the CPU, as a tensor of `dtype` on `device`; or its values in `out`, in the shape
    of that if it has as many elements."""
    array = quiet().run(array.astype, dtype.numpy, copy=False)
    if out is not None and out.array.size == array.size:
        array = array.reshape(out.array.shape)
    return wrap(_arrays.to_device(array, _arrays.as_device(device)), requires_grad, out)


def linspace(start: Tensor | Number, end: Tensor | Number, steps: int, *, out: Tensor | None = None,
             dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
             pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """`steps` numbers evenly spaced from `start` to `end`, both included."""
    array, wanted = spaced_values("linspace", start, end, steps, dtype, out)
    return tensor_on_device(array, wanted, out, device, requires_grad)


def logspace(start: Tensor | Number, end: Tensor | Number, steps: int, base: float = 10.0, *, out: Tensor | None = None,
             dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
             pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """`steps` numbers from ``base ** start`` to ``base ** end``, evenly spaced on a logarithmic scale."""
    array, wanted = spaced_values("logspace", start, end, steps, dtype, out)
    return tensor_on_device(np.power(base, array.astype(np.result_type(array, np.float64))), wanted, out, device, requires_grad)


def spaced_values(name: str, start: Any, end: Any, steps: Any, dtype: Any, out: Any) -> tuple[Any, dtypes.dtype]:
    """Evenly spaced numbers from `start` to `end` in double precision, and the dtype that was asked for."""
    if steps < 0:
        raise RuntimeValueError(f"{name}: number of steps must be non-negative, got {steps}")
    for what, x in (("start", start), ("end", end)):
        if isinstance(x, TensorBase) and x.array.ndim:
            raise ShapeError(f"{name}: only supports 0-dimensional start and end tensors, but got {what} with "
                             f"{x.array.ndim} dimension(s).")
    start, end = number_of(start), number_of(end)  # constants, as PyTorch takes them for
    numbers = dtypes.result_dtype([start, end, dtypes.get_default_dtype().numpy.type(0).item()])
    wanted = dtype_with_out(name, out, dtype, default=numbers)
    if wanted.kind != "c" and numbers.kind == "c":
        raise DtypeError(f"{name}: inferred dtype {numbers!r} can't be safely cast to passed dtype {wanted!r}")
    if wanted.kind in "iu":
        start, end = int(start), int(end)
    half = np.arange((steps + 1) // 2)
    step = (end - start) / max(steps - 1, 1)
    # From both ends to the middle: the last number is then exactly `end`, and the result symmetric.
    array = np.concatenate([start + step * half, (end - step * half)[:steps // 2][::-1]])
    return array, wanted


# ---------------------------------------------------------------------------------------------------- like another tensor

def make_like(function: str, input: Any, dtype: Any, device: Any, requires_grad: bool, memory_format: Any, *value: Any) -> Tensor:
    """What NumPy's `function`, such as ``zeros_like``, makes of `input`."""
    wanted = input.array.dtype if dtype is None else dtypes.as_dtype(dtype).numpy
    array = array_like(getattr(np, function), input.array, value, wanted)
    if 0 in input.array.strides:  # of what is expanded NumPy makes another order
        array = layouts.lay_out("like_input", array, input.array)
    array = lay_out(array, memory_format)
    return wrap(array if device is None else _arrays.to_device(array, _arrays.as_device(device)), requires_grad)


@on_device_of_inputs
def array_like(function: Any, input: Any, value: Any, dtype: Any) -> Any:
    """What NumPy's `function` makes of the array `input`."""
    return quiet().run(function, input, *value, dtype=dtype)


@on_device_of_inputs
def lay_out(array: Any, memory_format: Any) -> Any:
    """`array` in memory as `memory_format` says, unless that is None."""
    return array if memory_format is None or memory_format.describes(array) else memory_format.copy(array)


def empty_like(input: Tensor, *, dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
               requires_grad: bool = False, pin_memory: bool = False, memory_format: memory_format | None = None) -> Tensor:
    """A tensor with unset values, of the shape and, where nothing else is said, the dtype and device of `input`."""
    return make_like("empty_like", input, dtype, device, requires_grad, memory_format)


def zeros_like(input: Tensor, *, dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
               requires_grad: bool = False, pin_memory: bool = False, memory_format: memory_format | None = None) -> Tensor:
    """A tensor of zeros, of the shape and, where nothing else is said, the dtype and device of `input`."""
    return make_like("zeros_like", input, dtype, device, requires_grad, memory_format)


def ones_like(input: Tensor, *, dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
              requires_grad: bool = False, pin_memory: bool = False, memory_format: memory_format | None = None) -> Tensor:
    """A tensor of ones, of the shape and, where nothing else is said, the dtype and device of `input`."""
    return make_like("ones_like", input, dtype, device, requires_grad, memory_format)


def full_like(input: Tensor, fill_value: Number, *, dtype: DTypeLike | None = None, layout: layout | None = None,
              device: DeviceLike | None = None, requires_grad: bool = False, pin_memory: bool = False,
              memory_format: memory_format | None = None) -> Tensor:
    """A tensor of `fill_value`, of the shape and, where nothing else is said, the dtype and device of `input`."""
    refuse_grad("full_like", fill_value=fill_value)
    value = wrap_number("full_like", number_of(fill_value), dtypes.as_dtype(dtype or input.dtype))
    return make_like("full_like", input, dtype, device, requires_grad, memory_format, value)


def constant_like(input: Any, value: Any) -> Tensor:
    """The number `value` as a 0-dimensional tensor of the dtype and on the device of `input`."""
    dtype = dtypes.FROM_NUMPY[input.array.dtype]
    try:
        return tensor(number_of(value), dtype=dtype, device=_arrays.device_of(input.array))
    except (ArgumentError, ValueError) as error:
        raise DtypeError(f"value cannot be converted to type {dtype.name} without overflow: {value!r} ({error})") from None


def new_empty(self: Tensor, *args: int | Sequence[int], size: Sequence[int] | None = None, dtype: DTypeLike | None = None,
              layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False,
              requires_grad: bool = False) -> Tensor:
    """A tensor with unset values, of shape `size` and by default this tensor's dtype and device."""
    return make("empty", sizes_of("new_empty", args, size), None, dtype or self.dtype, device or self.device, requires_grad)


def new_zeros(self: Tensor, *args: int | Sequence[int], size: Sequence[int] | None = None, dtype: DTypeLike | None = None,
              layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False,
              requires_grad: bool = False) -> Tensor:
    """A tensor of zeros, of shape `size` and by default this tensor's dtype and device."""
    return make("zeros", sizes_of("new_zeros", args, size), None, dtype or self.dtype, device or self.device, requires_grad)


def new_ones(self: Tensor, *args: int | Sequence[int], size: Sequence[int] | None = None, dtype: DTypeLike | None = None,
             layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False,
             requires_grad: bool = False) -> Tensor:
    """A tensor of ones, of shape `size` and by default this tensor's dtype and device."""
    return make("ones", sizes_of("new_ones", args, size), None, dtype or self.dtype, device or self.device, requires_grad)


def new_full(self: Tensor, size: IntOrInts, fill_value: Number, *, dtype: DTypeLike | None = None, layout: layout | None = None,
             device: DeviceLike | None = None, pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """A tensor of `fill_value`, of shape `size` and by default this tensor's dtype and device."""
    return full(size, fill_value, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)


def new_empty_strided(self: Tensor, size: Sequence[int], stride: Sequence[int], *, dtype: DTypeLike | None = None,
                      layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False,
                      requires_grad: bool = False) -> Tensor:
    """As :func:`empty_strided`, by default with this tensor's dtype and device."""
    return empty_strided(size, stride, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)


def new_tensor(self: Tensor, data: Any, *, dtype: DTypeLike | None = None, layout: layout | None = None,
               device: DeviceLike | None = None, pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """A tensor of `data`, copied, by default with this tensor's dtype and device."""
    return tensor(data, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)


# ---------------------------------------------------------------------------------------------------- from data

def tensor(data: Any, *, dtype: DTypeLike | None = None, device: DeviceLike | None = None, requires_grad: bool = False,
           pin_memory: bool = False) -> Tensor:
    """A leaf tensor with a copy of `data`: a number, an array, or nested sequences of numbers, arrays and tensors.

    Python floats give the default dtype, ints int64; arrays and tensors keep their dtype. Raises ``ValueError`` for
    sequences whose lengths differ, ``TypeError`` or ``RuntimeError`` for what is no number.

    >>> import minigrad as mg
    >>> mg.tensor([[1, 2.5], [3, 4]])
    tensor([[1.0000, 2.5000],
            [3.0000, 4.0000]])
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(data, TensorBase):
        warn_user("To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                  "sourceTensor.detach().clone().requires_grad_(True), rather than minigrad.tensor(sourceTensor).")
    array, home = to_array("tensor", data, wanted)
    if array is data or isinstance(data, TensorBase) or not array.flags.owndata:
        array = copy_array(array)
    return wrap(_arrays.to_device(array, home if device is None else _arrays.as_device(device)), requires_grad)


@on_device_of_inputs
def copy_array(array: Any) -> Any:
    """`array` in memory of its own."""
    return array.copy(order="K")


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> Tensor:
    """`data` as a tensor that shares its memory where it can: a tensor (which stays in its graph) or an array does."""
    if isinstance(data, TensorBase):
        given: Any = data
        return given.to(dtype=dtype, device=device)  # type: ignore[no-any-return]
    array, home = to_array("as_tensor", data, None if dtype is None else dtypes.as_dtype(dtype))
    warn_read_only(array)
    return wrap_shared(_arrays.to_device(array, home if device is None else _arrays.as_device(device)))


def asarray(obj: Any, *, dtype: DTypeLike | None = None, device: DeviceLike | None = None, copy: bool | None = None,
            requires_grad: bool | None = None) -> Tensor:
    """`obj` as a tensor: shared where it can be, copied if `copy`, never copied (else ``ValueError``) if `copy` is False.

    A tensor that needs no change is given back itself. It stays in its graph unless `requires_grad` is False. Objects with the
    buffer protocol are read as elements of `dtype`.
    """
    source: Any
    if isinstance(obj, (bytes, bytearray, memoryview)):
        source = frombuffer(obj, dtype=dtypes.get_default_dtype() if dtype is None else dtype)
    elif isinstance(obj, TensorBase):
        source = obj.detach() if requires_grad is False and obj.requires_grad else obj  # type: ignore[attr-defined]
    elif isinstance(obj, _arrays.array_types):
        source = wrap_shared(dtypes.adopt_array(as_numbers("asarray", obj)))
    elif hasattr(obj, "__cuda_array_interface__"):
        source = wrap(dtypes.adopt_array(_arrays.from_cuda(obj)))
    elif hasattr(obj, "__dlpack__") or _arrays.is_capsule(obj):
        source = from_dlpack(obj)
    else:
        if copy is False:
            raise InvalidValueError("asarray: can't alias arbitrary sequence into a tensor; leave copy out")
        return tensor(obj, dtype=dtype, device=device, requires_grad=bool(requires_grad))
    result: Tensor = source.to(dtype=dtype, device=device)
    if result.array is not source.array and copy is False:
        raise InvalidValueError("asarray: can't alias tensor with a different dtype or device; leave copy out")
    if copy and result.array is source.array:
        result = result.clone()
    if result.array is source.array and isinstance(obj, np.ndarray):
        warn_read_only(result.array)
    return result.requires_grad_() if requires_grad and not result.requires_grad else result


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares the memory of a NumPy array: what is written to one shows in the other."""
    if not isinstance(ndarray, np.ndarray):
        raise ArgumentError(f"expected np.ndarray (got {type(ndarray).__name__}); minigrad.tensor(...) takes other data")
    if any([step % ndarray.itemsize for step in ndarray.strides]):
        raise InvalidValueError("given numpy array strides not a multiple of the element byte size; copy the array, by "
                                "array.copy()")
    warn_read_only(ndarray)
    warn_mask("from_numpy", ndarray)
    return wrap_shared(dtypes.adopt_array(ndarray))


def from_dlpack(ext_tensor: Any, *, device: DeviceLike | None = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of an object with the DLPack protocol, such as another library's array, or of a capsule.

    Args:
        device: where it is to be; None: where it is.
        copy: True: of its own memory; False: never copied, else ``ValueError``; None: copied where it must be.
    """
    array = dtypes.adopt_array(_arrays.from_dlpack(ext_tensor))
    if device is None or (there := _arrays.resolve(_arrays.as_device(device))) == _arrays.device_of(array):
        return wrap(copy_array(array) if copy else array)
    if copy is False:
        raise InvalidValueError(f"from_dlpack: cannot move the array from {_arrays.device_of(array)} to {there} without a copy")
    return wrap(_arrays.to_device(array, there))


def from_file(filename: str | os.PathLike[str], shared: bool | None = None, size: int = 0, *, dtype: DTypeLike | None = None,
              layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False) -> Tensor:
    """A tensor of `size` elements over the bytes of a file, which are read where they are needed.

    Args:
        shared: what is written to the tensor goes to the file, which is made, or made longer, where it must be; otherwise it
            stays in this process.
        size: how many elements.
        dtype: how to read the bytes; by default the default floating type.

    Raises: ``RuntimeError`` for a file that is too short.
    """
    wanted = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    needed = size * wanted.itemsize
    if shared:
        with open(filename, "ab") as file:
            if file.tell() < needed:
                file.truncate(needed)
    elif (there := os.path.getsize(filename)) < needed:
        raise RuntimeValueError(f"from_file: {filename} has {there} bytes, but {size} elements of {wanted!r} take {needed}")
    if not needed:
        return empty(0, dtype=wanted, device=device)
    memory = _arrays.make(_arrays.CPU, "memmap", filename, np.uint8, "r+" if shared else "c", shape=(needed,))
    return frombuffer(memory, dtype=wanted).to(_arrays.as_device(device))


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of the memory of `tensor`, for another library's ``from_dlpack`` to take, once."""
    return tensor.__dlpack__()


def frombuffer(buffer: Any, *, dtype: DTypeLike, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A 1-dimensional tensor over the memory of an object with Python's buffer protocol.

    Args:
        dtype: how to read the bytes.
        count: how many elements; -1: all there are.
        offset: how many bytes to skip at the start.

    Raises: ``ValueError`` where the buffer is empty, too short, or no whole number of elements.
    """
    wanted = dtypes.as_dtype(dtype)
    try:
        there = memoryview(buffer).nbytes
    except TypeError:
        raise InvalidValueError(f"frombuffer: object does not implement Python buffer protocol: {type(buffer).__name__}") \
            from None
    if not memoryview(buffer).c_contiguous:
        raise RuntimeValueError("frombuffer: could not retrieve buffer from object: its elements do not lie side by side; "
                                "copy it, by bytes(buffer)")
    if not there or not count:
        raise InvalidValueError(f"both buffer length ({there}) and count ({count}) must not be 0")
    if not 0 <= offset < there:
        raise InvalidValueError(f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({there} bytes) "
                                "minus 1")
    if count > 0 and offset + count * wanted.itemsize > there:
        raise InvalidValueError(f"requested buffer length ({count} * {wanted.itemsize} bytes) after offset ({offset} bytes) must "
                                f"not be greater than actual buffer length ({there} bytes)")
    if count < 0 and (there - offset) % wanted.itemsize:
        raise InvalidValueError(f"buffer length ({there - offset} bytes) after offset ({offset} bytes) must be a multiple of "
                                f"element size ({wanted.itemsize})")
    array = np.frombuffer(buffer, wanted.numpy, count, offset)
    warn_read_only(array, "buffer")
    return wrap(array, requires_grad)


def to_array(caller: str, data: Any, wanted: Any) -> tuple[Any, Any]:
    """An array of `data`, and the device for it if the caller names none."""
    if isinstance(data, TensorBase):
        data = data.array
    if isinstance(data, np.generic):
        data = np.asarray(data)
    if watching.count and not isinstance(data, (*NUMBERS, list, tuple)):
        watching.show_read(data)
    if isinstance(data, _arrays.array_types):
        array = dtypes.adopt_array(as_numbers(caller, data))
        return (array if wanted is None else convert(array, wanted)), _arrays.device_of(array)
    if not isinstance(data, (*NUMBERS, list, tuple)):
        if hasattr(data, "__cuda_array_interface__"):
            return to_array(caller, _arrays.from_cuda(data), wanted)
        if hasattr(data, "__array__") or hasattr(data, "__array_interface__"):
            return to_array(caller, as_numpy(data), wanted)
        if hasattr(data, "__dlpack__"):
            return to_array(caller, _arrays.from_dlpack(data), wanted)
        if hasattr(data, "toarray"):
            raise ArgumentError(f"{caller}(): there are no sparse tensors, and {type(data).__name__} is a sparse array; make it "
                                f"dense, by {caller}(data.toarray())")
    found: set[Any] = set()
    if type(data) is float or type(data) is int:
        found.add(dtypes.get_default_dtype() if type(data) is float else dtypes.int64)
    else:
        if gather(caller, [data], found):
            data = with_numbers(data)
    if wanted is None:
        wanted = dtypes.get_default_dtype()  # of an empty list
        for k, d in enumerate(found):
            wanted = d if k == 0 else dtypes.promote_types(wanted, d)
    try:
        return quiet().run(np.array, data, dtype=wanted.numpy), _arrays.as_device(None)
    except OverflowError as error:
        return wrap_around(caller, data, wanted, error), _arrays.as_device(None)
    except TypeError as error:
        raise uneven_error(caller, data) or ArgumentError(f"{caller}: cannot make {wanted!r} of the data: {error}") from None
    except ValueError as error:
        raise uneven_error(caller, data) or DtypeError(f"{caller}: value cannot be converted to {wanted!r} without overflow "
                                                       f"({error})") from None


def as_numpy(data: Any) -> Any:
    """The array of an object that says how it becomes one. What NumPy cannot hold, such as another library's bfloat16, may come
    by DLPack."""
    try:
        return np.asarray(data)
    except Exception:
        if not hasattr(data, "__dlpack__"):
            raise
        with contextlib.suppress(Exception):
            return _arrays.from_dlpack(data)
        raise


def as_numbers(caller: str, array: Any) -> Any:
    """`array` with its numbers in the machine's byte order. Warns where its mask is dropped."""
    if not array.dtype.isnative and array.dtype.newbyteorder("=") in dtypes.FROM_NUMPY:
        array = array.astype(array.dtype.newbyteorder("="))
    warn_mask(caller, array)
    return array


def warn_mask(caller: str, array: Any) -> None:
    """Warn where elements of a masked array would count like the others."""
    if array.__class__ is not np.ndarray and isinstance(array, np.ndarray) and np.any(getattr(array, "mask", False)):
        warn_user(f"{caller}: the mask of the array is dropped, and what it hides counts like the rest; give "
                  "array.filled(value), or use the mask apart from it, as in masked.mean(x, mask=~mask)")


def wrap_around(caller: str, data: Any, wanted: dtypes.dtype, error: OverflowError) -> Any:
    """Integers that NumPy found to be out of range. In an unsigned dtype negative ones wrap around, as in PyTorch."""
    try:
        wide = np.array(data, dtype=np.int64)
    except OverflowError:
        raise InvalidValueError(f"{caller}: Overflow when unpacking long long: no dtype holds integers beyond 64 bits") from None
    if wanted.kind == "u" and (np.abs(wide) <= np.iinfo(wanted.numpy).max).all():
        return wide.astype(wanted.numpy)
    raise DtypeError(f"{caller}: value cannot be converted to {wanted!r} without overflow ({error}); a wider dtype= may hold it")


@on_device_of_inputs
def convert(array: Any, wanted: dtypes.dtype) -> Any:
    part = array.real if array.dtype.kind == "c" and wanted.kind != "c" else array
    return quiet().run(part.astype, wanted.numpy, copy=False)


def gather(caller: str, data: Any, found: set[Any], within: tuple[Any, ...] = ()) -> bool:
    """Collect into `found` the dtypes of the numbers in nested sequences, those round `data` being `within`. Returns whether a
    tensor of one element and with dimensions, which counts as a number, is among them. Raises where there is something else."""
    if any([data is outer for outer in within]):
        raise ArgumentError(f"{caller}(): self-referential lists are incompatible with tensors")
    if len(within) > MOST_DIMENSIONS:
        raise InvalidValueError(f"{caller}: too many dimensions {type(data).__name__!r}; arrays have {MOST_DIMENSIONS} at most")
    tensors_as_numbers = False
    for kind in set(map(type, data)):
        if issubclass(kind, (TensorBase, np.generic, *_arrays.array_types)):
            arrays: list[Any] = [getattr(x, "array", x) for x in data if type(x) is kind]
            if watching.count:
                watching.show_read(arrays[0])
            found.update([dtypes.known_dtype(a.dtype) for a in arrays])
            tensors_as_numbers |= issubclass(kind, TensorBase) and any([a.size == 1 and a.ndim > 0 for a in arrays])
        elif issubclass(kind, (bool, int, float, complex)):
            python = next(k for k in (bool, int, float, complex) if issubclass(kind, k))
            found.add(dtypes.result_dtype([python(0)]))
        elif issubclass(kind, (str, bytes)):
            if not within or not isinstance(data[0], kind):  # beside numbers
                raise ArgumentError(f"{caller}(): invalid data type {kind.__name__!r}")
            raise InvalidValueError(f"{caller}: too many dimensions {kind.__name__!r}")
        elif hasattr(kind, "__array__"):
            found.update([dtypes.known_dtype(np.asarray(x).dtype) for x in data if type(x) is kind])
        elif hasattr(kind, "__len__") and hasattr(kind, "__getitem__") and not issubclass(kind, dict):
            inside = (*within, data)
            for x in data:
                if type(x) is kind:
                    tensors_as_numbers |= gather(caller, x, found, inside)
        else:
            raise DtypeError(f"{caller}: Could not infer dtype of {kind.__name__}")
    return tensors_as_numbers


def with_numbers(data: Any) -> Any:
    """Nested sequences with a number in the place of each tensor of one element."""
    if isinstance(data, TensorBase) and data.array.size == 1:
        return data.array.item()
    return [with_numbers(x) for x in data] if isinstance(data, (list, tuple)) else data


def uneven_error(caller: str, data: Any) -> Exception | None:
    """The error that says where nested sequences differ in length, or None if they do not."""
    def length(x: Any) -> Any:
        return len(x) if hasattr(x, "__len__") and getattr(x, "ndim", 1) != 0 else None

    layer: list[tuple[tuple[int, ...], Any]] = [((), data)]
    depth = 0
    while any(length(x) is not None for _, x in layer):
        first = length(layer[0][1])
        for path, x in layer:
            where = "data" + "".join([f"[{k}]" for k in path])
            if (first is None) is not (length(x) is None):
                return ArgumentError(f"{caller}: not a sequence: {where} is {'a sequence' if first is None else 'a number'}, "
                                     f"others at dim {depth} are {'numbers' if first is None else 'sequences'}")
            if length(x) != first:
                return InvalidValueError(f"{caller}: expected sequence of length {first} at dim {depth} (got {length(x)}): "
                                         f"{where}")
        layer = [((*path, k), item) for path, x in layer for k, item in enumerate(x)]
        depth += 1
    return None
