"""What a pickle may make of plain data without leave: Python's containers, NumPy's scalars and arrays, sizes and devices.

Each is made by a function that checks what it is given, because the classes do not: ``bytearray(10**12)`` takes all memory, and
``set(range(10**12))`` takes hours.
"""

from __future__ import annotations

import itertools
import math
import pickle
import re
import reprlib
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any, Callable

import numpy as np

from minigrad._types import dtypes
from minigrad._types.device import Device
from minigrad._types.size import Size

CONTAINERS = (list, tuple, dict, set, frozenset, deque)
MOST_NESTED = 200  # how deep containers may lie in each other
MOST_IN_KEY = 10_000  # how many elements a tuple that is a key may have, with those of its tuples
MOST_EQUAL_HASHES = 100  # how many different keys may have the same hash: looking one up compares it with all of them
SIMPLE = frozenset({str, bytes, float, bool, type(None)})  # their hashes take no time, and cannot be made to collide
HASH_MODULUS = 2**61 - 1  # integers below are their own hashes
NO_OBJECTS = re.compile(r"[?]|[biufc]\d{1,2}|[SU]\d{1,9}")  # dtypes of which NumPy reads elements as bytes, not as addresses


class Damaged(pickle.UnpicklingError):
    """A pickle asks for what none that is in order asks for."""


class Brief(reprlib.Repr):
    """How errors show a value of a file, which may have no end: the beginning of plain data, the class of anything else. To print
    a tensor, say, takes memory for all of its elements."""

    def repr_instance(self, x: Any, level: int) -> str:
        """What is no plain data."""
        return f"a {type(x).__name__}"


brief = Brief().repr


class Work:
    """What a pickle of `length` bytes may still ask for. Its parts can be used again and again, so that work and memory would
    otherwise grow with the square of its length, and the hash of a tuple of tuples with two to the power of it.

    A file is read once; beside that, its bytes may be copied four times and its elements once, and what is only looked at may be
    looked at a hundred times.
    """

    def __init__(self, length: int) -> None:
        self.left = 100 * (length + 10_000)
        self.by_hash: dict[int, list[Any]] = {}

    def look_at(self, elements: int) -> None:
        """Count so many elements that are hashed."""
        self.left -= elements
        if self.left < 0:
            raise Damaged("it asks for far more than its length explains")

    def copy(self, elements: int) -> None:
        """Count so many elements that a container is made of."""
        self.look_at(100 * elements)

    def copy_bytes(self, count: int) -> None:
        """Count so many bytes that are copied."""
        self.look_at(25 * count)

    def check_arguments(self, args: tuple[Any, ...]) -> None:
        """Count the elements of a function's arguments, each as often as it occurs, so that it can look at all and print them."""
        for held in args:
            if isinstance(held, CONTAINERS) and held:
                self.look_at(len(held))
                for inner in elements(held):
                    if isinstance(inner, CONTAINERS):
                        self.look_at(count_nested(held))
                        break

    def check_keys(self, keys: Any) -> None:
        """Refuse keys that cannot be hashed, or that take long to hash or to find."""
        for key in keys:
            if type(key) in SIMPLE or type(key) is int and -HASH_MODULUS < key < HASH_MODULUS:
                continue
            if isinstance(key, (tuple, frozenset)):
                self.look_at(count_elements(key))
            try:
                hashed = hash(key)
            except TypeError:
                raise Damaged(f"a {type(key).__name__} cannot be a key, or an element of a set") from None
            if isinstance(key, (int, complex, tuple, frozenset)):
                others = self.by_hash.setdefault(hashed, [])
                if key not in others:
                    others.append(key)
                if len(others) > MOST_EQUAL_HASHES:
                    raise Damaged(f"more than {MOST_EQUAL_HASHES} different keys have the same hash")


def count_elements(key: Any) -> int:
    """How many elements hashing a tuple or frozenset looks at: those of its tuples too, each as often as it occurs."""
    level, count, depth = [key], 0, 0
    while level:
        depth += 1
        count += sum(map(len, level))
        if depth > MOST_NESTED or count > MOST_IN_KEY:
            raise Damaged("a tuple is nested too deep, or has too many elements, to be hashed")
        level = [x for t in level for x in t if isinstance(x, (tuple, frozenset))]
    return count


def count_nested(value: Any) -> int:
    """How many elements there are in the containers in a container, each as often as it occurs.

    Raises :class:`Damaged` where they lie so deep that recursive code could not walk through them, or where their number
    explodes: ``[x, x]`` with ``x = [y, y]``, ``y = [z, z]`` ... is short in a file and has more elements than can be printed.
    """
    size = 0
    sizes: dict[int, tuple[int, int]] = {}  # of each container: how deep, and how many elements with those of its elements
    path = [Walk(value)] if isinstance(value, CONTAINERS) else []  # from the outermost container to where we are
    while path:
        walk = path[-1]
        for inner in walk.rest:
            if id(inner) not in sizes:
                sizes[id(inner)] = 0, 0  # until it is known; so a container that holds itself is a leaf there
                path.append(Walk(inner))
                break
            depth, size = sizes[id(inner)]
            walk.depth, walk.size = max(walk.depth, depth + 1), walk.size + size
        else:
            sizes[id(walk.container)], size = (walk.depth, walk.size), walk.size
            path.pop()
            if path:
                path[-1].depth, path[-1].size = max(path[-1].depth, walk.depth + 1), path[-1].size + walk.size
        if max(walk.depth, len(path)) > MOST_NESTED:
            raise Damaged(f"its containers lie more than {MOST_NESTED} deep in each other")
        if walk.size > 10**9:
            raise Damaged("its containers hold each other so often that they have more than a billion elements")
    return size


