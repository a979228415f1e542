"""Opening a call of a forward or a rule: the lines that do what it does inside, by NumPy's functions.

Around the arithmetic of a small array, an operation's Python takes most of the time: it looks at shapes and dtypes, which a
replay knows beforehand. So the function is called once more, with :class:`Traced` arrays, which write down each function of NumPy
that they are given to. The lines stand for the call only if they give the same bits, for its operands and for others. What looks
at elements, as a check of bounds does, or leaves NumPy's protocols, is left closed: it is called as it is.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any, Callable

import numpy as np

from minigrad._arrays.host import switch
from minigrad.compiler.tape import written
from minigrad.recording.clock import PACKAGE
from minigrad.recording.quiet import quiet

SMALL = 8192  # elements, from which on arithmetic takes the time
DTYPES = "?bBhHiIlLqQfd"  # of arrays that NumPy computes with itself
DEFAULTS = (("keepdims", False), ("where", True))
PASSIVE = frozenset(("broadcast_shapes", "can_cast", "iscomplexobj", "isrealobj", "may_share_memory", "min_scalar_type", "ndim",
                     "result_type", "shape", "shares_memory", "size"))  # functions that look at no element
# The methods of arrays that make no call of another function that would be seen; the other ones are refused, but for these.
METHODS = ("argmax", "argmin", "argsort", "astype", "copy", "cumsum", "diagonal", "dot", "flatten", "ravel", "repeat", "reshape",
           "round", "squeeze", "swapaxes", "take", "transpose", "view")
SEEN = frozenset(("all", "any", "clip", "conj", "conjugate", "max", "mean", "min", "prod", "ptp", "std", "sum", "var", "fill"))
LOOKS = ("__bool__", "__complex__", "__float__", "__hash__", "__index__", "__int__", "__iter__", "__contains__", "__repr__",
         "__str__", "__format__", "__reduce__", "__array__", "__dlpack__")
TRANSPOSING = [("transpose", ()), *[("swapaxes", axes) for axes in ((0, 1), (1, 0), (-1, -2), (-2, -1))]]  # a matrix
HIDDEN = ("base", "ctypes", "data", "flat", "imag", "__array_interface__", "__array_struct__")


class ClosedError(BaseException):
    """A call cannot be opened. No handler in the function that is called may catch it."""


class Trace:
    """The lines of one call. ``new`` gives the names of values, and ``own`` those of other objects, of None a new one."""

    def __init__(self, new: Callable[[], str], own: Callable[[Any], str]) -> None:
        self.new, self.own = new, own
        self.lines: list[tuple[str, str]] = []  # what each makes, or "", and how
        self.names: dict[int, str] = {}  # of arrays, by identity
        self.held: list[Any] = []
        self.operands: list[Any] = []
        self.constants: dict[str, Any] = {}

    def operand(self, array: Any, name: str) -> Any:
        """An operand of the call, by which it is traced."""
        self.operands.append(array)
        return self.traced(array, name)

    def traced(self, array: Any, name: str) -> Any:
        """`array` as one that writes down what is done with it."""
        made = np.ndarray.view(np.asarray(array), Traced)
        made.writer = self
        self.names[id(made)] = name
        self.held.append(made)
        return made

    def text(self, x: Any) -> str:
        """How a line writes an argument."""
        if isinstance(x, np.ndarray):
            if id(x) in self.names:
                return self.names[id(x)]
            if type(x) is Traced or x.ndim or x.dtype.char not in DTYPES:
                raise ClosedError
            return self.constant(x)
        if isinstance(x, np.generic):
            return self.constant(x)
        if (found := written(x, self.text)) is not None:
            return found
        if isinstance(x, (float, np.dtype, type)) or x is np._NoValue:
            return self.own(x)
        raise ClosedError

    def constant(self, x: Any) -> str:
        """The name of a number that the function has made."""
        name = self.own(None)
        self.constants[name] = x.copy()
        self.names[id(x)] = name
        self.held.append(x)
        return name

    def arguments(self, args: Any, kwargs: Any) -> str:
        """Arguments as a line writes them."""
        return ", ".join([*[self.text(x) for x in args], *[f"{k}={self.text(x)}" for k, x in kwargs.items()]])

    def made(self, result: Any, text: str) -> Any:
        """The result of a call that a line makes."""
        if isinstance(result, tuple):
            names = [self.new() for _ in result]
            self.lines.append((", ".join(names), text))
            return tuple([self.traced(x, name) for x, name in zip(result, names)])
        if not isinstance(result, (np.ndarray, np.generic)):
            raise ClosedError
        name = self.new()
        self.lines.append((name, text))
        return self.traced(result, name)

    def written(self, target: Any, text: str) -> None:
        """Add a line that writes into `target`, which the call has made itself."""
        if any([np.may_share_memory(plain(target), x) for x in self.operands]):
            raise ClosedError
        self.lines.append(("", text))


def plain(x: Any) -> Any:
    """`x` with ordinary arrays in the place of traced ones."""
    if type(x) is Traced:
        return np.ndarray.view(x, np.ndarray)
    if x.__class__ in (tuple, list):
        return x.__class__([plain(part) for part in x])
    return x


class Traced(np.ndarray[Any, Any]):
    """An array that writes down what is done with it. To whoever asks for its class it is an ordinary one."""

    writer: Trace

    __class__ = property(lambda self: np.ndarray)

    def __array_finalize__(self, of: Any) -> None:
        self.writer = getattr(of, "writer", None)  # type: ignore[assignment]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        trace = trace_of((*inputs, *(out or ()), *kwargs.values()))
        if method == "reduce" and "axis" in kwargs:  # without what is the default, which takes its time to be understood
            inputs = (*inputs, kwargs["axis"])
            kwargs = {k: x for k, x in kwargs.items() if k != "axis" and x is not None and (k, x) not in DEFAULTS}
        called = trace.own(ufunc) + ("" if method == "__call__" else f".{method}")
        function, given = getattr(ufunc, method), {k: plain(x) for k, x in kwargs.items()}
        if out is None:
            result = function(*plain(inputs), **given)
            if result is None:  # ufunc.at
                trace.written(inputs[0], f"{called}({trace.arguments(inputs, kwargs)})")
                return None
            return trace.made(result, f"{called}({trace.arguments(inputs, kwargs)})")
        if len(out) > 1:
            raise ClosedError
        target = out[0]
        if id(target) not in trace.names:  # memory that nothing has been written to
            result = function(*plain(inputs), **given)
            if result.dtype != target.dtype or result.shape != target.shape or result.strides != target.strides:
                raise ClosedError
            name = trace.new()
            trace.lines.append((name, f"{called}({trace.arguments(inputs, kwargs)})"))
            plain(target)[...] = result
            trace.names[id(target)] = name
            trace.held.append(target)
            return target
        function(*plain(inputs), out=plain(target), **given)
        last = (target,) if method == "__call__" else ()  # by position, which is quicker
        trace.written(target, f"{called}({trace.arguments((*inputs, *last), kwargs if last else {**kwargs, 'out': target})})")
        return target

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        trace = trace_of((*args, *kwargs.values()))
        if func.__name__ in PASSIVE:
            return func(*plain(args), **{k: plain(x) for k, x in kwargs.items()})
        inside, before = func._implementation, len(trace.lines)
        if isinstance(inside, FunctionType):
            try:
                result = inside(*args, **kwargs)
                trace.text(result)
                return result
            except ClosedError:
                del trace.lines[before:]
        if "out" in kwargs or func.__name__ in ("copyto", "put", "place", "fill_diagonal", "put_along_axis"):
            raise ClosedError
        if kwargs.get("like") is not None:  # an array that is made, as by zeros
            kwargs = {k: x for k, x in kwargs.items() if k != "like"}
        result = func(*plain(args), **{k: plain(x) for k, x in kwargs.items()})
        return trace.made(result, f"{trace.own(func)}({trace.arguments(args, kwargs)})")

    def __getitem__(self, key: Any) -> Any:
        return self.writer.made(plain(self)[plain(key)], f"{self.writer.text(self)}[{self.writer.text(key)}]")

    def __setitem__(self, key: Any, value: Any) -> None:
        plain(self)[plain(key)] = plain(value)
        self.writer.written(self, f"{self.writer.text(self)}[{self.writer.text(key)}] = {self.writer.text(value)}")

    def setflags(self, write: Any = None, align: Any = None, uic: Any = None) -> None:
        if write is not True or align is not None or uic is not None or id(self) not in self.writer.names:
            raise ClosedError
        self.writer.lines.append(("", f"{self.writer.text(self)}.setflags(write=True)"))

    @property
    def T(self) -> Any:
        return self.writer.made(plain(self).T, f"{self.writer.text(self)}.T")

    @property  # type: ignore[misc]
    def real(self) -> Any:
        return self


def trace_of(values: Any) -> Trace:
    """The trace that one of `values` belongs to."""
    for x in values:
        if type(x) is Traced and x.writer is not None:
            return x.writer
        if isinstance(x, (tuple, list)):
            try:
                return trace_of(x)
            except ClosedError:
                continue
    raise ClosedError


def seen(name: str) -> Any:
    """A method of arrays in a form that is written down."""
    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        if self.ndim == 2 and (name, args) in TRANSPOSING:
            return self.T  # which is the quickest
        result = getattr(plain(self), name)(*plain(args), **{k: plain(x) for k, x in kwargs.items()})
        return self.writer.made(result, f"{self.writer.text(self)}.{name}({self.writer.arguments(args, kwargs)})")
    return method


def closed(self: Traced, *args: Any, **kwargs: Any) -> Any:
    """A method that looks at elements."""
    raise ClosedError


for _name in METHODS:
    setattr(Traced, _name, seen(_name))
for _name in LOOKS:
    setattr(Traced, _name, closed)
for _name in HIDDEN:
    setattr(Traced, _name, property(closed))
for _name in dir(np.ndarray):
    if not _name.startswith("_") and callable(getattr(np.ndarray, _name)) and _name not in (*METHODS, *SEEN, "setflags"):
        setattr(Traced, _name, closed)


class Opened:
    """The lines that an opened call consists of, and the names of its results."""

    def __init__(self, trace: Trace, results: list[str | None]) -> None:
        self.lines, self.results, self.constants = trace.lines, results, trace.constants


def open_call(function: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any], results: Any, names: dict[int, str],
              new: Callable[[], str], own: Callable[[Any], str], objects: dict[str, Any]) -> Opened | None:
    """The lines of ``function(*args, **settings)``, which has given `results`, an array or a tuple with None among them; or None
    where it stays closed. `names` are those of the arrays, by identity; `objects` is what the names that `own` gives stand
    for."""
    several = isinstance(results, tuple)
    arrays = [x for x in (*flat(args), *(results if several else (results,))) if isinstance(x, (np.ndarray, np.generic))]
    if any([x.dtype.char not in DTYPES or x.size >= min(SMALL, switch.least) for x in arrays]):
        return None
    trace = Trace(new, own)
    try:
        found = quiet().run(function, *traced(trace, args, names), **settings)
        given = tuple(found) if several else (found,)
        texts = [None if x is None else trace.text(x) for x in given]
    except (ClosedError, Exception):
        return None
    wanted = tuple(results) if several else (results,)
    if len(texts) != len(wanted) or any([(x is None) is not (text is None) for x, text in zip(wanted, texts)]):
        return None
    opened = Opened(trace, texts)
    return opened if agrees(function, args, settings, wanted, opened, names, objects) else None


def traced(trace: Trace, x: Any, names: dict[int, str]) -> Any:
    """The arguments of a call with traced arrays."""
    if isinstance(x, tuple):
        return x.__class__([traced(trace, part, names) for part in x])
    return trace.operand(x, names[id(x)]) if isinstance(x, (np.ndarray, np.generic)) else x


def flat(x: Any) -> list[Any]:
    """What is in tuples within a tuple."""
    return [leaf for part in x for leaf in (flat(part) if isinstance(part, tuple) else [part])]


def agrees(function: Callable[..., Any], args: Any, settings: dict[str, Any], wanted: tuple[Any, ...], opened: Opened,
           names: dict[int, str], objects: dict[str, Any]) -> bool:
    """Whether the lines give the same bits as the function, of its arguments and of others."""
    operands = {names[id(x)]: x for x in flat(args) if isinstance(x, (np.ndarray, np.generic))}
    body = [f"    {target} = {text}\n" if target else f"    {text}\n" for target, text in opened.lines]
    source = f"def lines({', '.join(operands)}):\n{''.join(body)}    return ({', '.join(map(str, opened.results))},)\n"
    namespace = {**objects, **opened.constants}
    exec(compile(source, f"{PACKAGE}<lines>", "exec"), namespace)
    try:
        if not same_bits(wanted, quiet().run(namespace["lines"], *operands.values())):
            return False
        others = {name: changed(x) for name, x in operands.items()}
        again = quiet().run(function, *replaced(args, names, others), **settings)
        again = tuple(again) if isinstance(again, tuple) else (again,)
        return same_bits(again, quiet().run(namespace["lines"], *others.values()))
    except Exception:
        return False


def replaced(x: Any, names: dict[int, str], others: dict[str, Any]) -> Any:
    """The arguments of a call with other arrays."""
    if isinstance(x, tuple):
        return x.__class__([replaced(part, names, others) for part in x])
    return others[names[id(x)]] if isinstance(x, (np.ndarray, np.generic)) else x


def changed(x: Any) -> Any:
    """An array like `x` with other elements: its own, in the opposite order, and smaller where they are floats."""
    if isinstance(x, np.generic) or not x.size:
        return x * x.dtype.type(0.8125) if x.dtype.kind == "f" else x
    values = x[::-1] if x.ndim else x
    below = sum([step * (n - 1) for step, n in zip(x.strides, x.shape) if step < 0])
    extent = sum([abs(step) * (n - 1) for step, n in zip(x.strides, x.shape)]) + x.itemsize
    made: Any = np.ndarray(x.shape, x.dtype, np.zeros(extent, np.uint8), -below, x.strides)
    made[...] = values * x.dtype.type(0.8125) if x.dtype.kind == "f" else values
    return made


def same_bits(a: Any, b: Any) -> bool:
    """Whether two tuples hold arrays with the same elements, to the last bit, in the same layout; or None."""
    return len(a) == len(b) and all([x is y if x is None or y is None else np.asarray(x).dtype == np.asarray(y).dtype
                                     and np.shape(x) == np.shape(y) and np.asarray(x).strides == np.asarray(y).strides
                                     and np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in zip(a, b)])
