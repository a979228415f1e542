"""Lines as calls of NumPy's loops, where shapes, strides and dtypes are known.

A line such as ``v1 = multiply(x0, w0)`` is one call of a loop, or a few, or none where it only makes a view. Which loop NumPy
takes, over which axes it goes and in which order it adds up is what :class:`Translation` does as NumPy does it. What it does not
know it leaves to NumPy.
"""

from __future__ import annotations

import ast
import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiler.opening import DTYPES, SMALL
from minigrad.compiler.tape import Line
from minigrad.compiler.writing import add_to, own_copy, write_all
from minigrad.ops.indexing.scatter import gather_at, gather_at_wrt_input

__all__ = ["Operand", "Root", "Translation", "Unknown", "lowest_address", "owner_of"]

OPERATORS = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.MatMult: np.matmul}
WORDS = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}  # of bytes, as which elements are copied
MOST_IN_ORDER = 2048  # elements that NumPy adds up one after the other, where they are added at numbers
FIRST_ALONE = (np.maximum, np.minimum, np.fmax, np.fmin, np.logical_or, np.logical_and)  # sums of these begin with an element


class Unknown(Exception):
    """A line is none that can be translated."""


class Root:
    """Memory in which values lie: what a segment makes itself, an array that it is given, or one that is always the same."""

    def __init__(self, kind: str, array: Any, start: int, size: int) -> None:
        self.kind, self.array, self.start, self.size = kind, array, start, size
        self.name = ""  # of the array


class Operand(NamedTuple):
    """An array as loops take it."""

    root: Root
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any

    def same_place(self, other: Operand) -> bool:
        """Whether it is all of another operand."""
        return self.root is other.root and self[1:4] == other[1:4]


class Row(NamedTuple):
    """One call: what it calls, its operands, the sizes and steps of the axes around the loop and of the loop itself."""

    loop: int
    data: int
    operands: tuple[Operand, ...]
    around: tuple[tuple[int, tuple[int, ...]], ...]
    sizes: tuple[int, ...]
    steps: tuple[int, ...]