class Walk:
    """A container, the containers in it that have not been walked through yet, and what is known of it."""

    def __init__(self, container: Any) -> None:
        self.container, self.depth, self.size = container, 1, len(container)
        self.rest = iter([x for x in elements(container) if isinstance(x, CONTAINERS)])


def elements(container: Any) -> Any:
    """What a container holds: of a dictionary, its keys and its values."""
    return itertools.chain(container, container.values()) if isinstance(container, dict) else container


# ---------------------------------------------------------------------------------------------------- Python's

def expect(fits: bool, what: str, args: tuple[Any, ...]) -> None:
    """Raise ``Damaged`` unless the arguments of a maker fit."""
    if not fits:
        raise Damaged(f"{what} is not made of {', '.join([type(a).__name__ for a in args]) or 'nothing'} so")


def make_set(work: Work, *args: Any) -> Any:
    expect(len(args) < 2 and all([type(a) in (list, tuple) for a in args]), "a set", args)
    for items in args:
        work.copy(len(items))
        work.check_keys(items)
    return set(*args)


def make_frozenset(work: Work, *args: Any) -> Any:
    return frozenset(make_set(work, *args))


def make_bytes(work: Work, *args: Any) -> Any:
    """Bytes, as protocols below 3 write them: nothing, or text and the name of the encoding of its characters 0 to 255."""
    expect(not args or len(args) == 2 and type(args[0]) is str and args[1] in ("latin1", "latin-1"), "a bytes object", args)
    work.copy_bytes(len(args[0]) if args else 0)
    return args[0].encode("latin1") if args else b""


def make_bytearray(work: Work, *args: Any) -> Any:
    if len(args) == 1 and type(args[0]) is bytes:
        work.copy_bytes(len(args[0]))
        return bytearray(args[0])
    return bytearray(make_bytes(work, *args))


def make_complex(work: Work, *args: Any) -> Any:
    expect(len(args) == 2 and all([type(a) in (int, float) for a in args]), "a complex number", args)
    return complex(*args)


def make_range(work: Work, *args: Any) -> Any:
    expect(1 <= len(args) <= 3 and all([type(a) is int for a in args]), "a range", args)
    return range(*args)


def make_slice(work: Work, *args: Any) -> Any:
    expect(1 <= len(args) <= 3 and all([type(a) in (int, type(None)) for a in args]), "a slice", args)
    return slice(*args)


def make_ordered_dict(work: Work, *args: Any) -> Any:
    expect(len(args) < 2 and all([type(a) in (list, tuple) for a in args]), "an OrderedDict", args)
    for items in args:
        work.copy(len(items))
        expect(all([type(pair) in (list, tuple) and len(pair) == 2 for pair in items]), "an OrderedDict", args)
        work.check_keys([key for key, _ in items])
    return OrderedDict(*args)


def make_defaultdict(work: Work, *args: Any) -> Any:
    expect(not args or len(args) == 1 and any([args[0] is f for f in (None, *FACTORIES)]), "a defaultdict", args)
    return defaultdict(*args)


def make_counter(work: Work, *args: Any) -> Any:
    expect(len(args) < 2 and all([type(a) is dict for a in args]), "a Counter", args)
    for counts in args:
        work.copy(len(counts))
    return Counter(*args)


def make_deque(work: Work, *args: Any) -> Any:
    expect(not args or len(args) < 3 and type(args[0]) in (list, tuple) and type(args[-1]) in (list, tuple, int), "a deque", args)
    work.copy(len(args[0]) if args else 0)
    return deque(*args)


def make_empty(kind: type) -> Callable[..., Any]:
    """The maker of a class that files name only as what a defaultdict fills itself with."""
    def make(work: Work, *args: Any) -> Any:
        expect(not args, kind.__name__, args)
        return kind()
    return make


# ---------------------------------------------------------------------------------------------------- NumPy's and ours

def make_dtype(work: Work, *args: Any) -> Any:
    if args and dtypes.has_bfloat16() and args[0] is dtypes.bfloat16.numpy.type:
        return dtypes.bfloat16.numpy  # which NumPy knows by its class, and of which there is one
    expect(1 <= len(args) <= 3 and type(args[0]) is str and NO_OBJECTS.fullmatch(args[0]) is not None
           and all([type(a) in (bool, int) for a in args[1:]]), "a numpy.dtype", args)
    return np.dtype(args[0], False, True)  # a copy, which may then be told its byte order


