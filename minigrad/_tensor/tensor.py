"""The Tensor that users hold: methods and operators; the mathematics is in :mod:`minigrad.ops`."""

from __future__ import annotations

import builtins
import copy
import importlib
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Callable, Iterator, Self, Sequence, TypeVar, overload

import numpy as np

from minigrad import _arrays, autograd
from minigrad._tensor import printing, ufuncs
from minigrad._tensor.methods import TensorMethods
from minigrad._types import dtypes, layouts
from minigrad._types.size import Size
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.errors import (
    ArgumentError,
    DeviceError,
    DimensionError,
    DtypeError,
    GraphError,
    InvalidValueError,
    RuntimeValueError,
    ShapeError,
)
from minigrad.ops import copying, creation
from minigrad.ops.indexing.as_strided import at_place, memory_and_place, storage_owner
from minigrad.ops.pointwise import arithmetic, comparison
from minigrad.ops.shaping import shape as shapes
from minigrad.ops.shaping import slicing
from minigrad.recording import clock, overriding, watching
from minigrad.recording.boundary import publish_methods
from minigrad.recording.call import about_to_read, is_operand
from minigrad.recording.codegen import regenerate_call_paths
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.graph import Node, RemovableHandle, recording_off, tensor_on_edge
from minigrad.recording.hints import warn_user
from minigrad.recording.inplace import overlaps
from minigrad.recording.quiet import quiet

if TYPE_CHECKING:
    from minigrad._tensor.storage import TypedStorage, UntypedStorage
    from minigrad._types.annotations import DeviceLike, DTypeLike, Number

T = TypeVar("T", bound="Tensor")


