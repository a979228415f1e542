"""The Tensor that users hold: methods and operators; the mathematics is in :mod:`minigrad.ops`."""

from __future__ import annotations

import builtins
import copy
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Iterator

import numpy as np

from minigrad import _arrays, autograd
from minigrad._tensor import printing, ufuncs
from minigrad._types import dtypes, layouts
from minigrad._types.size import Size
from minigrad.errors import ArgumentError, DeviceError, DimensionError, DtypeError, GraphError, InvalidValueError, ShapeError
from minigrad.ops import copying, creation, sampling, statistics
from minigrad.ops.indexing import as_strided as storage
from minigrad.ops.indexing import indexing
from minigrad.ops.indexing import scatter as scatters
from minigrad.ops.indexing import take as takes
from minigrad.ops.linear_algebra import decomposition, products
from minigrad.ops.neural import activation
from minigrad.ops.pointwise import arithmetic, comparison, elementary, special
from minigrad.ops.reducing import ordering, reduction
from minigrad.ops.shaping import shape as shapes
from minigrad.ops.shaping import slicing
from minigrad.ops.spectral import fourier
from minigrad.recording import clock
from minigrad.recording.boundary import publish_methods
from minigrad.recording.call import quiet
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.graph import LEAF, RemovableHandle, TensorBase, recording_off, tensor_on_edge

if TYPE_CHECKING:
    from minigrad._types.annotations import Number


