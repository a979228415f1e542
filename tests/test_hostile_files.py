"""Files made to do harm: what a pickle asks for beyond plain data, in every container that `load` reads."""

from __future__ import annotations

import functools
import io
import pickle
import struct
import tracemalloc
from collections import OrderedDict
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from tests.hostile import BUILD, MARK, NEWOBJ, REDUCE, archive, call, former, get, legacy, many, name, pickled, put, value

CONTAINERS: dict[str, Callable[[bytes], bytes]] = {"former": former, "archive": archive, "legacy": functools.partial(legacy, storages={})}


def load(content: bytes, **options: Any) -> Any:
    """Load a file from memory, and see to it that this takes no more than four times its length and a little."""
    tracemalloc.start()
    try:
        return mg.load(io.BytesIO(content), **options)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4 * len(content) + 2**22, f"{peak} bytes were taken for a file of {len(content)}"


@pytest.fixture(autouse=True, scope="module")
def what_is_imported_on_demand_is_there() -> None:
    """So that the memory it takes is not counted."""
    for container in CONTAINERS.values():
        mg.load(io.BytesIO(container(pickled(value([1])))))


def nested(instruction: bytes, depth: int) -> bytes:
    """Something with `depth` of itself inside."""
    return value(1) + instruction * depth


def doubled(depth: int) -> bytes:
    """A tuple of a tuple twice, of a tuple twice ...: its hash takes two to the power of `depth` steps."""
    return value(1) + b"".join([put(k) + get(k) + pickle.TUPLE2 for k in range(depth)])


