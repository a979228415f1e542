"""Comparing tensors, arrays, numbers and containers of them, to the precision of their type."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Callable

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.ops import creation

__all__ = ["assert_allclose", "assert_close"]

# The default (rtol, atol) of each type: https://docs.pytorch.org/docs/stable/testing.html
PRECISION = {"bfloat16": (1.6e-2, 1e-5), "float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7),
             "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7)}


def assert_close(actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None,
                 atol: float | None = None, equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True,
                 check_layout: bool = True, check_stride: bool = False, msg: str | Callable[[str], str] | None = None) -> None:
    """Raise ``AssertionError``, saying where and by how much, unless ``|actual - expected| <= atol + rtol * |expected|``.

    Args:
        actual, expected: two tensors, two arrays, two numbers, or sequences or mappings of such, compared item by item.
        allow_subclasses: whether a tensor may be compared with one of a subclass.
        rtol, atol: both or neither; by default from the dtype, ``1.3e-6`` and ``1e-5`` for float32, 0 for integers.
        equal_nan: NaN counts as equal to NaN.
        check_device, check_dtype, check_stride: whether these have to agree too.
        check_layout: accepted as in PyTorch; every tensor here is strided.
        msg: the message to raise, or a function that makes it of the usual one.

    Raises: ``AssertionError`` where they differ, ``ValueError`` for one tolerance without the other, ``TypeError`` for what
        cannot be compared.

    >>> import minigrad as mg
    >>> mg.testing.assert_close(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 2.0 + 1e-7]))
    >>> mg.testing.assert_close(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 2.5]))
    Traceback (most recent call last):
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.2 at index (1,) (up to 1.3e-06 allowed)
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise InvalidValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    compare = Comparison(rtol, atol, equal_nan, allow_subclasses, check_device, check_dtype, check_stride)
    message = compare.difference(actual, expected, "")
    if message is not None:
        raise AssertionError(message if msg is None else msg if isinstance(msg, str) else msg(message))


def assert_allclose(actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None, equal_nan: bool = True,
                    msg: str = "") -> None:
    """The older form of :func:`assert_close`, which this calls: devices, dtypes and strides need not agree, NaN equals NaN.

    Warns with ``FutureWarning``, as PyTorch does.

    >>> import warnings
    >>> import minigrad as mg
    >>> with warnings.catch_warnings(action="ignore"):
    ...     mg.testing.assert_allclose(mg.tensor([1.0]), [1.0])
    """
    warnings.warn("`minigrad.testing.assert_allclose()` is deprecated. Please use `minigrad.testing.assert_close()` instead.",
                  FutureWarning, stacklevel=2)
    actual = actual if isinstance(actual, Tensor) else creation.tensor(actual)
    expected = expected if isinstance(expected, Tensor) else creation.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = map(max, zip(*[PRECISION.get(x.dtype.name, (0.0, 0.0)) for x in (actual, expected)]))
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_device=True, check_dtype=False,
                 check_stride=False, msg=msg or None)