class Tensor(TensorMethods):
    """An n-dimensional array that can record what is done with it.

    Made by :func:`minigrad.tensor` and the other creation functions. ``Tensor([1., 2.])`` and ``Tensor(2, 3)`` are
    PyTorch's legacy constructor: the default dtype, from data or, uninitialised, of a shape.
    """

    __module__ = "minigrad"  # by which users know it, and files refer to it
    _grad: Tensor | None = None
    _base: Any = None
    _view: tuple[Any, ...] = ()
    _off: Any = None  # why it is not in the graph, where that is known
    __array_ufunc__: Any = ufuncs.ForNumPy()
    __array_function__: Any = ufuncs.call_function
    __array_priority__: builtins.int = 1000

    def __new__(cls, *data: Any, size: Sequence[builtins.int] | None = None, device: DeviceLike | None = None) -> Self:
        made: Any
        data = data if size is None else (Size(size),)
        if cls is not Tensor:
            made = Tensor(*data, device=device).as_subclass(cls)
        elif len(data) == 1 and isinstance(data[0], Tensor):
            made = data[0].detach()
        elif len(data) == 1 and not isinstance(data[0], (builtins.int, Size)):
            made = creation.tensor(legacy_data(data[0]), dtype=dtypes.get_default_dtype(), device=device)
        else:
            made = creation.empty(*(data or (0,)), device=device)
        return made  # type: ignore[no-any-return]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        owner: Any = next(c for c in cls.__mro__ if "result_class" in c.__dict__)
        if owner.result_class is owner or owner is TensorBase:  # of a Parameter it is Tensor, and so of its subclasses
            cls.result_class = cls
        if "__torch_function__" in cls.__dict__ or any([c in overriding.subclasses for c in cls.__mro__]):
            overriding.subclasses.add(cls)
            regenerate_call_paths()

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What a subclass that overrides this method calls by ``super()``: ``func(*args, **kwargs)`` itself, which is then not
        asked of the subclass again. A tensor that comes of it is made one of the subclass. PyTorch, which asks too where one of
        its own tensors is beside one of ours, is answered ``NotImplemented``."""
        if any([overriding.is_of_pytorch(type(x)) for x in overriding.flat(args)]):
            return NotImplemented
        token = overriding.disabled.set(True)
        try:
            result = func(*args, **(kwargs or {}))
        finally:
            overriding.disabled.reset(token)
        return result.as_subclass(cls) if type(result) is Tensor and cls is not Tensor else result

    # -- attributes

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return tuple.__new__(Size, self.array.shape)

    @property
    def ndim(self) -> builtins.int:
        """How many dimensions there are."""
        return self.array.ndim  # type: ignore[no-any-return]

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.FROM_NUMPY[self.array.dtype]

    @property
    def device(self) -> _arrays.Device:
        """Where the elements are."""
        return _arrays.device_of(self.array)

    @property
    def itemsize(self) -> builtins.int:
        """Bytes in one element."""
        return self.array.itemsize  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> builtins.int:
        """Bytes in all elements."""
        return self.array.size * self.array.itemsize  # type: ignore[no-any-return]

    @property
    def layout(self) -> layouts.layout:
        """Always ``minigrad.strided``."""
        return layouts.strided

    @property
    def is_cuda(self) -> builtins.bool:
        """Whether the elements are on a GPU."""
        return self.device.type == "cuda"

    @property
    def is_cpu(self) -> builtins.bool:
        """Whether the elements are in host memory."""
        return self.device.type == "cpu"

    @property
    def is_sparse(self) -> builtins.bool:
        """Always False: there are only dense tensors."""
        return False

    @property
    def is_nested(self) -> builtins.bool:
        """Always False."""
        return False

    @property
    def is_meta(self) -> builtins.bool:
        """Always False: every tensor has its elements."""
        return False

    # Programs ask for these; no tensor has a name, or is of one of these kinds, or on such a device.
    name, volatile = None, False
    is_ipu = is_maia = is_mkldnn = is_mps = is_mtia = is_quantized = is_sparse_csr = is_vulkan = is_xla = is_xpu = False

    @property
    def names(self) -> tuple[None, ...]:
        """None for each dimension: dimensions have no names."""
        return (None,) * len(self.array.shape)

    @overload
    def size(self, dim: None = None) -> Size: ...
    @overload
    def size(self, dim: builtins.int) -> builtins.int: ...
    def size(self, dim: builtins.int | None = None) -> Size | builtins.int:
        """The shape, or the size of dimension `dim`."""
        if dim is None:
            return self.shape
        ndim = max(self.array.ndim, 1)
        if not -ndim <= dim < ndim or not self.array.ndim:
            raise DimensionError(f"size: Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], "
                                 f"but got {dim})")
        found: builtins.int = self.array.shape[dim]
        return found

    def dim(self) -> builtins.int:
        """How many dimensions there are."""
        return self.array.ndim  # type: ignore[no-any-return]

    ndimension = dim

    def numel(self) -> builtins.int:
        """How many elements there are."""
        return self.array.size  # type: ignore[no-any-return]

    nelement = numel

    def element_size(self) -> builtins.int:
        """Bytes in one element."""
        return self.array.itemsize  # type: ignore[no-any-return]

    @overload
    def stride(self, dim: None = None) -> tuple[builtins.int, ...]: ...
    @overload
    def stride(self, dim: builtins.int) -> builtins.int: ...
    def stride(self, dim: builtins.int | None = None) -> tuple[builtins.int, ...] | builtins.int:
        """How many elements lie between neighbours, in each dimension or in dimension `dim`."""
        # NumPy leaves the strides of an array without elements unset.
        like = self.array
        if not like.size and not builtins.any(like.strides):
            like = np.empty([builtins.max(n, 1) for n in like.shape], like.dtype)
        steps = tuple(s // like.itemsize for s in layouts.strides_of(like))
        return steps if dim is None else steps[dim]

    def storage_offset(self) -> builtins.int:
        """How many elements of the underlying memory come before the first one."""
        owner = storage_owner(self.array)
        return (_arrays.address_of(self.array) - _arrays.address_of(owner)) // builtins.int(self.array.itemsize)

    def as_subclass(self, cls: builtins.type[T]) -> T:
        """The same tensor as an instance of `cls`, a subclass of Tensor; the memory and the place in the graph are shared."""
        if not issubclass(cls, Tensor):
            raise ArgumentError(f"as_subclass(): expected a subclass of Tensor, got {cls.__name__}")
        source = shapes.reshape_as(self, self) if self.node is LEAF else self
        t = object.__new__(cls)
        t.array, t.node = source.array, source.node
        return t

    def data_ptr(self) -> builtins.int:
        """The address of the first element."""
        return _arrays.address_of(self.array)

    const_data_ptr = data_ptr

    def untyped_storage(self) -> UntypedStorage:
        """The memory that the elements lie in, whole: where it is and how large."""
        storage: UntypedStorage = importlib.import_module("minigrad._tensor.storage").UntypedStorage(self.array)
        return storage

    def storage(self) -> TypedStorage:
        """The memory that the elements lie in, whole, as a row of elements of this dtype; see :meth:`untyped_storage`."""
        storage: TypedStorage = importlib.import_module("minigrad._tensor.storage").TypedStorage(self.array)
        return storage

    def get_device(self) -> builtins.int:
        """The index of the GPU that the elements are on; -1 for the CPU."""
        return -1 if self.device.index is None else self.device.index

    def is_contiguous(self, memory_format: layouts.memory_format = layouts.contiguous_format) -> builtins.bool:
        """Whether the elements lie in memory in the order of the dimensions, without gaps."""
        return memory_format.describes(self.array)

    def dim_order(self) -> tuple[builtins.int, ...]:
        """The dimensions from the widest step in memory to the narrowest."""
        return tuple(sorted(range(self.array.ndim), key=lambda d: -self.array.strides[d]))

    def is_floating_point(self) -> builtins.bool:
        """Whether the dtype is a floating type."""
        return self.dtype.is_floating_point

    def is_complex(self) -> builtins.bool:
        """Whether the dtype is a complex type."""
        return self.array.dtype.kind == "c"  # type: ignore[no-any-return]

    def is_signed(self) -> builtins.bool:
        """Whether the dtype can hold negative numbers."""
        return self.dtype.is_signed

    def is_nonzero(self) -> builtins.bool:
        """Whether the one element is not zero. Raises ``RuntimeError`` for more elements, or none."""
        return self.__bool__()

    def is_same_size(self, other: Tensor) -> builtins.bool:
        """Whether `other` has the same shape."""
        return self.array.shape == other.array.shape  # type: ignore[no-any-return]

    def is_set_to(self, tensor: Tensor) -> builtins.bool:
        """Whether `tensor` is the same part of the same memory."""
        return [self.data_ptr(), self.shape, self.stride()] == [tensor.data_ptr(), tensor.shape, tensor.stride()]

    def is_conj(self) -> builtins.bool:
        """Always False: :meth:`conj` computes its values at once."""
        return False

    is_neg = is_inference = is_conj

    def resolve_conj(self) -> Tensor:
        """The tensor itself; see :meth:`is_conj`."""
        return self

    resolve_neg = resolve_conj

    # -- conversion

    def to(self, *args: Tensor | DTypeLike | DeviceLike | builtins.bool | None, dtype: DTypeLike | None = None,
           device: DeviceLike | None = None, non_blocking: builtins.bool = False, copy: builtins.bool = False,
           memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to a dtype, moved to a device, or both: ``to(dtype)``, ``to(device, dtype)``, ``to(other_tensor)``.

        The tensor itself where nothing changes, unless `copy`. With `non_blocking`, a copy from pinned memory to a GPU, or from
        a GPU, goes on while Python does; ``minigrad.cuda.synchronize()`` waits for it.
        """
        flags = []
        for a in args:
            if isinstance(a, TensorBase):
                dtype, device = dtypes.FROM_NUMPY[a.array.dtype], _arrays.device_of(a.array)
            elif isinstance(a, builtins.bool):
                flags.append(a)
            elif isinstance(a, (str, builtins.int, _arrays.Device)):
                device = a
            elif a is not None:
                dtype = dtypes.as_dtype(a)
        result = self
        if device is not None:
            source, target = self.device, _arrays.as_device(device)
            if target != source and (target := _arrays.resolve(target)) != source:
                later = non_blocking or flags[:1] == [True]
                result = copying.to_device(result, device=target, source=source, non_blocking=later)
        if dtype is not None and (wanted := dtypes.as_dtype(dtype)).numpy is not self.array.dtype:
            if self.array.dtype.kind == "c" and wanted.kind not in "cb":
                warn_user("Casting complex values to real discards the imaginary part; take .real, .imag or .abs()")
            result = arithmetic.cast(result, dtype=wanted)
        arranged = memory_format is None or memory_format.describes(result.array)
        if not arranged or result is self and (copy or flags[1:] == [True]):
            return copying.clone(result, memory_format=memory_format or layouts.preserve_format)
        return result

    @overload
    def type(self, dtype: None = None, non_blocking: builtins.bool = False) -> str: ...
    @overload
    def type(self, dtype: DTypeLike | str, non_blocking: builtins.bool = False) -> Tensor: ...
    def type(self, dtype: DTypeLike | str | None = None, non_blocking: builtins.bool = False) -> Tensor | str:
        """PyTorch's name of the type, such as ``'minigrad.FloatTensor'``; or the tensor converted to `dtype`, and moved to a GPU
        for ``'minigrad.cuda.FloatTensor'``."""
        if dtype is not None:
            name = dtype if isinstance(dtype, str) else f"{getattr(dtype, '__module__', '')}.{getattr(dtype, '__name__', '')}"
            name = name.replace("torch.", "minigrad.")
            if name.startswith("minigrad.cuda."):
                return self.cuda().type(name.replace(".cuda", ""))
            found: Any = dtypes.get_default_dtype() if name == "minigrad.Tensor" else TYPE_OF.get(name, dtype)
            if found is dtype and isinstance(dtype, str) and "Tensor" in dtype:
                raise InvalidValueError(f"type(): invalid type: {dtype!r}; it can be {', '.join(TYPE_OF)}")
            return self.to(dtype=found)
        names = {d: name for name, d in TYPE_OF.items()}
        return names[self.dtype].replace("minigrad.", "minigrad.cuda.") if self.is_cuda else names[self.dtype]

    def type_as(self, other: Tensor) -> Tensor:
        """Converted to the dtype, and moved to the device, of `other`."""
        return self.to(dtype=other.dtype, device=other.device)

    def cpu(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """The tensor on the CPU; itself if it is there already."""
        return self.to(device="cpu", memory_format=memory_format)

    def cuda(self, device: DeviceLike | None = None, non_blocking: builtins.bool = False,
             memory_format: layouts.memory_format | None = None) -> Tensor:
        """On a GPU: the current one, or `device`."""
        target = _arrays.as_device("cuda" if device is None else device)
        if target.type == "cpu":
            raise DeviceError(f"Invalid device, must be cuda device: got '{target}'; Tensor.cpu() moves to host memory")
        return self.to(device=target, non_blocking=non_blocking, memory_format=memory_format)

    def pin_memory(self, device: DeviceLike | None = None) -> Tensor:
        """A copy in memory that the operating system leaves in its place, from which ``to("cuda", non_blocking=True)`` need not
        be waited for; the tensor itself if it is there. Raises ``RuntimeError`` for a tensor on a GPU, or where there is none."""
        library: Any = _arrays.library_on(_arrays.Device("cuda" if device is None else device))
        if self.device.type != "cpu":
            raise DeviceError(f"cannot pin '{self.type()}': only dense CPU tensors can be pinned, this one is on {self.device}")
        if library.is_pinned(self.array):
            return self
        pinned: Tensor = tensor_on_edge(library.pin(self.array), None, self.result_class)
        return pinned

    def is_pinned(self, device: DeviceLike | None = None) -> builtins.bool:
        """Whether the elements are in memory that :meth:`pin_memory` made."""
        return _arrays.is_pinned(self.array)

    def share_memory_(self) -> Tensor:
        """Move the elements into memory that other processes share: there, where the tensor comes as an argument, by a queue of
        :mod:`minigrad.multiprocessing` or by a fork, a write by one is seen by all. Returns the tensor.

        Other tensors that shared its memory before stay behind. Tensors on a GPU are left as they are. Raises ``RuntimeError``
        where the system has no such memory.
        """
        if not self.is_shared():
            self.array = importlib.import_module("minigrad._arrays.shared").shared_copy(self.array)
        return self

    def is_shared(self) -> builtins.bool:
        """Whether the elements are in memory that :meth:`share_memory_` made; True also on a GPU."""
        if self.device.type != "cpu":
            return True
        return importlib.import_module("minigrad._arrays.shared").segment_of(self.array) is not None

    def float(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to float32."""
        return self.to(dtypes.float32, memory_format=memory_format)

    def double(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to float64."""
        return self.to(dtypes.float64, memory_format=memory_format)

    def half(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to float16."""
        return self.to(dtypes.float16, memory_format=memory_format)

    def bfloat16(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to bfloat16."""
        return self.to(dtypes.bfloat16, memory_format=memory_format)

    def int(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to int32."""
        return self.to(dtypes.int32, memory_format=memory_format)

    def long(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to int64."""
        return self.to(dtypes.int64, memory_format=memory_format)

    def short(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to int16."""
        return self.to(dtypes.int16, memory_format=memory_format)

    def char(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to int8."""
        return self.to(dtypes.int8, memory_format=memory_format)

    def byte(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to uint8."""
        return self.to(dtypes.uint8, memory_format=memory_format)

    def bool(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to bool: True where not zero."""
        return self.to(dtypes.bool_, memory_format=memory_format)

    def cfloat(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to complex64."""
        return self.to(dtypes.complex64, memory_format=memory_format)

    def cdouble(self, memory_format: layouts.memory_format | None = None) -> Tensor:
        """Converted to complex128."""
        return self.to(dtypes.complex128, memory_format=memory_format)

    def item(self) -> Any:
        """The one element as a Python number. Raises ``RuntimeError`` where there is not exactly one."""
        if self.array.size != 1:
            raise ShapeError(f"item: a Tensor with {self.array.size} elements cannot be converted to Scalar; "
                             "index one of them, or use tolist()")
        about_to_read(self)
        return self.array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers; a 0-dimensional tensor gives a number."""
        about_to_read(self)
        return self.array.tolist()

    def numpy(self, *, force: builtins.bool = False) -> np.ndarray[Any, Any]:
        """The elements as a NumPy array that shares the tensor's memory: what is written to one shows in the other.

        With `force`, also for a tensor that requires grad or is on a GPU (then a copy).
        Raises ``RuntimeError`` for a tensor that requires grad, unless under ``no_grad``, and ``TypeError`` for one on a GPU.
        """
        if watching.count:
            watching.show_read(self.array)
        if force:
            return _arrays.to_numpy(self.array).view()
        if self.node is not None and autograd.is_grad_enabled():
            raise GraphError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self.device.type != "cpu":
            raise ArgumentError(f"can't convert {self.device} device type tensor to numpy. "
                                "Use Tensor.cpu() to copy the tensor to host memory first.")
        shared: np.ndarray[Any, Any] = self.array.view()
        return shared

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """The values for NumPy functions and plotting: a view that cannot be written to, or a converted copy."""
        about_to_read(self)
        array = _arrays.to_numpy(self.array)
        if copy or dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                raise InvalidValueError(f"a tensor of {self.dtype!r} cannot become an array of {np.dtype(dtype)} without a copy")
            return array.astype(array.dtype if dtype is None else dtype)
        array = array.view()
        array.flags.writeable = False
        return array

    def __dlpack__(self, *, stream: Any = None, **options: Any) -> Any:
        """The DLPack capsule by which other libraries share the memory. Raises ``BufferError`` for one that requires grad,
        ``TypeError`` for a `stream` that is no number, ``AssertionError`` for one of a tensor in host memory."""
        if stream is not None:
            if not isinstance(stream, builtins.int):
                raise ArgumentError(f"__dlpack__(): stream must be an int or None, not {builtins.type(stream).__name__}")
            if self.device.type == "cpu":
                raise AssertionError("__dlpack__(): stream should be None on cpu: there are no streams in host memory")
            options["stream"] = stream
        if self.node is not None:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if watching.count:
            watching.show_read(self.array)
        if not options.get("copy") and min(self.array.strides, default=0) < 0:
            raise BufferError("__dlpack__(): the tensor lies over a NumPy array that is read backwards, by a negative stride, "
                              "which other libraries cannot do, some without saying so; give them x.contiguous()")
        return _arrays.to_dlpack(self.array, **options)

    def __dlpack_device__(self) -> Any:
        """DLPack's numbers of the kind of device, 1 host memory, 2 CUDA, and of the device."""
        return self.array.__dlpack_device__()

    @property
    def __cuda_array_interface__(self) -> Any:
        """Where the elements are in a GPU's memory, for Numba and others; only tensors on a GPU have it."""
        if self.device.type == "cpu":
            raise AttributeError(f"Can't get __cuda_array_interface__ on non-CUDA tensor type: {self.type()}. If CUDA data is "
                                 "required use tensor.cuda() to copy tensor to device memory.")
        if self.node is not None:
            raise GraphError("Can't get __cuda_array_interface__ on Variable that requires grad. If gradients aren't required, "
                             "use var.detach() to get Variable that doesn't require grad.")
        return self.array.__cuda_array_interface__

    # -- copies and writes

    def contiguous(self, memory_format: layouts.memory_format = layouts.contiguous_format) -> Tensor:
        """The tensor itself if it is contiguous, else a copy that is."""
        if memory_format is layouts.preserve_format:
            raise RuntimeValueError("contiguous: preserve memory format is unsupported by the contiguous operator; use clone()")
        return self if memory_format.describes(self.array) else copying.clone(self, memory_format=memory_format)

    @on_device_of_inputs
    def copy_(self, src: Tensor, non_blocking: builtins.bool = False) -> Tensor:
        """Overwrite with `src`, broadcast and converted to this tensor's shape, dtype and device; gradients flow to `src`."""
        if not isinstance(src, TensorBase):
            src = creation.constant_like(self, src)
        source = src.array
        if src.node is None and self._is_plain() and source.__class__ is np.ndarray and source.dtype.kind != "c" \
                and source.shape == self.array.shape and not overlaps(self.array):
            quiet().run(self.array.__setitem__, ..., source)
            clock.ledger.record(self.array, "copy_")
            return self
        return copying.copy.inplace(self, src.to(device=self.device))

    def _is_plain(self) -> builtins.bool:
        """Whether a write in place concerns nothing but the elements: no gradient flows here, nobody watches, and the memory may
        be written."""
        return self.node is None and (self._base is None or self._base.node is None) and not watching.count \
            and self.array.__class__ is np.ndarray and self.array.flags.writeable

    @on_device_of_inputs
    def fill_(self, value: Tensor | Number) -> Tensor:
        """Overwrite every element with `value`, a number or a 0-dimensional tensor."""
        if not isinstance(value, TensorBase):
            value = creation.constant_like(self, value)
            if self._is_plain():
                self.array[...] = value.array
                clock.ledger.record(self.array, "fill_")
                return self
        return self._fill_recorded(value)

    def _fill_recorded(self, value: Any) -> Tensor:
        """Overwrite every element with `value` where the graph must know of it. Of elements that are one in memory, as in an
        expanded tensor, one is written."""
        if not overlaps(self.array):
            return copying.fill.inplace(self, value)
        distinct = [slice(0, 1) if not step and n > 1 else slice(None) for step, n in zip(self.array.strides, self.array.shape)]
        copying.fill.inplace(self[tuple(distinct)], value)
        return self

    @on_device_of_inputs
    def zero_(self) -> Tensor:
        """Overwrite every element with 0."""
        if not self._is_plain():
            return self._fill_recorded(0)
        self.array.fill(0)
        clock.ledger.record(self.array, "zero_")
        return self

    @on_device_of_inputs
    def map_(self, tensor: Tensor, callable: Callable[[Any, Any], Number]) -> Tensor:
        """Replace each element by ``callable(element, that of tensor)``, as :meth:`apply_` does; `tensor` is expanded."""
        return self._map(callable, tensor)

    def map2_(self, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Number]) -> Tensor:
        """Replace each element by ``callable(element, that of x, that of y)``, as :meth:`apply_` does; both are expanded."""
        return self._map(callable, x, y)

    def _map(self, callable: Callable[..., Number], *tensors: Tensor) -> Tensor:
        about_to_read(self)
        others = [shapes.expand(t, size=self.shape).array.reshape(-1).tolist() for t in tensors]
        values = np.array([callable(*xs) for xs in zip(self.array.reshape(-1).tolist(), *others)], dtype=self.array.dtype)
        return self.copy_(creation.from_numpy(values.reshape(self.array.shape)))

    def apply_(self, callable: Callable[[Any], Number]) -> Tensor:
        """Replace each element by ``callable(element)``: a Python call for each, for small tensors and tests."""
        return self._map(callable)

    # -- creation

    def new(self, *args: Any, device: DeviceLike | None = None) -> Tensor:
        """PyTorch's legacy constructor, with this tensor's dtype and device: of data, or uninitialised of a shape."""
        if len(args) == 1 and isinstance(args[0], TensorBase):
            return args[0].detach().to(dtype=self.dtype, device=device or self.device)  # type: ignore[attr-defined,no-any-return]
        if len(args) == 1 and not isinstance(args[0], (builtins.int, Size)):
            return self.new_tensor(legacy_data(args[0]), device=device)
        return self.new_empty(*(args or (0,)), device=device)

    # -- autograd

    @property
    def grad_fn(self) -> Node | None:
        """The node that made the tensor; None for a leaf."""
        found: Node | None = self.node and self.node.grad_fn
        return found

    @property
    def is_leaf(self) -> builtins.bool:
        """Whether the tensor was not computed from one that requires grad."""
        return self.node is None or self.node is LEAF

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether gradients are computed for it: set on leaves, inherited by what is computed from them."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, value: builtins.bool) -> None:
        if not isinstance(value, builtins.bool):
            raise RuntimeValueError(f"requires_grad must be a bool, not {type(value).__name__}")
        if not self.is_leaf:
            advice = (" If you want to use a computed variable in a subgraph that doesn't require differentiation use "
                      "var_no_grad = var.detach().")
            raise GraphError("you can only change requires_grad flags of leaf variables." + ("" if value else advice))
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        """Ask for gradients, or for none, in place. Raises ``RuntimeError`` for integer tensors."""
        if self.is_leaf:
            if requires_grad:
                creation.refuse_integers(self.array)
            elif self.node is LEAF:
                self._off = recording_off("requires_grad_(False)")
            self.node = LEAF if requires_grad else None
        elif not requires_grad:
            self.requires_grad = False  # raises
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up here: None, or a tensor of the same shape, dtype and device."""
        if self._grad is None and self.node is not None and self.node is not LEAF and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
                "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
                "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
                "you access the leaf Tensor instead.", UserWarning, stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, TensorBase):
                raise ArgumentError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            if value is self:
                raise GraphError("can't assign Variable as its own grad")
            if value.array.dtype is not self.array.dtype:
                raise DtypeError(f"attempting to assign a gradient with dtype {dtypes.FROM_NUMPY[value.array.dtype]!r} to a "
                                 f"tensor of {self.dtype!r}; convert it, by .to({self.dtype!r})")
            if _arrays.device_of(value.array) != self.device:
                raise DeviceError(f"attempting to assign a gradient on device {_arrays.device_of(value.array)} to a tensor on "
                                  f"{self.device}; move it, by .to('{self.device}')")
            if value.array.shape != self.array.shape:
                raise ShapeError(f"attempting to assign a gradient of size '{list(value.array.shape)}' to a tensor of size "
                                 f"'{list(self.array.shape)}'; they must be equal")
        if watching.count:
            watching.show_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def data(self) -> Tensor:
        """The same elements, outside the graph; assigning a tensor makes its elements this tensor's.

        Writes through ``x.data`` do not count as writes to ``x``: a gradient that needs the elements as they were is wrong then,
        without a word. :meth:`detach` is the safe way to the same memory.
        """
        t = self.detach()
        t.array = _arrays.apart(self.array)
        return t

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, TensorBase):
            raise ArgumentError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self.node is not None:
            creation.refuse_integers(value.array)
        self.array = value.array

    def set_(self, source: Tensor | TypedStorage | UntypedStorage | None = None, storage_offset: builtins.int = 0,
             size: Sequence[builtins.int] | None = None, stride: Sequence[builtins.int] | None = None) -> Tensor:
        """Lay the tensor into the memory of `source`, a tensor or a storage: there it has `size` and `stride`, `storage_offset`
        elements from the start. Without a size, all of a storage, or what a tensor is; without a source, no elements.

        Raises ``RuntimeError`` for a tensor in a graph, another dtype, or what reaches outside of the memory.
        """
        if self.node is not None:
            raise GraphError("set_: a tensor that requires grad keeps its memory; use detach(), or assign to .data")
        given = creation.empty(0, dtype=self.dtype, device=self.device) if source is None else source
        array = given.array if isinstance(given, Tensor) else given.as_vector(self.dtype)
        if array.dtype != self.array.dtype:
            raise DtypeError(f"set_: expected memory of the dtype {self.dtype!r}, got {dtypes.FROM_NUMPY[array.dtype]!r}")
        if size is not None:
            shape = tuple(size)
            steps = tuple(stride) if stride is not None else creation.empty(shape, device="cpu").stride()
            place = (self.dtype, storage_offset, shape, steps)
            array = array.reshape(-1)[:0].reshape(shape) if 0 in shape else at_place(storage_owner(array), place)
        self.array, self._base, self._view = array, None, ()
        return self

    @property
    def output_nr(self) -> builtins.int:
        """Which output of ``grad_fn`` the tensor is."""
        return getattr(self.node, "index", 0)

    @property
    def retains_grad(self) -> builtins.bool:
        """Whether the tensor is no leaf and :meth:`retain_grad` was called on it."""
        extras = getattr(self.node, "extras", None)
        return extras is not None and extras.retains is not None and extras.retains() is self

    @property
    def _version(self) -> builtins.int:
        """How often the tensor's memory has been written in place."""
        write = clock.ledger.find(self.array)
        return 0 if write is None else write.count

    def backward(self, gradient: Tensor | Sequence[Tensor | None] | None = None, retain_graph: builtins.bool | None = None,
                 create_graph: builtins.bool = False, inputs: Tensor | Sequence[Tensor] | None = None) -> None:
        """Compute the gradients of this tensor and add them to ``.grad`` of the leaves; see :func:`autograd.backward`."""
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def detach(self) -> Tensor:
        """The same elements as a tensor outside the graph; the memory is shared."""
        t: Any = object.__new__(self.result_class)
        t.array, t.node = self.array, None
        if self.node is not None:
            t._off = recording_off("detach")
        return t  # type: ignore[no-any-return]

    def detach_(self) -> Tensor:
        """Leave the graph: the tensor becomes a leaf that requires no grad."""
        if self._base is not None:
            if self._is_view():
                raise GraphError("Can't detach views in-place. Use detach() instead.")
            del self._base, self._view
        self.node = None
        return self

    def _is_view(self) -> builtins.bool:
        """Whether the tensor shares the memory of another, from which it was made."""
        return self._base is not None and "_former" not in self._base.__dict__

    def retain_grad(self) -> None:
        """Have backward passes fill ``.grad`` though the tensor is no leaf."""
        if self.node is None:
            raise GraphError("can't retain_grad on Tensor that has requires_grad=False")
        if self.node is not LEAF:
            self.node.ensure_extras().retains = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(grad)`` whenever the tensor's gradient is computed; a returned tensor takes its place.

        >>> import minigrad as mg
        >>> x = mg.tensor(2., requires_grad=True)
        >>> handle = x.register_hook(lambda grad: grad * 10)
        >>> (x * 3).backward(); x.grad
        tensor(30.)
        """
        if self.node is None:
            raise GraphError("cannot register a hook on a tensor that doesn't require gradient")
        if self.node is LEAF:
            return RemovableHandle(self.__dict__.setdefault("_leaf_hooks", {}), hook)
        return RemovableHandle(self.node.ensure_extras().tensor_hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call ``hook(tensor)`` after a backward pass has added to ``tensor.grad``; for leaves."""
        if self.node is None:
            raise GraphError("cannot register a hook on a tensor that doesn't require gradient")
        if self.node is not LEAF:
            raise GraphError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return RemovableHandle(self.__dict__.setdefault("_post_accumulate_hooks", {}), hook)

    # -- Python's protocols

    __hash__ = object.__hash__
    __repr__ = printing.tensor_repr

    def __str__(self) -> str:
        return printing.tensor_repr(self)

    def _repr_html_(self) -> str:
        text: str = importlib.import_module("minigrad.viz.notebook").tensor_html(self)
        return text

    def __treescope_repr__(self, path: Any, subtree_renderer: Any) -> Any:
        return importlib.import_module("minigrad.viz.notebook").tensor_tree(self, path, subtree_renderer)

    def __format__(self, spec: str) -> str:
        if self.array.ndim == 0:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def __bool__(self) -> builtins.bool:
        if self.array.size != 1:
            what = "no values" if self.array.size == 0 else "more than one value"
            raise RuntimeValueError(f"Boolean value of Tensor with {what} is ambiguous; use .any() or .all()")
        about_to_read(self)
        return builtins.bool(self.array.item())

    def __int__(self) -> builtins.int:
        return builtins.int(self._real_number("int64_t"))

    def __float__(self) -> builtins.float:
        return builtins.float(self._real_number("double"))

    def __complex__(self) -> complex:
        return complex(self._number())

    def _number(self) -> Any:
        """The one element, for Python's conversions, which raise ``ValueError`` where :meth:`item` raises ``RuntimeError``."""
        if self.array.size != 1:
            raise InvalidValueError("only one element tensors can be converted to Python scalars, not one of shape "
                                    f"{list(self.array.shape)}; index one element, or use tolist()")
        about_to_read(self)
        return self.array.item()

    def _real_number(self, wanted: str) -> Any:
        """The same of what has no imaginary part."""
        number = self._number()
        if not isinstance(number, complex):
            return number
        if number.imag:
            raise DtypeError(f"value cannot be converted to type {wanted} without overflow: {number} has an imaginary part; take "
                             ".real, .imag or .abs()")
        return number.real

    def __index__(self) -> builtins.int:
        if self.array.size != 1 or self.array.dtype.kind not in "iub":
            raise ArgumentError("only integer tensors of a single element can be converted to an index, not one of "
                                f"{self.dtype!r}{list(self.array.shape)}")
        about_to_read(self)
        return builtins.int(self.array.item())

    def __len__(self) -> builtins.int:
        if not self.array.ndim:
            raise ArgumentError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.array.ndim:
            raise ArgumentError("iteration over a 0-d tensor")
        return iter(slicing.unbind(self))

    @on_device_of_inputs
    def __contains__(self, element: Any) -> builtins.bool:
        if not is_operand(element):
            raise RuntimeValueError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}")
        about_to_read(self)
        return builtins.bool((self.array == getattr(element, "array", element)).any())

    def __reversed__(self) -> Tensor:
        return shapes.flip(self, 0) if self.array.ndim else self

    @on_device_of_inputs
    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Tensor:
        if not self.is_leaf:
            raise GraphError("Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                             f"moment; this one was made by {self.node.name()} at {self.node.grad_fn.source()}. "
                             "Use detach().clone(), or clone() to stay in the graph.")
        t: Any = object.__new__(self.__class__)
        memo[id(self)] = t
        t.array, t.node = self._copied_array(memo), self.node
        for name, value in self.__dict__.items():
            if name == "_grad" or not name.startswith("_"):
                setattr(t, name, copy.deepcopy(value, memo))
        return t  # type: ignore[no-any-return]

    def _copied_array(self, memo: dict[builtins.int, Any]) -> Any:
        """A copy of the array for ``deepcopy``: tensors that share memory have copies that share the copy of it."""
        memory, place = memory_and_place(self.array)
        owner = id(storage_owner(memory))
        if owner not in memo:
            memo[owner] = memory.copy(order="K")
        return at_place(memo[owner], place)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._reduce_to(_arrays.to_numpy(self.array))

    def _reduce_to(self, memory: Any, *place: Any) -> Any:
        """What a pickle holds: the array `memory` and, if that holds more, the place of the tensor in it."""
        # What is computed is stored as a leaf, as PyTorch does; hooks and .grad are left behind.
        notes = {k: v for k, v in self.__dict__.items() if not k.startswith("_")}
        return rebuild, (self.__class__, memory, str(self.device), self.node is not None, *place), notes or None

    # -- operators

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return comparison.eq(self, other) if is_operand(other) else NotImplemented

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return comparison.ne(self, other) if is_operand(other) else NotImplemented

    def __invert__(self) -> Tensor:
        if self.array.dtype.kind not in "iub":
            raise ArgumentError("~ (operator.invert) is only implemented on integer and Boolean-type tensors, not on "
                                f"{self.dtype!r}")
        return comparison.bitwise_not(self)

    def __rtruediv__(self, other: Tensor | Number) -> Tensor:
        return arithmetic.reciprocal(self) * other if is_operand(other) else NotImplemented

    # -- activations and special functions

    def where(self, condition: Tensor, other: Tensor | Number) -> Tensor:
        """The elements of this tensor where `condition`, else those of `other`."""
        return comparison.where(condition, self, other)

TensorBase.result_class = Tensor
publish_methods(Tensor)
TYPE_OF = {"minigrad.FloatTensor": dtypes.float32, "minigrad.DoubleTensor": dtypes.float64,
           "minigrad.HalfTensor": dtypes.float16, "minigrad.BFloat16Tensor": dtypes.bfloat16,
           "minigrad.ByteTensor": dtypes.uint8, "minigrad.CharTensor": dtypes.int8,
           "minigrad.ShortTensor": dtypes.int16, "minigrad.IntTensor": dtypes.int32, "minigrad.LongTensor": dtypes.int64,
           "minigrad.UInt16Tensor": dtypes.uint16, "minigrad.UInt32Tensor": dtypes.uint32,
           "minigrad.UInt64Tensor": dtypes.uint64, "minigrad.BoolTensor": dtypes.bool_,
           "minigrad.ComplexFloatTensor": dtypes.complex64, "minigrad.ComplexDoubleTensor": dtypes.complex128}


def legacy_data(data: Any) -> Any:
    """What PyTorch's older constructors were given, which must be a sequence."""
    if not hasattr(data, "__len__") or isinstance(data, (dict, set)):
        raise ArgumentError(f"new(): data must be a sequence (got {type(data).__name__})")
    return data


def rebuild(cls: Any, memory: Any, device: str, requires_grad: bool, place: Any = None) -> Any:
    """A tensor from what its pickle holds: the memory that it shared with others, and where in that it lay."""
    t = object.__new__(cls)
    t.array = _arrays.to_device(dtypes.adopt_array(at_place(memory, place)), _arrays.as_device(device))
    t.node = LEAF if requires_grad else None
    return t


rebuild.__module__ = "minigrad.serialization"  # files refer to it by a name that does not change with the place of this file