RUNS = {  # what would run a program: the names alone are refused
    "os.system": call(name("os", "system"), value("exit 1")),
    "posix.system": call(name("posix", "system"), value("exit 1")),
    "nt.system": call(name("nt", "system"), value("exit 1")),
    "subprocess": call(name("subprocess", "Popen"), value(["false"])),
    "eval": call(name("builtins", "eval"), value("1 / 0")),
    "exec, by Python 2's name": call(name("__builtin__", "eval"), value("1 / 0")),
    "exec": call(name("builtins", "exec"), value("1 / 0")),
    "getattr": call(call(name("builtins", "getattr"), name("builtins", "dict"), value("get")), value({}), value(1)),
    "a dotted name": pickle.PROTO + b"\4" + value("collections") + value("OrderedDict.fromkeys") + pickle.STACK_GLOBAL,
    "import": call(name("builtins", "__import__"), value("this")),
    "importlib": call(name("importlib", "import_module"), value("this")),
    "open": call(name("io", "open"), value("/tmp/x"), value("w")),
    "an import by a name": name("this", "s"),
    "pickle itself": call(name("pickle", "loads"), value(b".")),
    "numpy's pickles": call(name("numpy", "load"), value("x.npy")),
    "torch's own code": call(name("torch", "compile"), value("1 / 0")),
    "our own code": call(name("minigrad.hub", "load"), value("x"), value("y")),
    "a method of a tensor": name("minigrad", "Tensor.backward"),
    "the old classes of Python 2": MARK + pickle.INST + b"os\nsystem\n",
    "a class on the stack": MARK + name("os", "system") + value("exit 1") + pickle.OBJ,
    "functools": call(name("functools", "partial"), name("os", "system"), value("exit 1")),
    "operator": call(name("operator", "attrgetter"), value("__globals__")),
    "a codec": call(name("codecs", "decode"), value("x"), value("zip")),
    "a type": call(name("builtins", "type"), value("X"), value(()), value({})),
    "copyreg": call(name("copyreg", "_reconstructor"), name("builtins", "object"), name("builtins", "object"), value(None)),
    "no function at all": call(value("print"), value(1)),
    "a number that is called": call(value(3), value(1)),
    "an object that is called": call(call(name("collections", "OrderedDict")), value(1)),
    "a new object of what is none": value(3) + value(()) + NEWOBJ,
    "a registered extension": pickle.EXT1 + b"\1",
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("attack", RUNS)
def test_no_file_calls_a_function_that_is_not_on_the_list(attack: str, container: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match="the file refers to|the file calls|damaged"):
        load(CONTAINERS[container](pickled(RUNS[attack])))


TENSOR = name("minigrad", "Tensor")
CHANGES = {  # state that is set where none belongs
    "a method of all tensors": TENSOR + value({"backward": 1}) + BUILD,
    "a method, as a slot": TENSOR + value((None, {"backward": 1})) + BUILD,
    "a method of torch's": name("torch", "Tensor") + value({"backward": 1}) + BUILD,
    "a class of Python's": name("collections", "OrderedDict") + value((None, {"get": 1})) + BUILD,
    "a function": name("minigrad.serialization", "rebuild") + value({"__code__": 1}) + BUILD,
    "a function of torch's": name("torch._utils", "_rebuild_tensor_v2") + value((None, {"__code__": 1})) + BUILD,
    "a dtype": name("minigrad", "float32") + value({"numpy": 1}) + BUILD,
    "a dtype of torch's": name("torch", "float32") + value({"numpy": 1}) + BUILD,
    "a storage's class": name("torch", "FloatStorage") + value((None, {"dtype": 1})) + BUILD,
    "a size": call(name("torch", "Size"), value((1,))) + value({"numel": 1}) + BUILD,
    "a device": call(name("torch", "device"), value("cpu")) + value({"type": 1}) + BUILD,
    "a dictionary's methods": call(name("collections", "OrderedDict")) + value({"items": 1}) + BUILD,
    "a dictionary's class": call(name("collections", "OrderedDict")) + value({"__class__": 1}) + BUILD,
    "a dictionary without a name": call(name("collections", "OrderedDict")) + value({1: 1}) + BUILD,
    "a dictionary, by a list": call(name("collections", "OrderedDict")) + value([1]) + BUILD,
    "a list": value([]) + value({"x": 1}) + BUILD,
    "a number": value(1) + value({"x": 1}) + BUILD,
    "a deque": call(name("collections", "deque")) + value({"append": 1}) + BUILD,
}
F8 = call(name("numpy", "dtype"), value("f8"), value(False), value(True))
SHARED = call(name("numpy", "dtype"), value("f8"), value(False), value(False))
ARRAY = call(name("numpy._core.multiarray", "_reconstruct"), name("numpy", "ndarray"), value((0,)), value(b"b"))


def a_byte_order(order: Any = "<", *, version: Any = 3, fields: Any = None, size: Any = -1, flags: Any = 0) -> bytes:
    return value((version, order, None, None if fields is None else ("f",), fields, size, -1, flags)) + BUILD


ARRAYS = {  # NumPy's objects, with states by which NumPy would read outside of memory
    "elements of any size": F8 + a_byte_order(size=1 << 20),
    "elements that are addresses": F8 + a_byte_order(flags=63),
    "fields that are none": F8 + a_byte_order(fields={"f": (1, 2)}),
    "another version": F8 + a_byte_order(version=1 << 40),
    "an order that is none": F8 + a_byte_order("x"),
    "an order that is a list": F8 + a_byte_order(["<"]),
    "a state that is none": F8 + value(3) + BUILD,
    "a state too short": F8 + value((3, "<")) + BUILD,
    "a dtype of objects": call(name("numpy", "dtype"), value("O"), value(False), value(True)),
    "a dtype of fields": call(name("numpy", "dtype"), value("i4,O"), value(False), value(True)),
    "a dtype of a list": call(name("numpy", "dtype"), value([("a", "O")])),
    "a scalar of nothing": call(name("numpy._core.multiarray", "scalar"), F8, value(b"")),
    "a scalar of an object": call(name("numpy._core.multiarray", "scalar"), F8, value({})),
    "a scalar of no dtype": call(name("numpy._core.multiarray", "scalar"), value("f8"), value(b"")),
    "an array of less": ARRAY + many(value(1), value((3,)), F8, value(False), value(bytes(16))) + BUILD,
    "an array of more": ARRAY + many(value(1), value((3,)), F8, value(False), value(bytes(32))) + BUILD,
    "an array of objects": ARRAY + many(value(1), value((3,)), F8, value(False), value([1, 2, 3])) + BUILD,
    "an array of a negative size": ARRAY + many(value(1), value((-1, -2)), F8, value(False), value(bytes(16))) + BUILD,
    "an array of sizes that overflow": ARRAY + many(value(1), value((2**32, 2**32)), F8, value(False), value(b"")) + BUILD,
    "an array of no sizes": ARRAY + many(value(1), value((2**62, 0)), F8, value(False), value(b"")) + BUILD,
    "an array of a class": call(name("numpy._core.multiarray", "_reconstruct"), name("collections", "OrderedDict"), value((0,)),
                                value(b"b")),
    "an array that is filled twice": ARRAY + 2 * (many(value(1), value((2,)), F8, value(False), value(bytes(16))) + BUILD),
    "an array as protocol 5 has it": call(name("numpy._core.numeric", "_frombuffer"), value(bytes(8)), F8, value((3,)),
                                          value("C")),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("attack", [*CHANGES, *ARRAYS])
def test_no_file_changes_what_it_did_not_make(attack: str, container: str) -> None:
    backward, items = mg.Tensor.backward, OrderedDict.items
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        load(CONTAINERS[container](pickled({**CHANGES, **ARRAYS}[attack])))
    assert mg.Tensor.backward is backward and OrderedDict.items is items


@pytest.mark.parametrize("container", CONTAINERS)
def test_no_file_turns_the_bytes_of_a_dtype_that_others_use(container: str) -> None:
    load(CONTAINERS[container](pickled(SHARED, a_byte_order(">"))))
    assert np.dtype("f8").isnative and np.float64(1).dtype.isnative


TAKES = {  # what asks for more memory or time than the file is long
    "a bytearray of a size": call(name("builtins", "bytearray"), value(10**11)),
    "bytes of a size": call(name("builtins", "bytes"), value(10**11)),
    "a set of a range": call(name("builtins", "set"), call(name("builtins", "range"), value(10**11))),
    "a list of a range": call(name("builtins", "list"), call(name("builtins", "range"), value(10**11))),
    "a deque of a range": call(name("collections", "deque"), call(name("builtins", "range"), value(10**11))),
    "a Counter of a range": call(name("collections", "Counter"), call(name("builtins", "range"), value(10**11))),
    "a size of a range": call(name("torch", "Size"), call(name("builtins", "range"), value(10**11))),
    "a former size of a range": call(name("minigrad", "Size"), call(name("builtins", "range"), value(10**11))),
    "a number of a text": call(name("builtins", "complex"), value("1" * 1000)),
    "a bytearray again and again": value(b"x" * 10**5) + put(0) + MARK
    + (name("builtins", "bytearray") + get(0) + pickle.TUPLE1 + REDUCE) * 1000 + pickle.LIST,
    "a set again and again": value(list(range(10**4))) + put(0) + MARK
    + (name("builtins", "set") + get(0) + pickle.TUPLE1 + REDUCE) * 1000 + pickle.LIST,
    "an encoded text again and again": value("x" * 10**5) + put(0) + MARK
    + (name("_codecs", "encode") + get(0) + value("latin1") + pickle.TUPLE2 + REDUCE) * 1000 + pickle.LIST,
    "a place of the memo": value(1) + pickle.LONG_BINPUT + b"\xff\xff\xff\xff" + pickle.LONG_BINGET + b"\xfe\xff\xff\xff",
    "a place of the memo in words": value(1) + pickle.PUT + b"9" * 500 + b"\n" + pickle.GET + b"9" * 499 + b"\n",
    "bytes of 64 bits": pickle.BINBYTES8 + struct.pack("<Q", 2**62),
    "text of 64 bits": pickle.BINUNICODE8 + struct.pack("<Q", 2**62),
    "text of 32 bits": pickle.BINUNICODE + struct.pack("<I", 2**32 - 1),
    "a bytearray of 64 bits": pickle.BYTEARRAY8 + struct.pack("<Q", 2**40),
    "an integer of 31 bits": pickle.LONG4 + struct.pack("<I", 2**31 - 1),
    "an integer of a negative size": pickle.LONG4 + struct.pack("<i", -1),
    "an integer of many bytes": pickle.LONG4 + struct.pack("<I", 10**5) + b"\x7f" * 10**5,
    "an integer of many digits": pickle.LONG + b"9" * 10**5 + b"L\n",
    "a frame of 64 bits": pickle.FRAME + struct.pack("<Q", 2**62) + value(1),
    "tuples in tuples": nested(pickle.TUPLE1, 30_000),
    "tuples in tuples as a key": pickle.EMPTY_DICT + nested(pickle.TUPLE1, 30_000) + value(1) + pickle.SETITEM,
    "lists in lists": pickle.EMPTY_LIST * 10**4 + pickle.APPEND * (10**4 - 1),
    "dicts in dicts": (pickle.EMPTY_DICT + value("k")) * 10**4 + value(1) + pickle.SETITEM * 10**4,
    "marks in marks": MARK * 10**5,
    "a billion laughs": pickle.EMPTY_LIST + put(0) + b"".join([put(k) + MARK + get(k - 1) * 10 + pickle.LIST + put(k)
                                                                for k in range(1, 12)]),
    "doubled tuples": doubled(60),
    "doubled tuples as a key": pickle.EMPTY_DICT + doubled(60) + value(1) + pickle.SETITEM,
    "doubled tuples in a set": pickle.EMPTY_SET + MARK + doubled(60) + pickle.ADDITEMS,
    "doubled tuples in a frozenset": MARK + doubled(60) + pickle.FROZENSET,
    "doubled tuples as the key of a storage": doubled(60) + pickle.BINPERSID,
    "doubled tuples as the place of a tensor": many(value("storage"), name("torch", "FloatStorage"), value("0"), doubled(60),
                                                    value(4)) + pickle.BINPERSID,
    "a key again and again": value(tuple(range(10**4))) + put(0) + pickle.EMPTY_DICT + MARK + (get(0) + value(1)) * 10**3
    + pickle.SETITEMS,
    "keys of one hash": pickle.EMPTY_DICT + MARK
    + b"".join([value(k * (2**61 - 1)) + value(1) for k in range(1, 10**3)]) + pickle.SETITEMS,
    "a list as a key": pickle.EMPTY_DICT + value([]) + value(1) + pickle.SETITEM,
    "a dict in a set": pickle.EMPTY_SET + MARK + value({}) + pickle.ADDITEMS,
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("attack", TAKES)
def test_no_file_takes_more_than_its_length_explains(attack: str, container: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match="damaged|the file refers to|the file calls"):
        load(CONTAINERS[container](pickled(TAKES[attack])))


BROKEN = {  # programs that are none
    "nothing": b"",
    "an instruction that is none": b"\xff",
    "nothing on the stack": pickle.TUPLE2,
    "no mark": value(1) + pickle.TUPLE,
    "a key without a value": pickle.EMPTY_DICT + MARK + value(1) + pickle.SETITEMS,
    "a key in a list": pickle.EMPTY_LIST + value(1) + value(2) + pickle.SETITEM,
    "an element in a dict": pickle.EMPTY_DICT + value(1) + pickle.APPEND,
    "an element in a frozenset": MARK + pickle.FROZENSET + MARK + value(1) + pickle.ADDITEMS,
    "a method that looks like a list": call(name("collections", "Counter")) + value(1) + pickle.APPEND,
    "a protocol to come": pickle.PROTO + b"\x09" + value(1),
    "text that is none": pickle.BINUNICODE + struct.pack("<I", 2) + b"\xff\xff",
    "a number that is none": pickle.INT + b"x\n",
    "a long that is none": pickle.LONG + b"12_3L\n",
    "a float that is none": pickle.FLOAT + b"one\n",
    "a string that is none": pickle.STRING + b"'\n",
    "an escape that is none": pickle.STRING + b"'\\x'\n",
    "a name that is no text": value(1) + value("x") + pickle.STACK_GLOBAL,
    "arguments that are a list": name("builtins", "set") + value([]) + REDUCE,
    "options that are a list": name("collections", "OrderedDict") + value(()) + value([]) + pickle.NEWOBJ_EX,
    "a line without an end": pickle.GLOBAL + b"os",
    "memory beside the pickle": pickle.NEXT_BUFFER,
    "a persistent id that is a list": value([]) + pickle.BINPERSID,
    "a persistent id of nothing": value(()) + pickle.BINPERSID,
    "a persistent id that is a text": pickle.PERSID + b"0\n",
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("fault", BROKEN)
def test_broken_pickles_are_said_to_be_damaged(fault: str, container: str) -> None:
    with pytest.raises((pickle.UnpicklingError, RuntimeError), match="damaged|should be a storage"):
        load(CONTAINERS[container](pickled(BROKEN[fault])))


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_pickle_that_ends_anywhere_is_said_to_be_damaged(container: str) -> None:
    whole = pickle.dumps({"a": [1, 2.5, "text", (1, 2, 3)], "b": b"bytes", "c": {1, 2}, "d": 2**100}, 4)
    for end in range(len(whole)):
        with pytest.raises((pickle.UnpicklingError, RuntimeError), match="damaged"):
            load(CONTAINERS[container](whole[:end]))