class Tensor(TensorBase):
    """An n-dimensional array that can record what is done with it.

    Made by :func:`minigrad.tensor` and the other creation functions. ``Tensor([1., 2.])`` and ``Tensor(2, 3)`` are
    PyTorch's legacy constructor: the default dtype, from data or, uninitialised, of a shape.
    """

    __module__ = "minigrad"  # by which users know it, and files refer to it
    _grad: Any = None
    _base: Any = None
    _view: tuple[Any, ...] = ()
    _off: Any = None  # why it is not in the graph, where that is known
    __array_ufunc__ = ufuncs.ForNumPy()
    __array_priority__ = 1000

    def __new__(cls, *data: Any, device: Any = None) -> Any:
        if cls is not Tensor:
            return Tensor(*data, device=device).as_subclass(cls)
        if len(data) == 1 and isinstance(data[0], Tensor):
            return data[0].detach()
        if len(data) == 1 and not isinstance(data[0], (builtins.int, Size)):
            return creation.tensor(data[0], dtype=dtypes.get_default_dtype(), device=device)
        return creation.empty(*(data or (0,)), device=device)

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

    is_cpu = property(lambda self: self.device.type == "cpu", doc="Whether the elements are in host memory.")
    is_sparse = property(lambda self: False, doc="Always False: there are only dense tensors.")
    is_nested = property(lambda self: False, doc="Always False.")
    is_meta = property(lambda self: False, doc="Always False: every tensor has its elements.")
    names = property(lambda self: (None,) * self.array.ndim, doc="None for each dimension: dimensions have no names.")

    def size(self, dim: Any = None) -> Any:
        """The shape, or the size of dimension `dim`."""
        if dim is None:
            return self.shape
        ndim = max(self.array.ndim, 1)
        if not -ndim <= dim < ndim or not self.array.ndim:
            raise DimensionError(f"size: Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], "
                                 f"but got {dim})")
        return self.array.shape[dim]

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

    def stride(self, dim: Any = None) -> Any:
        """How many elements lie between neighbours, in each dimension or in dimension `dim`."""
        # NumPy leaves the strides of an array without elements unset.
        like = self.array
        if not like.size and not builtins.any(like.strides):
            like = np.empty([builtins.max(n, 1) for n in like.shape], like.dtype)
        steps = tuple(s // like.itemsize for s in like.strides)
        return steps if dim is None else steps[dim]

    def storage_offset(self) -> builtins.int:
        """How many elements of the underlying memory come before the first one."""
        owner = clock.memory_owner(self.array)
        return (_arrays.address_of(self.array) - _arrays.address_of(owner)) // builtins.int(self.array.itemsize)

    def as_subclass(self, cls: Any) -> Any:
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

    def get_device(self) -> builtins.int:
        """The index of the GPU that the elements are on; -1 for the CPU."""
        return -1 if self.device.index is None else self.device.index

    def is_contiguous(self, memory_format: Any = layouts.contiguous_format) -> builtins.bool:
        """Whether the elements lie in memory in the order of the dimensions, without gaps."""
        return memory_format.describes(self.array)  # type: ignore[no-any-return]

    def dim_order(self) -> tuple[builtins.int, ...]:
        """The dimensions from the widest step in memory to the narrowest."""
        return tuple(sorted(range(self.array.ndim), key=lambda d: -self.array.strides[d]))

    def is_floating_point(self) -> builtins.bool:
        """Whether the dtype is a floating type."""
        return self.array.dtype.kind == "f"  # type: ignore[no-any-return]

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

    def to(self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: builtins.bool = False,
           copy: builtins.bool = False, memory_format: Any = None) -> Tensor:
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
            result = arithmetic.cast(result, dtype=wanted)
        arranged = memory_format is None or memory_format.describes(result.array)
        if not arranged or result is self and (copy or flags[1:] == [True]):
            return copying.clone(result, memory_format=memory_format or layouts.preserve_format)  # type: ignore[no-any-return]
        return result

    def type(self, dtype: Any = None, non_blocking: builtins.bool = False) -> Any:
        """PyTorch's name of the type, such as ``'minigrad.FloatTensor'``; or the tensor converted to `dtype`."""
        if dtype is not None:
            name = dtype if isinstance(dtype, str) else f"minigrad.{getattr(dtype, '__name__', '')}"
            return self.to(dtype=TYPE_OF.get(name.replace("torch.", "minigrad."), dtype))
        names = {d: name for name, d in TYPE_OF.items()}
        return names[self.dtype].replace("minigrad.", "minigrad.cuda.") if self.is_cuda else names[self.dtype]

    def type_as(self, other: Tensor) -> Tensor:
        """Converted to the dtype, and moved to the device, of `other`."""
        return self.to(dtype=other.dtype, device=other.device)

    def cpu(self, memory_format: Any = None) -> Tensor:
        """The tensor on the CPU; itself if it is there already."""
        return self.to(device="cpu", memory_format=memory_format)

    def cuda(self, device: Any = None, non_blocking: builtins.bool = False, memory_format: Any = None) -> Tensor:
        """On a GPU: the current one, or `device`."""
        target = _arrays.as_device("cuda" if device is None else device)
        if target.type == "cpu":
            raise DeviceError(f"Invalid device, must be cuda device: got '{target}'; Tensor.cpu() moves to host memory")
        return self.to(device=target, non_blocking=non_blocking, memory_format=memory_format)

    def pin_memory(self, device: Any = None) -> Tensor:
        """A copy in memory that the operating system leaves in its place, from which ``to("cuda", non_blocking=True)`` need not
        be waited for; the tensor itself if it is there. Raises ``RuntimeError`` for a tensor on a GPU, or where there is none."""
        library: Any = _arrays.library_on(_arrays.Device("cuda" if device is None else device))
        if self.device.type != "cpu":
            raise DeviceError(f"cannot pin '{self.type()}': only dense CPU tensors can be pinned, this one is on {self.device}")
        if library.is_pinned(self.array):
            return self
        pinned: Tensor = tensor_on_edge(library.pin(self.array), None, self.result_class)
        return pinned

    def is_pinned(self, device: Any = None) -> builtins.bool:
        """Whether the elements are in memory that :meth:`pin_memory` made."""
        return _arrays.is_pinned(self.array)

    def float(self, memory_format: Any = None) -> Tensor:
        """Converted to float32."""
        return self.to(dtypes.float32, memory_format=memory_format)

    def double(self, memory_format: Any = None) -> Tensor:
        """Converted to float64."""
        return self.to(dtypes.float64, memory_format=memory_format)

    def half(self, memory_format: Any = None) -> Tensor:
        """Converted to float16."""
        return self.to(dtypes.float16, memory_format=memory_format)

    def int(self, memory_format: Any = None) -> Tensor:
        """Converted to int32."""
        return self.to(dtypes.int32, memory_format=memory_format)

    def long(self, memory_format: Any = None) -> Tensor:
        """Converted to int64."""
        return self.to(dtypes.int64, memory_format=memory_format)

    def short(self, memory_format: Any = None) -> Tensor:
        """Converted to int16."""
        return self.to(dtypes.int16, memory_format=memory_format)

    def char(self, memory_format: Any = None) -> Tensor:
        """Converted to int8."""
        return self.to(dtypes.int8, memory_format=memory_format)

    def byte(self, memory_format: Any = None) -> Tensor:
        """Converted to uint8."""
        return self.to(dtypes.uint8, memory_format=memory_format)

    def bool(self, memory_format: Any = None) -> Tensor:
        """Converted to bool: True where not zero."""
        return self.to(dtypes.bool_, memory_format=memory_format)

    def cfloat(self, memory_format: Any = None) -> Tensor:
        """Converted to complex64."""
        return self.to(dtypes.complex64, memory_format=memory_format)

    def cdouble(self, memory_format: Any = None) -> Tensor:
        """Converted to complex128."""
        return self.to(dtypes.complex128, memory_format=memory_format)

    def item(self) -> Any:
        """The one element as a Python number. Raises ``RuntimeError`` where there is not exactly one."""
        if self.array.size != 1:
            raise ShapeError(f"item: a Tensor with {self.array.size} elements cannot be converted to Scalar; "
                             "index one of them, or use tolist()")
        return self.array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers; a 0-dimensional tensor gives a number."""
        return self.array.tolist()

    def numpy(self, *, force: builtins.bool = False) -> Any:
        """The elements as a NumPy array that shares the tensor's memory: what is written to one shows in the other.

        With `force`, also for a tensor that requires grad or is on a GPU (then a copy).
        Raises ``RuntimeError`` for a tensor that requires grad, ``TypeError`` for one on a GPU.
        """
        if force:
            return _arrays.to_numpy(self.array).view()
        if self.node is not None:
            raise GraphError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self.device.type != "cpu":
            raise ArgumentError(f"can't convert {self.device} device type tensor to numpy. "
                                "Use Tensor.cpu() to copy the tensor to host memory first.")
        return self.array.view()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """The values for NumPy functions and plotting: a view that cannot be written to, or a converted copy."""
        array = _arrays.to_numpy(self.array)
        if copy or dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                raise ValueError(f"a tensor of {self.dtype!r} cannot become an array of {np.dtype(dtype)} without a copy")
            return array.astype(array.dtype if dtype is None else dtype)
        array = array.view()
        array.flags.writeable = False
        return array

    def __dlpack__(self, **options: Any) -> Any:
        """The DLPack capsule by which other libraries share the memory. Raises ``BufferError`` for one that requires grad."""
        if self.node is not None:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self.array.__dlpack__(**options)

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

    clone = copying.clone

    def contiguous(self, memory_format: Any = layouts.contiguous_format) -> Tensor:
        """The tensor itself if it is contiguous, else a copy that is."""
        if memory_format is layouts.preserve_format:
            raise ShapeError("contiguous: preserve memory format is unsupported by the contiguous operator; use clone()")
        return self if memory_format.describes(self.array) else copying.clone(self, memory_format=memory_format)

    @on_device_of_inputs
    def copy_(self, src: Tensor, non_blocking: builtins.bool = False) -> Tensor:
        """Overwrite with `src`, broadcast and converted to this tensor's shape, dtype and device; gradients flow to `src`."""
        if not isinstance(src, TensorBase):
            src = creation.constant_like(self, src)
        source = src.array
        if src.node is None and self._is_plain() and source.__class__ is np.ndarray and source.dtype.kind != "c" \
                and source.shape == self.array.shape:
            quiet().run(self.array.__setitem__, ..., source)
            clock.ledger.record(self.array, "copy_")
            return self
        return copying.copy.inplace(self, src.to(device=self.device))  # type: ignore[no-any-return]

    def _is_plain(self) -> builtins.bool:
        """Whether a write in place concerns nothing but the elements: no gradient flows here, and the memory may be written."""
        return self.node is None and (self._base is None or self._base.node is None) \
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
        return copying.fill.inplace(self, value)  # type: ignore[no-any-return]

    @on_device_of_inputs
    def zero_(self) -> Tensor:
        """Overwrite every element with 0."""
        if not self._is_plain():
            return copying.fill.inplace(self, 0)  # type: ignore[no-any-return]
        self.array.fill(0)
        clock.ledger.record(self.array, "zero_")
        return self

    @on_device_of_inputs
    def apply_(self, callable: Any) -> Tensor:
        """Replace each element by ``callable(element)``: a Python call for each, for small tensors and tests."""
        values = np.array([callable(x) for x in self.array.reshape(-1).tolist()], dtype=self.array.dtype)
        return self.copy_(creation.from_numpy(values.reshape(self.array.shape)))

    # -- creation

    new_tensor = creation.new_tensor
    new_empty, new_zeros, new_ones, new_full = creation.new_empty, creation.new_zeros, creation.new_ones, creation.new_full
    new_empty_strided = creation.new_empty_strided

    def new(self, *args: Any, device: Any = None) -> Tensor:
        """PyTorch's legacy constructor, with this tensor's dtype and device: of data, or uninitialised of a shape."""
        if len(args) == 1 and not isinstance(args[0], (builtins.int, Size)):
            return self.new_tensor(args[0], device=device)  # type: ignore[no-any-return]
        return self.new_empty(*(args or (0,)), device=device)  # type: ignore[no-any-return]

    # -- random

    uniform_, normal_, bernoulli_ = sampling.uniform_, sampling.normal_, sampling.bernoulli_
    random_, exponential_, geometric_ = sampling.random_, sampling.exponential_, sampling.geometric_
    cauchy_, log_normal_ = sampling.cauchy_, sampling.log_normal_
    bernoulli, multinomial = sampling.bernoulli, sampling.multinomial

    # -- autograd

    @property
    def grad_fn(self) -> Any:
        """The node that made the tensor; None for a leaf."""
        return self.node and self.node.grad_fn

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
            raise GraphError(f"requires_grad must be a bool, not {type(value).__name__}")
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
    def grad(self) -> Any:
        """The gradient that backward passes have added up here: None, or a tensor of the same shape, dtype and device."""
        if self._grad is None and self.node is not None and self.node is not LEAF and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
                "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
                "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
                "you access the leaf Tensor instead.", UserWarning, stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, TensorBase):
                raise ArgumentError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            if value is self:
                raise GraphError("can't assign Variable as its own grad")
            if value.array.dtype is not self.array.dtype:
                raise GraphError(f"assigned grad has data of a different type: expected {self.dtype!r}, got "
                                 f"{dtypes.FROM_NUMPY[value.array.dtype]!r}")
            if _arrays.device_of(value.array) != self.device:
                raise DeviceError(f"assigned grad has data located on a different device: expected {self.device}")
            if value.array.shape != self.array.shape:
                raise ShapeError(f"assigned grad has data of a different size: expected {list(self.array.shape)}, "
                                 f"got {list(value.array.shape)}")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def data(self) -> Tensor:
        """The same elements, outside the graph; assigning a tensor makes its elements this tensor's."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, TensorBase):
            raise ArgumentError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self.node is not None:
            creation.refuse_integers(value.array)
        self.array = value.array

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

    def backward(self, gradient: Any = None, retain_graph: Any = None, create_graph: builtins.bool = False,
                 inputs: Any = None) -> None:
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

    def register_hook(self, hook: Any) -> RemovableHandle:
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

    def register_post_accumulate_grad_hook(self, hook: Any) -> RemovableHandle:
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

    def __format__(self, spec: str) -> str:
        if self.array.ndim == 0:
            return format(self.array.item(), spec)
        return object.__format__(self, spec)

    def __bool__(self) -> builtins.bool:
        if self.array.size != 1:
            what = "no values" if self.array.size == 0 else "more than one value"
            raise ShapeError(f"Boolean value of Tensor with {what} is ambiguous; use .any() or .all()")
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
        if not isinstance(element, COMPARABLE):
            raise ShapeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}")
        return builtins.bool((self.array == getattr(element, "array", element)).any())

    def __reversed__(self) -> Tensor:
        return shapes.flip(self, tuple(range(self.array.ndim)))  # type: ignore[no-any-return]

    @on_device_of_inputs
    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Tensor:
        if not self.is_leaf:
            raise GraphError("Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                             f"moment; this one was made by {self.node.name()} at {self.node.grad_fn.source()}. "
                             "Use detach().clone(), or clone() to stay in the graph.")
        t: Any = object.__new__(self.__class__)
        memo[id(self)] = t
        t.array, t.node = self.array.copy(order="K"), self.node
        for name, value in self.__dict__.items():
            if name == "_grad" or not name.startswith("_"):
                setattr(t, name, copy.deepcopy(value, memo))
        return t  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: Any) -> Any:
        # What is computed is stored as a leaf, as PyTorch does; hooks and .grad are left behind.
        notes = {k: v for k, v in self.__dict__.items() if not k.startswith("_")}
        array = _arrays.to_numpy(self.array)
        return rebuild, (self.__class__, array, str(self.device), self.node is not None), notes or None

    # -- operators

    __add__ = __radd__ = arithmetic.add.operator
    __sub__, __rsub__ = arithmetic.sub.operator, arithmetic.rsub
    __mul__ = __rmul__ = arithmetic.mul.operator
    __truediv__ = arithmetic.true_divide.operator
    __floordiv__, __mod__ = arithmetic.floor_divide, arithmetic.remainder
    __pow__, __matmul__ = elementary.pow, products.matmul.operator
    __and__ = __rand__ = comparison.bitwise_and
    __or__ = __ror__ = comparison.bitwise_or
    __xor__ = __rxor__ = comparison.bitwise_xor
    __lshift__, __rshift__ = comparison.bitwise_left_shift, comparison.bitwise_right_shift
    __neg__, __pos__, __abs__, __invert__ = arithmetic.neg.operator, arithmetic.positive, arithmetic.abs, comparison.bitwise_not
    __lt__, __le__, __gt__, __ge__ = comparison.lt, comparison.le, comparison.gt, comparison.ge

    __iadd__, __isub__, __imul__ = arithmetic.add.inplace, arithmetic.sub.inplace, arithmetic.mul.inplace
    __itruediv__, __ifloordiv__ = arithmetic.true_divide.inplace, arithmetic.floor_divide.inplace
    __imod__, __ipow__ = arithmetic.remainder.inplace, elementary.pow.inplace
    __iand__, __ior__, __ixor__ = comparison.bitwise_and.inplace, comparison.bitwise_or.inplace, comparison.bitwise_xor.inplace
    __ilshift__, __irshift__ = comparison.bitwise_left_shift.inplace, comparison.bitwise_right_shift.inplace

    def __eq__(self, other: Any) -> Any:
        return comparison.eq(self, other) if isinstance(other, COMPARABLE) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return comparison.ne(self, other) if isinstance(other, COMPARABLE) else NotImplemented

    def __rtruediv__(self, other: Any) -> Tensor:
        return arithmetic.reciprocal(self) * other  # type: ignore[no-any-return]

    def __rfloordiv__(self, other: Any) -> Tensor:
        return arithmetic.floor_divide(other, self)  # type: ignore[no-any-return]

    def __rmod__(self, other: Any) -> Tensor:
        return arithmetic.remainder(other, self)  # type: ignore[no-any-return]

    def __rpow__(self, other: Any) -> Tensor:
        return elementary.pow(other, self)  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Any) -> Tensor:
        return products.matmul(other, self)  # type: ignore[no-any-return]

    def __rlshift__(self, other: Any) -> Tensor:
        return comparison.bitwise_left_shift(other, self)  # type: ignore[no-any-return]

    def __rrshift__(self, other: Any) -> Tensor:
        return comparison.bitwise_right_shift(other, self)  # type: ignore[no-any-return]

    # -- pointwise: functions, and their forms that write in place

    add, add_, sub, sub_ = arithmetic.add, arithmetic.add.inplace, arithmetic.sub, arithmetic.sub.inplace
    mul, mul_, div, div_ = arithmetic.mul, arithmetic.mul.inplace, arithmetic.div, arithmetic.div.inplace
    true_divide, true_divide_ = arithmetic.true_divide, arithmetic.true_divide.inplace
    floor_divide, floor_divide_ = arithmetic.floor_divide, arithmetic.floor_divide.inplace
    remainder, remainder_ = arithmetic.remainder, arithmetic.remainder.inplace
    fmod, fmod_, multiply, multiply_ = arithmetic.fmod, arithmetic.fmod.inplace, arithmetic.multiply, arithmetic.multiply.inplace
    subtract, subtract_ = arithmetic.subtract, arithmetic.subtract.inplace
    divide, divide_ = arithmetic.divide, arithmetic.divide.inplace
    neg, neg_, negative, negative_ = arithmetic.neg, arithmetic.neg.inplace, arithmetic.negative, arithmetic.negative.inplace
    reciprocal, reciprocal_ = arithmetic.reciprocal, arithmetic.reciprocal.inplace
    square, square_, sqrt, sqrt_ = arithmetic.square, arithmetic.square.inplace, arithmetic.sqrt, arithmetic.sqrt.inplace
    rsqrt, rsqrt_, pow, pow_ = arithmetic.rsqrt, arithmetic.rsqrt.inplace, elementary.pow, elementary.pow.inplace
    float_power, float_power_ = elementary.float_power, elementary.float_power.inplace
    abs, abs_, absolute, absolute_ = arithmetic.abs, arithmetic.abs.inplace, arithmetic.absolute, arithmetic.absolute.inplace
    sign, sign_, sgn, sgn_ = arithmetic.sign, arithmetic.sign.inplace, arithmetic.sgn, arithmetic.sgn.inplace
    copysign, copysign_ = arithmetic.copysign, arithmetic.copysign.inplace
    hypot, hypot_ = arithmetic.hypot, arithmetic.hypot.inplace
    heaviside, heaviside_ = arithmetic.heaviside, arithmetic.heaviside.inplace
    nextafter, nextafter_ = arithmetic.nextafter, arithmetic.nextafter.inplace
    lerp, lerp_, addcmul, addcmul_ = arithmetic.lerp, arithmetic.lerp.inplace, arithmetic.addcmul, arithmetic.addcmul.inplace
    addcdiv, addcdiv_, ldexp, ldexp_ = arithmetic.addcdiv, arithmetic.addcdiv.inplace, elementary.ldexp, elementary.ldexp.inplace
    gcd, gcd_, lcm, lcm_ = comparison.gcd, comparison.gcd.inplace, comparison.lcm, comparison.lcm.inplace
    xlogy, xlogy_ = elementary.xlogy, elementary.xlogy.inplace
    eq, eq_, ne, ne_ = comparison.eq, comparison.eq.inplace, comparison.ne, comparison.ne.inplace
    lt, lt_, le, le_ = comparison.lt, comparison.lt.inplace, comparison.le, comparison.le.inplace
    gt, gt_, ge, ge_ = comparison.gt, comparison.gt.inplace, comparison.ge, comparison.ge.inplace
    not_equal, not_equal_ = comparison.not_equal, comparison.not_equal.inplace
    less, less_ = comparison.less, comparison.less.inplace
    less_equal, less_equal_ = comparison.less_equal, comparison.less_equal.inplace
    greater, greater_ = comparison.greater, comparison.greater.inplace
    greater_equal, greater_equal_ = comparison.greater_equal, comparison.greater_equal.inplace
    logical_and, logical_and_ = comparison.logical_and, comparison.logical_and.inplace
    logical_or, logical_or_ = comparison.logical_or, comparison.logical_or.inplace
    logical_xor, logical_xor_ = comparison.logical_xor, comparison.logical_xor.inplace
    logical_not, logical_not_ = comparison.logical_not, comparison.logical_not.inplace
    bitwise_and, bitwise_and_ = comparison.bitwise_and, comparison.bitwise_and.inplace
    bitwise_or, bitwise_or_ = comparison.bitwise_or, comparison.bitwise_or.inplace
    bitwise_xor, bitwise_xor_ = comparison.bitwise_xor, comparison.bitwise_xor.inplace
    bitwise_not, bitwise_not_ = comparison.bitwise_not, comparison.bitwise_not.inplace
    bitwise_left_shift, bitwise_left_shift_ = comparison.bitwise_left_shift, comparison.bitwise_left_shift.inplace
    bitwise_right_shift, bitwise_right_shift_ = comparison.bitwise_right_shift, comparison.bitwise_right_shift.inplace
    floor, floor_, ceil, ceil_ = arithmetic.floor, arithmetic.floor.inplace, arithmetic.ceil, arithmetic.ceil.inplace
    round, round_, trunc, trunc_ = arithmetic.round, arithmetic.round.inplace, arithmetic.trunc, arithmetic.trunc.inplace
    fix, fix_, frac, frac_ = arithmetic.fix, arithmetic.fix.inplace, arithmetic.frac, arithmetic.frac.inplace
    exp, exp_, exp2, exp2_ = elementary.exp, elementary.exp.inplace, elementary.exp2, elementary.exp2.inplace
    expm1, expm1_, log, log_ = elementary.expm1, elementary.expm1.inplace, elementary.log, elementary.log.inplace
    log2, log2_, log10, log10_ = elementary.log2, elementary.log2.inplace, elementary.log10, elementary.log10.inplace
    log1p, log1p_, sigmoid, sigmoid_ = elementary.log1p, elementary.log1p.inplace, elementary.sigmoid, elementary.sigmoid.inplace
    logit, logit_ = elementary.logit, elementary.logit.inplace
    sin, sin_, cos, cos_ = elementary.sin, elementary.sin.inplace, elementary.cos, elementary.cos.inplace
    tan, tan_, asin, asin_ = elementary.tan, elementary.tan.inplace, elementary.asin, elementary.asin.inplace
    acos, acos_, atan, atan_ = elementary.acos, elementary.acos.inplace, elementary.atan, elementary.atan.inplace
    atan2, atan2_, sinh, sinh_ = elementary.atan2, elementary.atan2.inplace, elementary.sinh, elementary.sinh.inplace
    cosh, cosh_, tanh, tanh_ = elementary.cosh, elementary.cosh.inplace, elementary.tanh, elementary.tanh.inplace
    asinh, asinh_, acosh, acosh_ = elementary.asinh, elementary.asinh.inplace, elementary.acosh, elementary.acosh.inplace
    atanh, atanh_, sinc, sinc_ = elementary.atanh, elementary.atanh.inplace, elementary.sinc, elementary.sinc.inplace
    deg2rad, deg2rad_ = elementary.deg2rad, elementary.deg2rad.inplace
    rad2deg, rad2deg_ = elementary.rad2deg, elementary.rad2deg.inplace
    arcsin, arcsin_, arccos, arccos_ = elementary.arcsin, elementary.arcsin.inplace, elementary.arccos, elementary.arccos.inplace
    arctan, arctan_ = elementary.arctan, elementary.arctan.inplace
    arctan2, arctan2_ = elementary.arctan2, elementary.arctan2.inplace
    arcsinh, arcsinh_ = elementary.arcsinh, elementary.arcsinh.inplace
    arccosh, arccosh_ = elementary.arccosh, elementary.arccosh.inplace
    arctanh, arctanh_ = elementary.arctanh, elementary.arctanh.inplace
    clamp, clamp_, clip, clip_ = comparison.clamp, comparison.clamp.inplace, comparison.clip, comparison.clip.inplace
    clamp_min, clamp_min_ = comparison.clamp_min, comparison.clamp_min.inplace
    clamp_max, clamp_max_ = comparison.clamp_max, comparison.clamp_max.inplace
    nan_to_num, nan_to_num_ = comparison.nan_to_num, comparison.nan_to_num.inplace
    conj_physical, conj_physical_ = arithmetic.conj_physical, arithmetic.conj_physical.inplace
    rsub, positive, signbit, maximum = arithmetic.rsub, arithmetic.positive, arithmetic.signbit, comparison.maximum
    minimum, fmax, fmin, logaddexp = comparison.minimum, comparison.fmax, comparison.fmin, elementary.logaddexp
    logaddexp2, frexp, isclose, allclose = elementary.logaddexp2, elementary.frexp, comparison.isclose, comparison.allclose
    equal, isnan, isinf, isfinite = comparison.equal, comparison.isnan, comparison.isinf, comparison.isfinite
    isposinf, isneginf, isreal, conj = comparison.isposinf, comparison.isneginf, comparison.isreal, arithmetic.conj
    angle = arithmetic.angle
    real, imag = property(arithmetic.real), property(arithmetic.imag)

    # -- activations and special functions

    relu, relu_, prelu, hardshrink = activation.relu, activation.relu.inplace, activation.prelu, activation.hardshrink
    softmax, log_softmax = activation.softmax, activation.log_softmax
    erf, erf_, erfc, erfc_ = special.erf, special.erf.inplace, special.erfc, special.erfc.inplace
    erfinv, erfinv_, i0, i0_ = special.erfinv, special.erfinv.inplace, special.i0, special.i0.inplace
    lgamma, lgamma_, digamma, digamma_ = special.lgamma, special.lgamma.inplace, special.digamma, special.digamma.inplace
    polygamma, polygamma_ = special.polygamma_of, special.polygamma_of.inplace
    mvlgamma, mvlgamma_ = special.mvlgamma, special.mvlgamma.inplace
    igamma, igamma_, igammac, igammac_ = special.igamma, special.igamma.inplace, special.igammac, special.igammac.inplace

    def where(self, condition: Tensor, other: Tensor | Number) -> Tensor:
        """The elements of this tensor where `condition`, else those of `other`."""
        return comparison.where(condition, self, other)  # type: ignore[no-any-return]

    # -- activation

    # -- reduction

    sum, nansum, mean, nanmean, prod = reduction.sum, reduction.nansum, reduction.mean, reduction.nanmean, reduction.prod
    var, std, all, any, count_nonzero = reduction.var, reduction.std, reduction.all, reduction.any, reduction.count_nonzero
    amax, amin, aminmax, argmax, argmin = reduction.amax, reduction.amin, reduction.aminmax, reduction.argmax, reduction.argmin
    logsumexp, logcumsumexp = reduction.logsumexp, reduction.logcumsumexp
    cumsum, cumsum_, cumprod, cumprod_ = reduction.cumsum, reduction.cumsum.inplace, reduction.cumprod, reduction.cumprod.inplace

    # -- ordering

    max, min, median, nanmedian, mode = ordering.max, ordering.min, ordering.median, ordering.nanmedian, ordering.mode
    sort, argsort, msort, topk, kthvalue = ordering.sort, ordering.argsort, ordering.msort, ordering.topk, ordering.kthvalue
    cummax, cummin = ordering.cummax, ordering.cummin
    unique, unique_consecutive = ordering.unique, ordering.unique_consecutive

    # -- statistics

    quantile, nanquantile, histc, histogram = statistics.quantile, statistics.nanquantile, statistics.histc, statistics.histogram
    bincount, cov, corrcoef, diff = statistics.bincount, statistics.cov, statistics.corrcoef, statistics.diff
    norm, dist, renorm, renorm_ = statistics.norm, statistics.dist, statistics.renorm, statistics.renorm.inplace

    # -- shape

    view, view_as, reshape, reshape_as = shapes.view, shapes.view_as, shapes.reshape_method, shapes.reshape_as
    flatten, unflatten, ravel = shapes.flatten, shapes.unflatten, shapes.ravel
    squeeze, unsqueeze, squeeze_, unsqueeze_ = shapes.squeeze, shapes.unsqueeze, shapes.squeeze_, shapes.unsqueeze_
    expand, expand_as, broadcast_to = shapes.expand_method, shapes.expand_as, shapes.expand_method
    sum_to_size, repeat, tile, roll = shapes.sum_to_size_method, shapes.repeat_method, shapes.tile_method, shapes.roll
    permute, transpose, transpose_ = shapes.permute_method, shapes.transpose, shapes.transpose_
    swapaxes, swapdims, swapaxes_, swapdims_ = shapes.swapaxes, shapes.swapdims, shapes.swapaxes_, shapes.swapdims_
    movedim, moveaxis, t, t_, adjoint = shapes.movedim, shapes.moveaxis, shapes.t, shapes.t_, shapes.adjoint
    T = property(shapes.numpy_T, doc="All dimensions in reverse order; for a matrix, its transpose.")
    mT = property(shapes.matrix_transpose, doc="The last two dimensions exchanged.")
    mH = property(shapes.adjoint, doc="The complex conjugate with the last two dimensions exchanged.")
    H = property(shapes.matrix_H, doc="The conjugate transpose of a matrix.")
    flip, fliplr, flipud, rot90 = shapes.flip_method, shapes.fliplr, shapes.flipud, shapes.rot90
    split, split_with_sizes, chunk, unbind = slicing.split, slicing.split_with_sizes, slicing.chunk, slicing.unbind
    tensor_split, hsplit, vsplit, dsplit = slicing.tensor_split, slicing.hsplit, slicing.vsplit, slicing.dsplit
    narrow, select, unfold = slicing.narrow, slicing.select, slicing.unfold
    diagonal, diag, diag_embed = slicing.diagonal, slicing.diag, slicing.diag_embed
    diagflat, trace = slicing.diagflat, slicing.trace
    narrow_copy, unsafe_split, unsafe_chunk = slicing.narrow_copy, slicing.unsafe_split, slicing.unsafe_chunk
    unsafe_split_with_sizes, fill_diagonal_ = slicing.unsafe_split_with_sizes, takes.fill_diagonal_
    tril, triu, tril_, triu_ = slicing.tril, slicing.triu, slicing.tril.inplace, slicing.triu.inplace
    diagonal_scatter, select_scatter = slicing.diagonal_scatter, slicing.select_scatter
    slice_scatter = slicing.slice_scatter

    # -- indexing

    __getitem__, __setitem__ = indexing.getitem, indexing.setitem
    gather, take, put, put_ = scatters.gather, takes.take, takes.put, takes.put_
    take_along_dim, repeat_interleave = takes.take_along_dim, takes.repeat_interleave
    scatter, scatter_, scatter_add = scatters.scatter, scatters.scatter_, scatters.scatter_add
    scatter_add_, scatter_reduce = scatters.scatter_add_, scatters.scatter_reduce
    scatter_reduce_ = scatters.scatter_reduce_
    index_select, index_add, index_add_ = indexing.index_select, indexing.index_add, indexing.index_add_
    index_copy, index_copy_, index_fill = indexing.index_copy, indexing.index_copy_, indexing.index_fill
    index_fill_, index_put, index_put_ = indexing.index_fill_, indexing.index_put, indexing.index_put_
    masked_fill, masked_fill_, masked_select = scatters.masked_fill, scatters.masked_fill_, scatters.masked_select
    masked_scatter, masked_scatter_ = scatters.masked_scatter, scatters.masked_scatter.inplace
    nonzero, argwhere, nonzero_static = takes.nonzero, takes.argwhere, takes.nonzero_static
    index_reduce, index_reduce_ = scatters.index_reduce, scatters.index_reduce_
    as_strided, as_strided_, as_strided_scatter = storage.as_strided, storage.as_strided_, storage.as_strided_scatter
    resize_, resize_as_ = storage.resize_, storage.resize_as_

    # -- linalg

    matmul = products.matmul
    mm, bmm, mv, dot, vdot = products.mm, products.bmm, products.mv, products.dot, products.vdot
    outer, ger = products.outer, products.ger
    addmm, addmv, addr, addbmm, baddbmm = products.addmm, products.addmv, products.addr, products.addbmm, products.baddbmm
    addmm_, addmv_, addr_ = products.addmm.inplace, products.addmv.inplace, products.addr.inplace
    addbmm_, baddbmm_ = products.addbmm.inplace, products.baddbmm.inplace
    inner, kron, cross = products.inner, products.kron, products.cross
    det, slogdet, logdet, inverse, pinverse = (decomposition.det, decomposition.slogdet, decomposition.logdet,
                                               decomposition.inverse, decomposition.pinverse)
    cholesky, cholesky_inverse = decomposition.cholesky, decomposition.cholesky_inverse
    cholesky_solve, triangular_solve = decomposition.cholesky_solve, decomposition.triangular_solve
    qr, geqrf, ormqr, svd, lu, lu_solve = (decomposition.qr, decomposition.geqrf, decomposition.ormqr, decomposition.svd,
                                           decomposition.lu, decomposition.lu_solve)
    matrix_exp, matrix_power, orgqr = decomposition.matrix_exp, decomposition.matrix_power, decomposition.orgqr
    stft, istft = fourier.stft, fourier.istft


TensorBase.result_class = Tensor
publish_methods(Tensor)
COMPARABLE = (TensorBase, builtins.bool, builtins.int, builtins.float, complex, np.generic, np.ndarray)
TYPE_OF = {"minigrad.FloatTensor": dtypes.float32, "minigrad.DoubleTensor": dtypes.float64,
           "minigrad.HalfTensor": dtypes.float16, "minigrad.ByteTensor": dtypes.uint8, "minigrad.CharTensor": dtypes.int8,
           "minigrad.ShortTensor": dtypes.int16, "minigrad.IntTensor": dtypes.int32, "minigrad.LongTensor": dtypes.int64,
           "minigrad.UInt16Tensor": dtypes.uint16, "minigrad.UInt32Tensor": dtypes.uint32,
           "minigrad.UInt64Tensor": dtypes.uint64, "minigrad.BoolTensor": dtypes.bool_,
           "minigrad.ComplexFloatTensor": dtypes.complex64, "minigrad.ComplexDoubleTensor": dtypes.complex128}


def rebuild(cls: Any, array: Any, device: str, requires_grad: bool) -> Any:
    """A tensor from what its pickle holds."""
    t = object.__new__(cls)
    t.array = _arrays.to_device(creation.adopt_array(array), _arrays.as_device(device))
    t.node = LEAF if requires_grad else None
    return t


rebuild.__module__ = "minigrad.serialization"  # files refer to it by a name that does not change with the place of this file