def owner_of(array: Any) -> Any:
    """The array whose memory `array` is a part of; itself, if none."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def address_of(array: Any) -> int:
    """Where in memory the first element is."""
    found: int = array.__array_interface__["data"][0]
    return found


def lowest_address(array: Any) -> int:
    """Where in memory the element is that lies before all others."""
    below: int = sum([step * (n - 1) for n, step in zip(array.shape, array.strides) if step < 0])
    return address_of(array) + below


def extent_of(array: Any) -> int:
    """The bytes from the element that lies before all others to the end of the last."""
    return int(array.itemsize + sum([abs(step) * (n - 1) for n, step in zip(array.shape, array.strides)])) if array.size else 0


def coalesced(shape: tuple[int, ...], steps: list[tuple[int, ...]]) -> list[tuple[int, tuple[int, ...]]]:
    """Axes with the steps of all operands along each, the longest steps first, in as few axes as possible. The last operand's
    steps decide, then those of the ones before it."""
    axes = [(n, s) for n, s in zip(shape, steps) if n != 1]
    axes.sort(key=lambda axis: [-abs(step) for step in reversed(axis[1])])
    joined: list[tuple[int, tuple[int, ...]]] = []
    for n, s in axes:
        if joined and all([outer == inner * n for outer, inner in zip(joined[-1][1], s)]):
            joined[-1] = joined[-1][0] * n, s
        else:
            joined.append((n, s))
    return joined or [(1, (0,) * len(steps[0]) if steps else ())]


class Translation:
    """Lines as rows of a table, in memory that their :class:`Root` s stand for.

    `values` are the arrays that the lines gave once, by their names; `names` what else their names stand for; `loops` the module
    that knows where NumPy's loops are.
    """

    def __init__(self, values: dict[str, Any], names: dict[str, Any], loops: Any) -> None:
        self.values, self.names, self.loops = values, names, loops
        self.places: dict[str, Operand] = {}  # of the names of this segment
        self.fixed: dict[int, Root] = {}  # the roots that are always the same, by the identity of what owns the memory
        self.numbers: dict[Any, Operand] = {}
        self.rows: list[Row] = []
        self.roots: list[Root] = []
        self.written: set[Root] = set()
        self.may_fail = False  # whether numbers are looked up that may be in no table

    # ------------------------------------------------------------------------------------------------ names

    def operand(self, name: str) -> Operand:
        """The operand that a name stands for."""
        if name not in self.places:
            array = self.names[name] if name in self.names else self.values.get(name)
            if not isinstance(array, np.ndarray):
                raise Unknown
            if name in self.names:
                owner = owner_of(array)
                if id(owner) not in self.fixed:
                    self.fixed[id(owner)] = self.new_root("fixed", owner, lowest_address(owner))
                root = self.fixed[id(owner)]
            else:
                root = self.new_root("given", array, address_of(array))
                root.name = name
            self.places[name] = self.part(root, array)
        return self.places[name]

    def part(self, root: Root, array: Any) -> Operand:
        """`array`, which lies in the memory of `root`, as an operand."""
        if array.dtype.char not in DTYPES or not array.dtype.isnative or not array.flags.aligned or array.size >= SMALL:
            raise Unknown
        return Operand(root, address_of(array) - root.start, array.shape, array.strides, array.dtype)

    def new_root(self, kind: str, array: Any, start: int) -> Root:
        """Memory, as it is used for the first time."""
        root = Root(kind, array, start, extent_of(array))
        self.roots.append(root)
        return root

    def made(self, name: str) -> Operand:
        """The operand of a value that a line makes."""
        value = self.values.get(name)
        if value is None or name in self.places:
            raise Unknown
        array = np.asarray(value)
        root = self.new_root("own", array, lowest_address(array))
        root.name = name
        if extent_of(array) != array.nbytes or address_of(array) != root.start:
            raise Unknown
        self.places[name] = self.part(root, array)
        return self.places[name]

    def temporary(self, shape: tuple[int, ...], dtype: Any) -> Operand:
        """Memory of which only rows know."""
        return self.part(self.new_root("own", array := np.empty(shape, dtype), address_of(array)), array)

    def number(self, value: Any, dtype: Any) -> Operand:
        """A number as an operand."""
        array = np.asarray(np.asarray(value).astype(dtype))
        key = array.tobytes(), dtype
        if key not in self.numbers:
            self.numbers[key] = self.part(self.new_root("fixed", array, address_of(array)), array)
        return self.numbers[key]

    # ------------------------------------------------------------------------------------------------ lines

    def add(self, line: Line) -> bool:
        """Translate a line, or return False and leave everything as it was."""
        places, rows, roots, written = dict(self.places), len(self.rows), len(self.roots), set(self.written)
        may_fail = self.may_fail
        fixed, numbers = dict(self.fixed), dict(self.numbers)
        try:
            if not self.add_view(line):
                self.add_line(line)
            return True
        except Unknown:
            self.places, self.written, self.fixed, self.numbers = places, written, fixed, numbers
            self.may_fail = may_fail
            del self.rows[rows:], self.roots[roots:]
            return False

    def add_view(self, line: Line) -> bool:
        """Whether a line only makes views of its operands, which are known from then on."""
        if not line.pure or not line.targets:
            return False
        found: dict[str, tuple[str, Any]] = {}
        for target in line.targets:
            array = self.values.get(target)
            if not isinstance(array, np.ndarray) or target in self.places:
                return False
            of = [name for name in line.uses if isinstance(x := self.names.get(name, self.values.get(name)), np.ndarray)
                  and owner_of(x) is owner_of(array)]
            if len(of) != 1:
                return False
            found[target] = of[0], array
        for target, (name, array) in found.items():
            self.places[target] = self.part(self.operand(name).root, array)
        return True

    def add_line(self, line: Line) -> None:
        """Translate a line that does something."""
        statement = ast.parse(line.text).body[0]
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):  # v0[...] = v1
            self.copy(self.read(statement.value), self.subscript(statement.targets[0]))
            return
        if not isinstance(statement, ast.Expr) or line.several or len(line.targets) > 1:
            raise Unknown
        target, call = line.targets[0] if line.targets else "", statement.value
        if isinstance(call, ast.BinOp) and type(call.op) in OPERATORS:
            self.ufunc(OPERATORS[type(call.op)], [call.left, call.right], target)
        elif isinstance(call, ast.Call):
            self.call(call, target)
        else:
            raise Unknown

    def call(self, call: ast.Call, target: str) -> None:
        """Translate a call."""
        keywords: dict[str | None, Any] = {k.arg: k.value for k in call.keywords}
        if isinstance(call.func, ast.Attribute):
            method, of = call.func.attr, call.func.value
            function = self.names.get(of.id) if isinstance(of, ast.Name) else None
            if isinstance(function, np.ufunc) and method == "reduce":
                self.reduce(function, call.args, keywords, target)
            elif method == "astype" and len(call.args) == 1 and keywords.keys() <= {"copy"} or \
                    method == "copy" and not call.args or method == "reshape" and not self.read(of).shape:
                self.copy(self.read(of), self.made(target))
            elif method == "argmax" and not call.args and keywords.keys() <= {"axis", "out", "keepdims"}:
                self.find_greatest(self.read(of), {str(name): self.setting(node) for name, node in keywords.items()}, target)
            elif method == "setflags":
                self.read(of)  # of which loops ask for no flags
            else:
                raise Unknown
            return
        function = self.names.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if isinstance(function, np.ufunc):
            args = list(call.args)
            if set(keywords) - {"out"} or not function.nin <= len(args) + len(keywords) <= function.nin + 1:
                raise Unknown
            self.ufunc(function, args[:function.nin], target, keywords.get("out", args[-1] if len(args) > function.nin else None))
        elif function in (write_all, add_to) and not keywords:
            into, value = call.args
            if function is write_all:
                self.copy(self.read(value), self.read(into))
            else:
                self.ufunc(np.add, [into, value], "", into)
        elif function is gather_at.info.forward or function is np.take_along_axis:
            table, index = call.args
            wraps, axis = function is np.take_along_axis, self.setting(*keywords.values())
            self.look_up(self.read(table), self.read(index), axis, wraps, target)
        elif function is gather_at_wrt_input and not keywords:
            g, index, dim, shape = call.args
            self.add_at(self.read(g), self.read(index), self.setting(dim), self.setting(shape), target)
        elif function is np.broadcast_to and not keywords and target not in self.places:
            x, shape = self.read(call.args[0]), self.setting(call.args[1])
            self.places[target] = x._replace(shape=tuple(shape), strides=spread_strides(x, shape))
        elif function in (np.asarray, own_copy) and not keywords:
            self.copy(self.read(call.args[0]), self.made(target))
        elif function is np.concatenate and isinstance(call.args[0], (ast.Tuple, ast.List)):
            self.concatenate([self.read(part) for part in call.args[0].elts], call.args[1:], keywords, target)
        else:
            raise Unknown

    def read(self, node: ast.expr) -> Operand:
        """The operand that an expression is."""
        if isinstance(node, ast.Name):
            return self.operand(node.id)
        raise Unknown

    def setting(self, node: ast.expr) -> Any:
        """The setting that an expression is."""
        try:
            return ast.literal_eval(node)
        except ValueError:
            if isinstance(node, ast.Name) and node.id in self.names and not isinstance(self.names[node.id], np.ndarray):
                return self.names[node.id]
            raise Unknown from None

    def subscript(self, node: ast.Subscript) -> Operand:
        """A part of a value, by numbers and slices."""
        whole = self.read(node.value)
        if not isinstance(node.value, ast.Name):
            raise Unknown
        array = self.names.get(node.value.id, self.values.get(node.value.id))
        names = {n.id for n in ast.walk(node.slice) if isinstance(n, ast.Name)} - {"slice"}
        if names:
            raise Unknown
        part = np.asarray(array)[eval(compile(ast.Expression(node.slice), "<key>", "eval"))]
        if not isinstance(part, np.ndarray) or owner_of(part) is not owner_of(array):
            raise Unknown
        return self.part(whole.root, part)

    # ------------------------------------------------------------------------------------------------ what loops do

    def ufunc(self, function: Any, given: list[ast.expr], target: str, out: ast.expr | None = None) -> None:
        """Call a function of NumPy's."""
        if function.nout != 1 or len(given) != function.nin:
            raise Unknown
        found: list[Any] = []
        for node in given:
            if isinstance(node, ast.Name) and isinstance(self.names.get(node.id, self.values.get(node.id)), np.ndarray) \
                    or isinstance(node, ast.Name) and node.id in self.places:
                found.append(self.operand(node.id))
            else:
                value = self.setting(node)
                if not isinstance(value, (bool, int, float, np.generic)):
                    raise Unknown
                found.append(value)
        made = self.made(target) if out is None else self.read(out)
        kinds = [x.dtype if isinstance(x, (Operand, np.generic)) else type(x) for x in found]
        try:
            dtypes = function.resolve_dtypes((*kinds, None))
        except TypeError:
            raise Unknown from None
        loop = self.loops.loop_of(function, dtypes)
        if loop is None or made.dtype != dtypes[-1]:
            raise Unknown
        operands = [self.converted(x, dtype) if isinstance(x, Operand) else self.number(x, dtype)
                    for x, dtype in zip(found, dtypes)]
        if function is np.matmul:
            self.matmul(loop, operands, made)
        elif function.signature is None:
            self.elementwise(loop, operands, made)
        else:
            raise Unknown

    def converted(self, x: Operand, dtype: Any) -> Operand:
        """An operand in a loop's dtype."""
        if x.dtype == dtype:
            return x
        made = self.temporary(x.shape, dtype)
        self.copy(x, made)
        return made

    def elementwise(self, loop: tuple[int, int], operands: list[Operand], made: Operand) -> None:
        """Call a loop on all elements of operands, which are broadcast."""
        self.write(made, operands)
        spread = [spread_strides(x, made.shape) for x in (*operands, made)]
        axes = coalesced(made.shape, list(zip(*spread))) if made.shape else [(1, (0,) * len(spread))]
        self.row(loop, (*operands, made), axes[:-1], (axes[-1][0],), axes[-1][1])

    def copy(self, x: Operand, made: Operand) -> None:
        """Copy elements, converted to another dtype where that is asked for."""
        if x.dtype != made.dtype:
            number = self.loops.CONVERSIONS.get((x.dtype.name, made.dtype.name))
            if number is None:
                raise Unknown
            self.elementwise((number, 0), [x], made)
            return
        word = np.dtype(WORDS[x.dtype.itemsize])
        loop = self.loops.loop_of(np.bitwise_or, (word,) * 3)
        if loop is None:
            raise Unknown
        self.elementwise(loop, [x, x], made)

    def concatenate(self, parts: list[Operand], args: list[ast.expr], keywords: dict[str | None, Any], target: str) -> None:
        """Copy arrays into parts of one."""
        axis = self.setting(args[0]) if args else self.setting(keywords["axis"]) if "axis" in keywords else 0
        made = self.made(target)
        if set(keywords) - {"axis"} or len(args) > 1 or not isinstance(axis, int) or any([x.dtype != made.dtype for x in parts]):
            raise Unknown
        at = 0
        for x in parts:
            self.copy(x, made._replace(offset=made.offset + at * made.strides[axis], shape=x.shape))
            at += x.shape[axis]

    def matmul(self, loop: tuple[int, int], operands: list[Operand], made: Operand) -> None:
        """Multiply matrices, or stacks of them."""
        a, b = operands
        if min(len(a.shape), len(b.shape)) < 2 or made.root.kind != "own" or not all([math.prod(x.shape) for x in (a, b)]):
            raise Unknown
        self.write(made, operands)
        stack = made.shape[:-2]
        spread = [spread_strides(x._replace(shape=x.shape[:-2], strides=x.strides[:-2]), stack) for x in (a, b, made)]
        axes = coalesced(stack, list(zip(*spread))) if stack else [(1, (0, 0, 0))]
        sizes = axes[-1][0], a.shape[-2], a.shape[-1], b.shape[-1]
        self.row(loop, (a, b, made), axes[:-1], sizes, (*axes[-1][1], *a.strides[-2:], *b.strides[-2:], *made.strides[-2:]))

    def reduce(self, function: Any, given: list[ast.expr], keywords: dict[str | None, Any], target: str) -> None:
        """Sum elements along axes, or take the greatest, in NumPy's order."""
        x = self.read(given[0])
        axis = self.setting(given[1]) if len(given) > 1 else self.setting(keywords["axis"]) if "axis" in keywords else 0
        if set(keywords) - {"axis", "keepdims"} or len(given) > 2 or not math.prod(x.shape):
            raise Unknown
        made = self.made(target)
        rank = len(x.shape)
        along = {k % rank for k in (range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,))}
        loop = self.loops.loop_of(function, (x.dtype, x.dtype, x.dtype))
        if loop is None or made.dtype != x.dtype or not along:
            raise Unknown
        kept = [k for k in range(rank) if k not in along]
        if "keepdims" in keywords and self.setting(keywords["keepdims"]):
            strides = tuple([0 if k in along else made.strides[k] for k in range(rank)])
        else:
            steps = iter(made.strides)
            strides = tuple([0 if k in along else next(steps) for k in range(rank)])
        shape = tuple([x.shape[k] for k in kept])
        total = Operand(made.root, made.offset, x.shape, strides, made.dtype)
        flat = Operand(made.root, made.offset, shape, tuple([strides[k] for k in kept]), made.dtype)
        if function in FIRST_ALONE:
            if len(along) > 1:
                raise Unknown
            k, = along
            first = Operand(x.root, x.offset, shape, tuple([x.strides[j] for j in kept]), x.dtype)
            self.copy(first, flat)
            rest = tuple([n - 1 if j == k else n for j, n in enumerate(x.shape)])
            x, total = x._replace(offset=x.offset + x.strides[k], shape=rest), total._replace(shape=rest)
            if not rest[k]:
                return
        elif function in (np.add, np.multiply):
            self.copy(self.number(function.identity, x.dtype), flat)
        else:
            raise Unknown
        # The axes are in the order of the operand's steps, and the loop is called for the last: it sums what it is given.
        axes = coalesced(x.shape, list(zip(total.strides, x.strides)))
        if len(axes) > 1 and any([a[1][0] == b[1][0] == 0 for a, b in itertools.pairwise(axes)]):
            raise Unknown  # two axes that are summed
        self.row(loop, (total, x, total), [(n, (s[0], s[1], s[0])) for n, s in axes[:-1]], (axes[-1][0],),
                 (axes[-1][1][0], axes[-1][1][1], axes[-1][1][0]))

    def find_greatest(self, x: Operand, settings: dict[str, Any], target: str) -> None:
        """Find where along an axis the greatest elements are."""
        made, axis = self.made(target), settings.get("axis")
        number = self.loops.GREATEST.get(x.dtype.name)
        if settings.get("out") is not None or not isinstance(axis, int) or number is None or not x.shape:
            raise Unknown
        axis %= len(x.shape)
        if not x.shape[axis]:
            raise Unknown
        steps = made.strides if settings.get("keepdims") else (*made.strides[:axis], 0, *made.strides[axis:])
        shape = tuple([1 if k == axis else n for k, n in enumerate(x.shape)])
        self.in_order((number, 0), (x, made), shape, (x.strides, steps), (x.shape[axis], x.strides[axis]))

    def look_up(self, table: Operand, index: Operand, axis: Any, wraps: bool, target: str) -> None:
        """Look up elements of a table by their numbers along an axis."""
        made, number = self.made(target), self.loops.LOOKUPS.get(table.dtype.itemsize)
        axis = self.axis_of_lookup(table.shape, index, axis)
        if number is None or wraps and any([n != m for k, (n, m) in enumerate(zip(index.shape, table.shape)) if k != axis]):
            raise Unknown
        along = tuple([0 if k == axis else step for k, step in enumerate(table.strides)])
        self.in_order((number, 0), (table, index, made), index.shape, (along, index.strides, made.strides),
                      (table.shape[axis], table.strides[axis], int(wraps)))

    def add_at(self, g: Operand, index: Operand, axis: Any, shape: tuple[int, ...], target: str) -> None:
        """Add elements to zeros at their numbers along an axis."""
        made, number = self.made(target), self.loops.ADDITIONS.get(g.dtype.name)
        axis = self.axis_of_lookup(tuple(shape), index, axis)
        if number is None or g.shape != index.shape or math.prod(g.shape) > MOST_IN_ORDER:
            raise Unknown
        self.copy(self.number(0, made.dtype), made)
        along = tuple([0 if k == axis else step for k, step in enumerate(made.strides)])
        self.in_order((number, 0), (g, index, made), index.shape, (g.strides, index.strides, along),
                      (shape[axis], made.strides[axis]))

    def axis_of_lookup(self, shape: tuple[int, ...], index: Operand, axis: Any) -> int:
        """The axis along which numbers of elements are looked up in a table of a `shape`, from its front."""
        if index.dtype != np.int64 or not shape or len(index.shape) != len(shape) or not isinstance(axis, int) or self.written:
            raise Unknown
        along: int = axis % len(shape)
        if not math.prod(index.shape) or any([n > m for k, (n, m) in enumerate(zip(index.shape, shape)) if k != along]):
            raise Unknown
        self.may_fail = True
        return along

    def in_order(self, loop: tuple[int, int], operands: tuple[Operand, ...], shape: tuple[int, ...],
                 strides: tuple[tuple[int, ...], ...], sizes: tuple[int, ...]) -> None:
        """Call a loop of our own for elements in the order of their axes."""
        axes = list(zip(shape, zip(*strides)))
        while len(axes) > 1 and axes[-1][0] == 1:
            axes.pop()
        self.row(loop, operands, axes[:-1], (axes[-1][0], *sizes), axes[-1][1])

    def write(self, made: Operand, operands: list[Operand]) -> None:
        """Note what a loop writes. Elements that it has still to read must not be among these, but those at the same place."""
        if made.root.kind == "given" or made.root.kind == "fixed" and not made.root.array.flags.writeable:
            raise Unknown
        for x in operands:
            if x.root is made.root and not x.same_place(made):
                raise Unknown
            if x.root is not made.root and made.root.kind == "fixed" and x.root.kind != "own" and np.may_share_memory(
                    x.root.array, made.root.array):
                raise Unknown
        if made.root.kind == "fixed":
            self.written.add(made.root)

    def row(self, loop: tuple[int, int], operands: tuple[Operand, ...], around: Any, sizes: tuple[int, ...],
            steps: tuple[int, ...]) -> None:
        """Add a call, unless there is no element."""
        if sizes[0] and all([n for n, _ in around]):
            self.rows.append(Row(*loop, operands, tuple(around), sizes, steps))


def spread_strides(x: Operand, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The steps of an operand along the axes of `shape`, to which it is broadcast."""
    missing = len(shape) - len(x.shape)
    return (0,) * missing + tuple([0 if n == 1 else step for n, step in zip(x.shape, x.strides)])
