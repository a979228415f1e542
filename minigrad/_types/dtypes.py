"""Element types and PyTorch's rules for combining them.

A :class:`dtype` wraps a NumPy dtype and carries PyTorch's name. Promotion follows PyTorch, not NumPy: there are four
categories (bool < integer < floating < complex); only operands of the highest category present decide the width; among
those, tensors with dimensions count first, zero-dimensional tensors next, Python scalars last.

Source of the rules: https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
"""

from __future__ import annotations

from typing import Any, Callable, Iterable

import numpy as np

from minigrad.errors import ArgumentError, DtypeError, InvalidValueError

__all__ = ["bfloat16", "complex128", "complex64", "dtype", "finfo", "float16", "float32", "float64", "get_default_dtype", "iinfo",
           "int16", "int32", "int64", "int8", "promote_types", "set_default_dtype", "uint16", "uint32", "uint64", "uint8"]


class dtype:
    """An element type, such as ``minigrad.float32``. There is one object for each type; compare with ``is`` or ``==``."""

    __module__ = "minigrad"  # by which files refer to it
    __slots__ = ("name", "numpy", "kind", "itemsize", "is_floating_point", "is_complex", "is_signed", "__weakref__")

    def __init__(self, name: str, numpy_type: Any, like: Any = None) -> None:
        described = np.dtype(like or numpy_type)
        self.name = name
        if like is None:
            self.numpy: np.dtype[Any] = described
        self.kind: str = described.kind
        self.itemsize: int = described.itemsize
        self.is_floating_point: bool = self.kind == "f"
        self.is_complex: bool = self.kind == "c"
        self.is_signed: bool = self.kind in "ifc"

    def __getattr__(self, name: str) -> Any:
        if name != "numpy":
            raise AttributeError(f"'dtype' object has no attribute {name!r}")
        load_bfloat16()  # the one dtype that is made without
        return self.numpy

    def __repr__(self) -> str:
        return f"minigrad.{self.name}"

    def __reduce__(self) -> str:
        return self.name

    def to_real(self) -> dtype:
        """The real type of the same precision: ``complex64`` gives ``float32``."""
        return {complex64: float32, complex128: float64}.get(self, self)

    def to_complex(self) -> dtype:
        """The complex type of the same precision: ``float32`` gives ``complex64``."""
        return {float16: complex64, bfloat16: complex64, float32: complex64, float64: complex128}.get(self, self)


bool_ = dtype("bool", np.bool_)
uint8 = dtype("uint8", np.uint8)
int8 = dtype("int8", np.int8)
int16 = dtype("int16", np.int16)
int32 = dtype("int32", np.int32)
int64 = dtype("int64", np.int64)
uint16 = dtype("uint16", np.uint16)
uint32 = dtype("uint32", np.uint32)
uint64 = dtype("uint64", np.uint64)
float16 = dtype("float16", np.float16)
bfloat16 = dtype("bfloat16", None, like=np.float16)
float32 = dtype("float32", np.float32)
float64 = dtype("float64", np.float64)
complex64 = dtype("complex64", np.complex64)
complex128 = dtype("complex128", np.complex128)

ALL = (bool_, uint8, int8, int16, int32, int64, uint16, uint32, uint64, float16, bfloat16, float32, float64, complex64,
       complex128)
LOW_PRECISION = "eE"  # the characters of the NumPy dtypes that are computed with in float32: float16 and bfloat16
# The kinds of NumPy's dtypes whose numbers have derivatives. NumPy calls bfloat16 a "V", and there is no other of that kind here.
DIFFERENTIABLE = "fcV"


class NumpyTypes(dict[np.dtype[Any], dtype]):
    """Our dtype for each of NumPy's, looked up on every ``tensor.dtype``."""

    def __missing__(self, found: np.dtype[Any]) -> dtype:
        if found.name == "bfloat16" and bfloat16.numpy is found:  # the first array of it comes from elsewhere
            return bfloat16
        raise KeyError(found)


FROM_NUMPY = NumpyTypes({d.numpy: d for d in ALL if d is not bfloat16})
_PYTHON = {bool: bool_, int: int64, float: float32, complex: complex64}
_CATEGORY = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
_SCALAR_CATEGORY = {bool: 0, int: 1, float: 2, complex: 3}

_default = float32


# Called when bfloat16 is first used, for what is to be done in another way from then on.
on_bfloat16: list[Callable[[], None]] = []


