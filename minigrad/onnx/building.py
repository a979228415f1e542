"""The nodes of a file, written one after the other.

A :class:`Builder` is what the functions of :mod:`minigrad.onnx.translation` write with. It knows the traces, and so the shape of
each tensor, in which the sizes that depend on dynamic axes are :class:`~minigrad.onnx.varying.Varying`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Iterable, Sequence

import numpy as np

from minigrad._types import dtypes
from minigrad.errors import OnnxExporterError
from minigrad.onnx._library import library
from minigrad.onnx.tracing import Call, Trace
from minigrad.onnx.varying import Varying, VaryingArray, merged, same_elements

LARGEST_SHARED = 64  # elements of a constant that is looked for among those that are there


@dataclass(frozen=True)
class Operand:
    """A tensor that an operation takes or gives: its name in the file, its shape and its NumPy dtype."""

    name: str
    shape: tuple[Any, ...]
    dtype: Any
    number: int = -1  # among the values of the traces

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)


Tensor = Operand | str  # what nodes take: operands, and the names that other nodes have given their results


class Builder:
    """Writes nodes and what they need."""

    def __init__(self, traces: Sequence[Trace], opset: int) -> None:
        self.traces, self.opset = traces, opset
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}  # arrays
        self.parameters: list[str] = []  # those among them that are the model's
        self.infos: dict[str, Operand] = {}  # of what nodes give
        self.names: dict[int, Operand] = {}  # of what has been translated, by the numbers of values
        self.fixed: set[int] = set()  # the numbers of values that are written as constants
        self.call: Call | None = None  # that is being translated
        self.outs: tuple[Operand, ...] = ()  # its results, which have no names yet
        self.axes: dict[tuple[int, ...], tuple[str, int]] = {}  # where each varying size can be read
        self.formulas: dict[tuple[int, ...], str] = {}  # what has been written for a varying size
        self.shared: dict[Any, str] = {}
        self.taken: set[str] = set()

    # -- names and nodes

    def fresh(self, name: str) -> str:
        """`name`, with a number where it is taken."""
        others = (f"{name}_{k}" for k in itertools.count(1))
        found = next(n for n in itertools.chain((name,), others) if n not in self.taken)
        self.taken.add(found)
        return found

    def scope(self) -> str:
        """The path of the module whose call is being translated, as names of nodes begin."""
        path = self.call.path if self.call is not None else ""
        return f"/{path.replace('.', '/')}/" if path else "/"

    def __call__(self, op_type: str, *inputs: Tensor | None, **attributes: Any) -> str:
        """Write a node with one result, and return the name of that."""
        return self.node(op_type, inputs, 1, **attributes)[0]

    def node(self, op_type: str, inputs: Iterable[Tensor | None], outputs: int, **attributes: Any) -> tuple[str, ...]:
        """Write a node, and return the names of its results. Attributes that are None are left out."""
        name = self.fresh(self.scope() + op_type)
        names = tuple([self.fresh(f"{name}_output_{k}") for k in range(outputs)])
        given = ["" if x is None else x if isinstance(x, str) else x.name for x in inputs]
        while given and not given[-1]:
            given.pop()
        made = library(".helper").make_node(op_type, given, list(names), name=name,
                                            doc_string=self.call.line if self.call is not None else None,
                                            **{key: value for key, value in attributes.items() if value is not None})
        self.nodes.append(made)
        return names

    @property
    def out(self) -> Operand:
        """The result of the call that is being translated."""
        return self.outs[0]

    def define(self, operand: Operand) -> None:
        """Note where the varying sizes of a tensor can be read."""
        for axis, size in enumerate(operand.shape):
            if isinstance(size, Varying):
                self.axes.setdefault(size.values, (operand.name, axis))

    def operand(self, number: int | None) -> Operand:
        """The value of a number: what has been translated, a parameter, or a constant."""
        assert number is not None
        found = self.names.get(number)
        if found is not None:
            return found
        values = [trace.values[number] for trace in self.traces]
        first = values[0]
        alike = all(same_elements(v.array, first.array) for v in values)
        if first.kind == "parameter":
            name = first.name
            self.initializers[name] = first.array
            self.parameters.append(name)
        else:
            name = self.constant(first.array) if alike else self.varying_constant([v.array for v in values])
        found = self.names[number] = Operand(name, merged([v.array.shape for v in values]), first.array.dtype, number)
        self.define(found)
        return found

    # -- constants

    def constant(self, array: Any, name: str = "") -> str:
        """The name of an initializer that holds `array`."""
        array = np.asarray(array)
        key = (array.dtype, array.shape, array.tobytes()) if array.size <= LARGEST_SHARED and not name else None
        found = self.shared.get(key) if key is not None else None
        if found is None:
            found = self.fresh(name or f"{self.scope()}Constant_output_0")
            self.initializers[found] = array
            if key is not None:
                self.shared[key] = found
        return found

    def element_type(self, dtype: Any) -> int:
        """ONNX's number for a NumPy dtype."""
        return int(library(".helper").np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def cast(self, x: Tensor, dtype: Any) -> Tensor:
        """`x` in another NumPy dtype."""
        return x if isinstance(x, Operand) and x.dtype == dtype else self("Cast", x, to=self.element_type(dtype))

    def number(self, value: Any, dtype: Any) -> str:
        """A number, which may be varying, as a tensor without dimensions."""
        if not isinstance(value, Varying):
            return self.constant(np.asarray(value).astype(dtype))
        if any(v != int(v) for v in value.values):
            other = next(v for v in value.values if v != value.values[0])
            raise OnnxExporterError(f"onnx.export: {self.where()}: a number is {value.values[0]}, and on inputs of other values "
                                    f"or sizes {other}, but was not computed from them by operations: it came from .item(), or "
                                    "from arithmetic on sizes; compute it with tensors")
        size = self.size(Varying(tuple([int(v) for v in value.values])))
        return str(self.cast(self("Squeeze", size, self.constant(np.array([0], np.int64))), dtype))

    def ints(self, values: Sequence[Any]) -> str:
        """A vector of integers, which may be varying."""
        if not any(isinstance(v, Varying) for v in values):
            return self.constant(np.array([int(v) for v in values], np.int64))
        parts = [self.size(v) if isinstance(v, Varying) else self.constant(np.array([int(v)], np.int64)) for v in values]
        return parts[0] if len(parts) == 1 else self("Concat", *parts, axis=0)

    # -- sizes that depend on dynamic axes

    def size(self, wanted: Varying) -> str:
        """A vector of one integer that depends on the sizes of the dynamic axes. Raises where no formula is found."""
        values = wanted.values
        if values not in self.formulas:
            self.formulas[values] = self.write_formula(values)
        return self.formulas[values]

    def write_formula(self, values: tuple[int, ...]) -> str:
        """Write the nodes that compute an integer, by a formula in sizes that is right in all traces."""
        if values in self.axes:
            name, axis = self.axes[values]
            return self("Shape", name, start=axis, end=axis + 1)
        one = np.ones(1, np.int64)
        known = list(self.axes)
        for a, b in itertools.combinations_with_replacement(known, 2):  # a product, or a multiple of one
            factor = quotient(values, [x * y for x, y in zip(a, b)])
            if factor is not None:
                product = self("Mul", self.size(Varying(a)), self.size(Varying(b)))
                return product if factor == 1 else self("Mul", product, self.constant(factor * one))
        for a in known:  # a multiple, with something added
            x, y = next(((x, y) for x, y in itertools.combinations(range(len(values)), 2) if a[x] != a[y]), (0, 0))
            if x != y and (values[x] - values[y]) % (a[x] - a[y]) == 0:
                factor = (values[x] - values[y]) // (a[x] - a[y])
                rest = values[x] - factor * a[x]
                if factor and all(v == factor * n + rest for v, n in zip(values, a)):
                    scaled = self.size(Varying(a)) if factor == 1 else self("Mul", self.size(Varying(a)),
                                                                           self.constant(factor * one))
                    return scaled if not rest else self("Add", scaled, self.constant(rest * one))
        for a in known:  # a part
            for divisor in range(2, max(a) + 1):
                if all(v == n // divisor for v, n in zip(values, a)):
                    return self("Div", self.size(Varying(a)), self.constant(divisor * one))
        for a, b in itertools.combinations(known, 2):
            if all(v == x + y for v, x, y in zip(values, a, b)):
                return self("Add", self.size(Varying(a)), self.size(Varying(b)))
        raise OnnxExporterError(f"onnx.export: {self.where()}: a number depends on the values of the inputs, or on the sizes of "
                                f"dynamic axes in a way that is not understood: it is {', '.join(map(str, values))} for the "
                                "inputs that were tried; make fewer axes dynamic, or reshape with -1 in its place")

    def where(self) -> str:
        """The operation that is being translated, and the user's line."""
        return "the model's inputs" if self.call is None else f"{self.call.called} at {self.call.line}"

    # -- constants that depend on dynamic axes

    def varying_constant(self, arrays: Sequence[Any]) -> str:
        """A tensor that no operation has made, given as it is in each trace: filled with one number, a range, or a triangle."""
        try:
            shape = merged([a.shape for a in arrays])
            dtype = arrays[0].dtype
            if all(a.size == 0 or bool((a == a.flat[0]).all()) or a.size == 1 for a in arrays):
                filled = [a.flat[0].item() for a in arrays if a.size] or [0]
                number = self.number(merged(filled), dtype) if len(filled) in (1, len(arrays)) or len(set(filled)) == 1 else None
                if number is not None:
                    return self("Expand", number, self.ints(shape)) if shape else number
            if len(shape) == 1 and (found := self.range_like(arrays)) is not None:
                return found
            if len(shape) == 2 and dtype.kind in "bf" and (found := self.triangle(arrays, shape)) is not None:
                return found
        except Exception as error:
            if isinstance(error, OnnxExporterError):
                raise
        a, b = arrays[0], next(x for x in arrays if not same_elements(x, arrays[0]))
        raise OnnxExporterError(f"onnx.export: {self.where()}: a tensor of shape {list(a.shape)} and dtype "
                                f"{dtypes.FROM_NUMPY[a.dtype]!r} "
                                + ("has other values" if a.shape == b.shape else f"has shape {list(b.shape)}")
                                + " where the inputs have other values or sizes, but was not computed from them by operations: "
                                "it came from NumPy or from .tolist(), or is random; compute it with tensors")

    def range_like(self, arrays: Sequence[Any]) -> str | None:
        """A vector of equal steps from one number on, or None."""
        longest = max(arrays, key=len)
        if len(longest) < 2:
            return None
        start, step = longest[0], longest[1] - longest[0]
        if any(not np.array_equal(a, (start + step * np.arange(len(a))).astype(a.dtype)) for a in arrays):
            return None
        zero, one = (self.constant(np.array(k, np.int64)) for k in (0, 1))
        found: Tensor = self("Range", zero, self.number(merged([len(a) for a in arrays]), np.int64), one)
        if longest.dtype != np.int64:
            found = self.cast(found, longest.dtype)
        if step != 1:
            found = self("Mul", found, self.constant(step))
        return str(found if start == 0 else self("Add", found, self.constant(start)))

    def triangle(self, arrays: Sequence[Any], shape: tuple[Any, ...]) -> str | None:
        """A matrix with one number on and below a diagonal and another above, or None."""
        low, high = arrays[0][-1, 0], arrays[0][0, -1]
        k = next((k for k in range(-8, 9) if all(
            same_elements(a, np.where(np.tri(a.shape[0], a.shape[1], k, dtype=np.bool_), low, high)) for a in arrays)), None)
        if k is None:
            return None
        zero, one = (self.constant(np.array(n, np.int64)) for n in (0, 1))
        rows = self("Range", zero, self.number(shape[0], np.int64), one)
        columns = self("Range", zero, self.number(shape[1], np.int64), one)
        edge = self("Unsqueeze", self("Add", rows, self.constant(np.array(k, np.int64))), self.ints([1]))
        return self("Where", self("LessOrEqual", columns, edge), self.constant(low), self.constant(high))

    def array(self, value: Any) -> str:
        """An array among the settings. Where it differs between the traces, it is a tensor that has been computed, or a constant
        that depends on dynamic axes."""
        if not isinstance(value, VaryingArray):
            return self.constant(value)
        assert self.call is not None
        for number in reversed(range(min(self.call.results))):
            found = [trace.values[number] for trace in self.traces]
            if number in self.names and all(v.array.shape == a.shape and not v.overwritten and v.array.dtype.kind in "biu"
                                            and bool((v.array == a).all()) for v, a in zip(found, value.arrays)):
                return self.names[number].name
        return self.varying_constant(value.arrays)


def quotient(values: Sequence[int], products: Sequence[int]) -> int | None:
    """The whole number that each of `values` is of `products`, or None."""
    if 0 in products or values[0] % products[0]:
        return None
    factor = values[0] // products[0]
    return factor if factor > 0 and all(v == factor * p for v, p in zip(values, products)) else None