def make_scalar(work: Work, *args: Any) -> Any:
    expect(len(args) == 2 and isinstance(args[0], np.dtype) and type(args[1]) is bytes
           and len(args[1]) == args[0].itemsize, "a NumPy scalar", args)
    work.copy_bytes(len(args[1]))
    return np.frombuffer(args[1], args[0])[0] if args[1] else args[0].type()


def make_ndarray(work: Work, *args: Any) -> Any:
    """The array that BUILD then fills, see :func:`fill_ndarray`."""
    expect(len(args) == 3 and args[0] is np.ndarray, "a NumPy array", args)
    return np.zeros(0, np.int8)


def make_ndarray_of_bytes(work: Work, *args: Any) -> Any:
    """An array as protocol 5 writes it: its bytes, dtype, shape and the order of its elements."""
    expect(len(args) == 4 and fits_array(*args[:3]) and args[3] in ("C", "F"), "a NumPy array", args)
    data, dtype, shape, order = args
    work.copy_bytes(len(data))
    return np.frombuffer(bytearray(data), dtype).reshape(shape, order=order)


def fits_array(data: Any, dtype: Any, shape: Any) -> bool:
    """Whether `data` are the bytes of an array of `dtype` and `shape`."""
    return (type(data) in (bytes, bytearray) and isinstance(dtype, np.dtype) and type(shape) is tuple and len(shape) <= 32
            and all([type(n) is int and 0 <= n < 2**48 for n in shape])
            and math.prod(shape) * dtype.itemsize == len(data))


def fill_ndarray(work: Work, array: Any, state: Any) -> None:
    """Give an array from :func:`make_ndarray` its elements: bytes, or the string that they were in Python 2."""
    fits = type(state) is tuple and len(state) == 5 and type(state[0]) is int and state[0] == 1 and type(state[3]) in (bool, int)
    data = state[4] if fits else None
    if type(data) is str and max(data, default="") <= "\xff":
        data = data.encode("latin1")
    if type(data) is not bytes or not fits_array(data, state[2], state[1]) or array.shape != (0,) or array.base is not None:
        raise Damaged("a NumPy array is given a state that does not fit")
    work.copy_bytes(len(data))
    array.__setstate__((*state[:4], data))


def order_bytes(dtype: Any, state: Any) -> None:
    """Give a dtype from :func:`make_dtype` its byte order. Any other state would make NumPy read outside of arrays."""
    _, _, own = dtype.__reduce__()
    if dtypes.is_bfloat16(dtype) and state == own:
        return
    fits = type(state) is tuple and len(state) == len(own) and state[1] in ("<", ">", "|", "=")
    if not fits or state[:1] + state[2:] != own[:1] + own[2:] or dtype is np.dtype(dtype.str):
        raise Damaged("a numpy.dtype is given a state that is not its own")
    dtype.__setstate__(state)


def make_size(work: Work, *args: Any) -> Any:
    expect(len(args) == 1 and type(args[0]) in (list, tuple, Size) and all([type(n) is int for n in args[0]]), "a Size", args)
    work.copy(len(args[0]))
    return Size(args[0])


def make_device(work: Work, *args: Any) -> Any:
    expect(1 <= len(args) <= 2 and type(args[0]) is str and type(args[-1]) in (str, int, type(None)), "a device", args)
    return Device(*args)


FACTORIES: tuple[Any, ...] = (list, dict, set, frozenset, int, float, str, bool, tuple, OrderedDict)

# What stands for a name in a file. Protocols below 3 write Python 2's names, which are mapped to these.
PLAIN: dict[tuple[str, str], Any] = {(c.__module__, c.__name__): c for c in (*FACTORIES, bytes, bytearray, complex, range, slice)}
PLAIN |= {("collections", c.__name__): c for c in (defaultdict, Counter, deque)}
PLAIN |= {("_codecs", "encode"): make_bytes, ("numpy", "dtype"): np.dtype, ("numpy", "ndarray"): np.ndarray}
for _numpy in ("numpy.core", "numpy._core"):
    PLAIN |= {(f"{_numpy}.multiarray", "scalar"): make_scalar, (f"{_numpy}.multiarray", "_reconstruct"): make_ndarray,
              (f"{_numpy}.numeric", "_frombuffer"): make_ndarray_of_bytes}

# What makes one of these, by the id of the class or function, since what a file calls need not have a hash.
MAKERS: dict[int, Callable[..., Any]] = {id(make): make for make in PLAIN.values() if not isinstance(make, type)}
MAKERS |= {id(c): make_empty(c) for c in (list, dict, int, float, str, bool, tuple)}
MAKERS |= {id(set): make_set, id(frozenset): make_frozenset, id(bytes): make_bytes, id(bytearray): make_bytearray,
           id(complex): make_complex, id(range): make_range, id(slice): make_slice, id(OrderedDict): make_ordered_dict,
           id(defaultdict): make_defaultdict, id(Counter): make_counter, id(deque): make_deque, id(np.dtype): make_dtype,
           id(Size): make_size, id(Device): make_device}