def load_bfloat16() -> None:
    """Take the bfloat16 that ml_dtypes adds to NumPy's dtypes. Only programs that use it wait for that import."""
    bfloat16.numpy = np.dtype(import_ml_dtypes().bfloat16)
    FROM_NUMPY[bfloat16.numpy] = bfloat16
    for call in on_bfloat16:
        call()


def import_ml_dtypes() -> Any:
    """The package ml_dtypes. Raises ``ImportError`` where it is missing, and says how to get it."""
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError("NumPy has no bfloat16 of its own, and ml_dtypes, which adds one, is not installed here; install it "
                          "with pip install ml_dtypes, or use minigrad.float32") from None
    return ml_dtypes


def get_default_dtype() -> dtype:
    """The floating type given to Python floats and to creation functions; ``float32`` unless changed."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Make `d`, a floating type, the default. Raises ``TypeError`` for any other type."""
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise ArgumentError(f"set_default_dtype: only floating-point types can be the default, got {d!r}; "
                            "use minigrad.bfloat16, minigrad.float16, minigrad.float32 or minigrad.float64")
    _default = d


def as_dtype(d: Any) -> dtype:
    """The :class:`dtype` meant by `d`: a minigrad dtype, a Python type (``float``), or anything NumPy reads as a dtype."""
    if isinstance(d, dtype):
        return d
    if isinstance(d, type) and d in _PYTHON:
        return float64 if d is float else complex128 if d is complex else _PYTHON[d]
    if isinstance(d, str) and d == bfloat16.name:  # which NumPy knows when ml_dtypes is imported
        return bfloat16
    try:
        return FROM_NUMPY[np.dtype(d)]
    except (TypeError, KeyError):
        raise ArgumentError(f"{d!r} is not a dtype minigrad has; it has {', '.join(map(repr, ALL))}") from None


def is_bfloat16(numpy_dtype: Any) -> bool:
    """Whether this NumPy dtype is bfloat16, whose numbers NumPy moves, but adds and multiplies badly or not at all."""
    return bool(numpy_dtype.char == "E")


def has_bfloat16() -> bool:
    """Whether this process has used bfloat16."""
    return bfloat16 in FROM_NUMPY.values()


def is_low_precision(numpy_dtype: Any) -> bool:
    """Whether numbers of this NumPy dtype are computed with, and summed, in float32."""
    return numpy_dtype.char in LOW_PRECISION


def opmath_dtype(numpy_dtype: Any) -> Any:
    """The NumPy dtype in which numbers of this one are computed with, and summed."""
    return float32.numpy if is_low_precision(numpy_dtype) else numpy_dtype


# For arrays of other kinds, as NumPy's dtypes name them: how numbers are made of them.
WHAT_TO_DO = {
    "O": "If its elements are numbers, give array.astype('float32'); of a table, choose the columns that hold numbers first",
    "U": "Text becomes numbers by a table of its words, as np.unique(array, return_inverse=True) makes it",
    "S": "Text becomes numbers by a table of its words, as np.unique(array, return_inverse=True) makes it",
    "M": "Times become numbers by array.astype('int64'), which counts their unit",
    "m": "Times become numbers by array.astype('int64'), which counts their unit",
    "V": "Give its fields one by one, array[name].copy()",
    "f": "Give array.astype('float64')",
    "c": "Give array.astype('complex128')"}


def known_dtype(numpy_dtype: Any) -> dtype:
    """The dtype of arrays of `numpy_dtype`. Raises ``TypeError`` where minigrad has none, and ``ValueError`` for another byte
    order than the machine's."""
    try:
        return FROM_NUMPY[numpy_dtype]
    except KeyError:
        pass
    if not numpy_dtype.isnative and numpy_dtype.newbyteorder("=") in FROM_NUMPY:
        raise InvalidValueError(f"given numpy array of {numpy_dtype} has byte order different from the native byte order; "
                                "convert it with array.astype(array.dtype.newbyteorder('='))")
    hint = WHAT_TO_DO.get(numpy_dtype.kind)
    raise ArgumentError(f"can't convert np.ndarray of type {numpy_dtype}. The only supported types are: "
                        + ", ".join(d.name for d in ALL) + (f". {hint}" if hint else ""))


def adopt_array(array: Any) -> Any:
    """`array`, sharing its memory, with the one dtype object that minigrad compares by identity, and of none of NumPy's
    subclasses, such as mapped files are. Raises as :func:`known_dtype` for other dtypes."""
    known = known_dtype(array.dtype)
    if array.__class__ is not np.ndarray and isinstance(array, np.ndarray):
        array = np.asarray(array)
    return array if array.dtype is known.numpy else array.view(known.numpy)