class Comparison:
    """What `assert_close` was asked to look at; its methods give the message of the first difference, or None."""

    def __init__(self, rtol: float | None, atol: float | None, equal_nan: bool, allow_subclasses: bool, check_device: bool,
                 check_dtype: bool, check_stride: bool) -> None:
        self.rtol, self.atol, self.equal_nan, self.allow_subclasses = rtol, atol, equal_nan, allow_subclasses
        self.check_device, self.check_dtype, self.check_stride = check_device, check_dtype, check_stride

    def difference(self, actual: Any, expected: Any, place: str) -> str | None:
        if isinstance(actual, Tensor) and isinstance(expected, Tensor):
            if not self.allow_subclasses and type(actual) is not type(expected):
                return f"The types do not match: {type(actual)} != {type(expected)}." + location_text(place)
            found = self.of_tensors(actual, expected)
        elif isinstance(actual, np.ndarray) and isinstance(expected, np.ndarray):
            found = self.of_arrays(actual, expected, str)
        elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
            return self.of_mappings(actual, expected, place)
        elif all(isinstance(x, Sequence) and not isinstance(x, (str, bytes)) for x in (actual, expected)):
            return self.of_sequences(actual, expected, place)
        elif actual is None or expected is None:
            found = None if actual is expected else f"None mismatch: {actual} is not {expected}"
        elif isinstance(actual, bool) or isinstance(expected, bool):
            found = None if actual == expected else f"Booleans mismatch: {actual} is not {expected}"
        elif all(isinstance(x, (int, float, complex, np.number)) for x in (actual, expected)):
            if self.check_dtype and type(actual) is not type(expected):
                found = f"The (d)types do not match: {type(actual)} != {type(expected)}."
            else:
                found = self.of_values(np.asarray(actual), np.asarray(expected))
        else:
            raise ArgumentError(f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
                                + location_text(place))
        return None if found is None else found + location_text(place)

    def of_mappings(self, actual: Any, expected: Any, place: str) -> str | None:
        if actual.keys() != expected.keys():
            return (f"The keys of the mappings do not match:\nMissing keys in the actual mapping: "
                    f"{sorted(expected.keys() - actual.keys())}\nAdditional keys in the actual mapping: "
                    f"{sorted(actual.keys() - expected.keys())}") + location_text(place)
        return self.first(self.difference(actual[k], expected[k], f"{place}[{k!r}]") for k in expected)

    def of_sequences(self, actual: Any, expected: Any, place: str) -> str | None:
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}" + location_text(place)
        return self.first(self.difference(a, e, f"{place}[{k}]") for k, (a, e) in enumerate(zip(actual, expected)))

    @staticmethod
    def first(messages: Any) -> str | None:
        return next((m for m in messages if m is not None), None)

    def of_tensors(self, actual: Tensor, expected: Tensor) -> str | None:
        if self.check_device and actual.device != expected.device:
            return mismatch_text("device", actual.device, expected.device)
        return self.of_arrays(actual.array, expected.array, lambda d: repr(dtypes.FROM_NUMPY[d]))

    def of_arrays(self, actual: Any, expected: Any, name: Callable[[Any], str]) -> str | None:
        if actual.shape != expected.shape:
            return mismatch_text("shape", list(actual.shape), list(expected.shape))
        if self.check_dtype and actual.dtype != expected.dtype:
            return mismatch_text("dtype", name(actual.dtype), name(expected.dtype))
        if self.check_stride and actual.strides != expected.strides:
            return mismatch_text("stride()", actual.strides, expected.strides)
        return self.of_values(_arrays.to_numpy(actual), _arrays.to_numpy(expected))

    def of_values(self, actual: Any, expected: Any) -> str | None:
        """The difference of two NumPy arrays of one shape."""
        rtol, atol = self.rtol, self.atol
        if rtol is None or atol is None:
            precisions = [PRECISION.get(x.dtype.name, (0.0, 0.0)) for x in (actual, expected)]
            rtol, atol = (max(column) for column in zip(*precisions))
        kind = np.result_type(actual.dtype, expected.dtype)
        wide = np.int64 if kind.kind in "biu" and kind != np.uint64 else np.float64 if kind.kind != "c" else np.complex128
        actual, expected = actual.astype(wide), expected.astype(wide)
        with np.errstate(all="ignore"):
            gap = np.abs(actual - expected)
            close = (actual == expected) | (np.isfinite(gap) & (gap <= atol + rtol * np.abs(expected)))
            if self.equal_nan:
                close |= np.isnan(actual) & np.isnan(expected)
            if close.all():
                return None
            gap = np.where(close, 0, gap)
            ratio = np.where(close, 0, gap / np.abs(expected))
        how = "close" if rtol or atol else "equal"
        allowed = (f" (up to {atol:g} allowed)", f" (up to {rtol:g} allowed)") if how == "close" else ("", "")
        if not gap.ndim:
            return (f"Scalars are not {how}!\n\nExpected {expected} but got {actual}.\nAbsolute difference: {gap}{allowed[0]}\n"
                    f"Relative difference: {ratio}{allowed[1]}")
        wrong = int((~close).sum())
        return (f"Tensor-likes are not {how}!\n\nMismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})\n"
                f"Greatest absolute difference: {greatest_text(gap)}{allowed[0]}\n"
                f"Greatest relative difference: {greatest_text(ratio)}{allowed[1]}")


def location_text(place: str) -> str:
    """The end of a message about an item of a container."""
    return f"\n\nThe failure occurred for item {place}" if place else ""


def mismatch_text(attribute: str, actual: Any, expected: Any) -> str:
    return f"The values for attribute '{attribute}' do not match: {actual} != {expected}."


def greatest_text(x: Any) -> str:
    """The largest element, NaN if there is one, and where it is."""
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(x)), x.shape))
    return f"{x[index]} at index {index}"