def require_dtypes(called: str, *given: Any) -> None:
    """Raise ``TypeError`` unless everything that the function `called` was given is a dtype."""
    for d in given:
        if not isinstance(d, dtype):
            raise ArgumentError(f"{called}(): expected a minigrad.dtype, not {type(d).__name__}")


def promote_types(a: dtype, b: dtype) -> dtype:
    """The smallest type to which both can be converted, as PyTorch defines it: ``int64`` with ``float32`` is ``float32``."""
    if a is b:
        return a
    require_dtypes("promote_types", a, b)
    ka, kb = _CATEGORY[a.kind], _CATEGORY[b.kind]
    if ka != kb and 3 not in (ka, kb):
        return a if ka > kb else b
    if ka != kb:  # one is complex: the precision of a floating partner counts, an integer's does not
        c, other = (a, b) if ka == 3 else (b, a)
        return promote_types(c, other.to_complex()) if other.is_floating_point else c
    if ka == 1 and "uint64" in (a.name, b.name) and a.kind != b.kind:
        raise DtypeError(f"promote_types: no integer type holds both {a!r} and {b!r}; convert one of them with .to(...)")
    if bfloat16 in (a, b):  # neither it nor float16 holds the other
        return promote_types(float32, b if a is bfloat16 else a)
    return FROM_NUMPY[np.promote_types(a.numpy, b.numpy)]


def result_dtype(operands: Iterable[Any]) -> dtype:
    """The type in which `operands` (arrays, and Python or NumPy scalars) are combined."""
    dims: dtype | None = None
    zero: dtype | None = None
    scalar = -1
    for x in operands:
        if x is None:
            continue
        category = _SCALAR_CATEGORY.get(type(x))
        if category is not None:
            scalar = max(scalar, category)
        else:
            d = FROM_NUMPY[x.dtype]
            if x.ndim:
                dims = d if dims is None else promote_types(dims, d)
            else:
                zero = d if zero is None else promote_types(zero, d)
    result = dims
    if zero is not None and (result is None or _CATEGORY[zero.kind] > _CATEGORY[result.kind]):
        # A real operand with dimensions still sets the precision that a complex zero-dimensional one takes.
        result = _widen(result, zero)
    if scalar >= 0 and (result is None or scalar > _CATEGORY[result.kind]):
        python = (bool_, int64, _default, _default.to_complex())[scalar]
        result = _widen(result, python)
    assert result is not None, "result_dtype needs at least one operand"
    return result


def _widen(result: dtype | None, weak: dtype) -> dtype:
    if result is not None and weak.is_complex and result.is_floating_point:
        return result.to_complex()
    return weak


def can_cast(source: dtype, to: dtype) -> bool:
    """Whether a result of type `source` may be written into a tensor of type `to`: never to a lower category."""
    require_dtypes("can_cast", source, to)
    return _CATEGORY[source.kind] <= _CATEGORY[to.kind] and not (to is bool_ and source is not bool_)


class finfo:
    """Limits of a floating type: ``bits``, ``eps``, ``max``, ``min``, ``tiny``, ``smallest_normal``, ``resolution``."""

    def __init__(self, type: dtype | None = None) -> None:
        d = _default if type is None else type
        if not (d.is_floating_point or d.is_complex):
            raise ArgumentError(f"finfo: {d!r} is not a floating-point type; use iinfo for integers")
        info: Any = (np if d is not bfloat16 else import_ml_dtypes()).finfo(d.numpy)
        self.dtype = d.to_real().name
        self.bits = int(info.bits)
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.resolution = 10.0 ** -int(info.precision)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and (self.dtype, self.bits) == (other.dtype, other.bits)

    def __hash__(self) -> int:
        return hash((self.dtype, self.bits))

    def __repr__(self) -> str:
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
                f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})")


class iinfo:
    """Limits of an integer type: ``bits``, ``max``, ``min``."""

    def __init__(self, type: dtype) -> None:
        if type.kind not in "iu":
            raise ArgumentError(f"iinfo: {type!r} is not an integer type; use finfo for floating-point types")
        info = np.iinfo(type.numpy)
        self.dtype, self.bits, self.max, self.min = type.name, int(info.bits), int(info.max), int(info.min)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
