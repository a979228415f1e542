"""Files made to do harm: what a pickle asks for beyond plain data, in every container that `load` reads."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import pickle
import struct
import tracemalloc
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import serialization
from minigrad.errors import MinigradError
from tests.hostile import (
    BUILD,
    MARK,
    NEWOBJ,
    REDUCE,
    archive,
    call,
    former,
    get,
    legacy,
    many,
    name,
    pickled,
    put,
    storage,
    tensor,
    value,
)

CONTAINERS: dict[str, Callable[[bytes], bytes]] = {"former": former, "archive": archive,
                                                   "legacy": functools.partial(legacy, storages={})}


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
    "an array of another version": ARRAY + many(value(3), value((3,)), F8, value(False), value(bytes(24))) + BUILD,
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


# ---------------------------------------------------------------------------------------------------- tensors

OUTSIDE = {  # offset, size and stride in a storage of four elements
    "behind the end": (1, (4,), (1,)),
    "far behind the end": (2**62, (1,), (1,)),
    "before the beginning": (-1, (2,), (1,)),
    "steps over the end": (0, (2,), (4,)),
    "steps far over the end": (0, (2,), (2**62,)),
    "steps back": (3, (2,), (-1,)),
    "steps that overflow": (0, (2**33, 2**33), (2**31, 2**31)),
    "a negative size": (0, (-1,), (1,)),
    "two negative sizes": (0, (-2, -2), (1, 1)),
    "more sizes than steps": (0, (2, 2), (1,)),
    "more steps than sizes": (0, (2,), (1, 1)),
    "a size that is no integer": (0, (2.0,), (1,)),
    "a step that is no integer": (0, (2,), ("1",)),
    "an offset that is none": (None, (2,), (1,)),
    "a size that is no tuple": (0, 4, 1),
    "a size that is a text": (0, "12", "12"),
    "more dimensions than there are": (0, (1,) * 100, (1,) * 100),
}
OTHERS = {  # functions that make tensors, with what they should not be given
    "a conjugate of everything": call(name("torch._utils", "_rebuild_tensor_v2"), storage(), value(0), value((10**10,)),
                                      value((0,)), value(False), value({}), value({"conj": True})),
    "conjugates again and again": MARK + (name("torch._utils", "_rebuild_tensor_v2") + many(
        storage("big", 50_000), value(0), value((50_000,)), value((1,)), value(False), value({}),
        value({"conj": True})) + REDUCE) * 50 + pickle.LIST,
    "a tensor of a list": tensor(value([1, 2, 3, 4])),
    "a tensor of a text": tensor(value("0")),
    "a dtype that is none": call(name("torch._utils", "_rebuild_tensor_v3"), storage(), value(0), value((1,)), value((1,)),
                                 value(False), value({}), value("float32")),
    "a size that is a tensor": call(name("torch._utils", "_rebuild_tensor_v2"), storage(), value(0),
                                    tensor(storage(), 0, (10**9,), (0,)), value((1,)), value(False), value({})),
    "a conversion of everything": call(name("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"),
                                       tensor(storage(), 0, (10**9,), (0,)), name("torch", "float64"), value("cpu"),
                                       value(False)),
    "a parameter of a number": call(name("torch._utils", "_rebuild_parameter"), value(10**11), value(False), value({})),
    "an attribute that is a method": call(name("torch._utils", "_rebuild_parameter_with_state"), tensor(storage()), value(True),
                                          value({}), value({"backward": 1})),
    "an attribute that is a hook": call(name("torch._utils", "_rebuild_parameter_with_state"), tensor(storage()), value(True),
                                        value({}), value({"_leaf_hooks": {0: 1}})),
    "an attribute that is a class": call(name("torch._utils", "_rebuild_parameter_with_state"), tensor(storage()), value(True),
                                         value({}), value({"__class__": 1})),
    "a type that is none": call(name("torch._tensor", "_rebuild_from_type_v2"), name("torch._utils", "_rebuild_tensor_v2"),
                                name("collections", "OrderedDict"), value(()), value({})),
    "a function that is another": call(name("torch._tensor", "_rebuild_from_type_v2"), name("collections", "OrderedDict"),
                                       name("torch", "Tensor"), value(()), value({})),
    "a class that is called": call(name("torch", "Tensor"), value(10**5), value(10**6)),
    "a parameter that is called": call(name("torch.nn.parameter", "Parameter"), value(10**11)),
    "a tensor without anything": name("torch", "Tensor") + value(()) + NEWOBJ,
    "a generator of a size": call(name("minigrad.random", "restore_generator"), value("cpu"), value(10**11)),
    "an array for a device": call(name("torch._utils", "_rebuild_device_tensor_from_numpy"), value([[1], 2]), value("float32"),
                                  value("cpu"), value(False)),
    "a layout that is none": call(name("torch.serialization", "_get_layout"), value(doubled.__name__)),
    "a storage of more": tensor(storage("0", 5)),
    "a storage of less": tensor(storage("0", 3)),
    "a storage of a negative size": tensor(storage("0", -1)),
    "a storage of another type": tensor(storage("0", 4, "DoubleStorage")),
    "a storage of everything": tensor(storage("0", 2**62)),
    "a storage that is not there": tensor(storage("1", 4)),
    "a storage outside of the folder": tensor(storage("../version", 1)),
    "a storage by a number": tensor(storage(0)),  # type: ignore[arg-type]
    "a storage that has no type": many(*map(value, ("storage", "FloatStorage", "0", "cpu", 4))) + pickle.BINPERSID,
    "a storage that is something else": many(value("device"), name("torch", "FloatStorage"), value("0")) + pickle.BINPERSID,
    "a part of a storage that is none": many(value("storage"), name("torch", "FloatStorage"), value("0"), value("cpu"), value(4),
                                             value("view")) + pickle.BINPERSID,
    "a device that is none": tensor(storage("0", 4, "FloatStorage", "os.system")),
}
HOLDING = {"archive": functools.partial(archive, storages={"0": bytes(16), "big": bytes(200_000)}),
           "legacy": functools.partial(legacy, storages={"0": bytes(16), "big": bytes(200_000)})}


@pytest.mark.parametrize("container", HOLDING)
@pytest.mark.parametrize("attack", [*OUTSIDE, *OTHERS])
def test_no_file_makes_a_tensor_outside_of_its_memory(attack: str, container: str) -> None:
    made = tensor(storage(), *OUTSIDE[attack]) if attack in OUTSIDE else OTHERS[attack]
    if container == "legacy":  # whose persistent ids have one thing more
        made = made.replace(value("cpu") + value(4) + pickle.TUPLE, value("cpu") + value(4) + value(None) + pickle.TUPLE)
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        load(HOLDING[container](pickled(made)))


def test_an_expanded_tensor_takes_the_memory_of_one_element() -> None:
    x = load(archive(pickled(tensor(storage(), 0, (10**9, 4), (0, 1)))))
    assert x.shape == (10**9, 4) and x.stride() == (0, 1)


def test_what_a_damaged_file_says_is_short() -> None:
    """Values of a file that errors name may be endless."""
    with pytest.raises((pickle.UnpicklingError, RuntimeError)) as caught:
        load(archive(pickled(tensor(storage(), 0, tuple(range(10**5)), ("x" * 10**5,)))))
    assert len(str(caught.value)) < 2000


# ---------------------------------------------------------------------------------------------------- archives

FINE = archive(pickled(tensor(storage())))
CENTRAL, LOCAL, END = b"PK\1\2", b"PK\3\4", b"PK\5\6"


def with_field(data: bytes, record: bytes, signature: bytes, field: int, number: int, size: int = 4) -> bytes:
    """The archive with another number in a header of the record of that name."""
    name_at = {CENTRAL: 46, LOCAL: 30}[signature]
    at = data.index(record, data.index(signature)) if signature == LOCAL else data.rindex(record)
    changed = bytearray(data)
    assert changed[at - name_at:at - name_at + 4] == signature
    changed[at - name_at + field:at - name_at + field + size] = number.to_bytes(size, "little")
    return bytes(changed)


def with_entry(data: bytes, path: str, content: bytes = b"x") -> bytes:
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a") as records, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name that is there already
        records.writestr(path, content)
    return file.getvalue()


STORAGE = b"archive/data/0"
ARCHIVES = {
    "truncated": FINE[:-30],
    "half of it": FINE[:len(FINE) // 2],
    "only a head": FINE[:4],
    "a bit of a storage": FINE[:FINE.index(STORAGE) + 20] + b"\1" + FINE[FINE.index(STORAGE) + 21:],
    "a compressed bomb": archive(pickled(tensor(storage("0", 10**7))), {"0": bytes(4 * 10**7)}, method=zipfile.ZIP_DEFLATED),
    "a compressed bomb of a pickle": archive(pickled(value("x" * 10**7)), {}, method=zipfile.ZIP_DEFLATED),
    "a storage that says it is larger": with_field(FINE, STORAGE, CENTRAL, 24, 2**32 - 2),
    "a storage that says it is a little larger": with_field(FINE, STORAGE, CENTRAL, 24, 20),
    "a storage that says it is smaller": with_field(FINE, STORAGE, CENTRAL, 24, 8),
    "a storage that is elsewhere": with_field(FINE, STORAGE, CENTRAL, 42, 2**32 - 2),
    "a storage that is in the middle of something": with_field(FINE, STORAGE, CENTRAL, 42, 3),
    "a storage behind a long name": with_field(FINE, STORAGE, LOCAL, 26, 65535, 2),
    "an encrypted storage": with_field(FINE, STORAGE, CENTRAL, 8, 1, 2),
    "an encrypted pickle": with_field(FINE, b"archive/data.pkl", CENTRAL, 8, 1, 2),
    "a method that is none": with_field(FINE, STORAGE, CENTRAL, 10, 77, 2),
    "a version to come": with_field(FINE, STORAGE, CENTRAL, 6, 200, 2),
    "sizes of 64 bits that are not there": with_field(FINE, STORAGE, CENTRAL, 24, 2**32 - 1),
    "the same name twice": with_entry(FINE, "archive/data/0", bytes(16)),
    "two pickles": with_entry(FINE, "archive/data.pkl", pickled(value(1))),
    "no pickle": archive(b"", {"0": bytes(16)}).replace(b"data.pkl", b"data.pk0"),
    "no storage": archive(pickled(tensor(storage())), {}),
    "a byte order that is none": FINE.replace(b"little", b"middle"),
}


@pytest.mark.parametrize("attack", ARCHIVES)
def test_damaged_archives_are_refused(attack: str, tmp_path: Path) -> None:
    with pytest.raises((pickle.UnpicklingError, RuntimeError, ValueError)):
        load(ARCHIVES[attack])
    (tmp_path / "file.pt").write_bytes(ARCHIVES[attack])
    with contextlib.suppress(pickle.UnpicklingError, RuntimeError, ValueError):  # mapped, what is not looked at is not checked
        assert mg.load(tmp_path / "file.pt", mmap=True).shape == (4,)


@pytest.mark.parametrize("path", ["../../outside", "/outside", "archive/../../outside", "archive\\..\\outside", "C:\\outside"])
def test_records_of_any_path_are_only_read(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is unpacked, so that there is no place outside of a folder to write to."""
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    Path("file.pt").write_bytes(with_entry(FINE, path))
    assert mg.load("file.pt").tolist() == [0, 0, 0, 0]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "b", "file.pt"]


def test_overlapping_records_take_no_more_than_four_times_the_file() -> None:
    """A thousand entries of the table of contents that all tell of the same million bytes."""
    def entry(k: int, size: int) -> bytes:
        path = b"archive/data/%d" % k
        return struct.pack("<4s4B4HL2L5H2L", CENTRAL, 20, 3, 20, 0, 0, 0, 0, 0, 0, size, size, len(path), 0, 0, 0, 0, 0, 0) + path

    file = io.BytesIO()
    data = pickled(many(*[storage(str(k), 250_000) for k in range(1000)]))
    with zipfile.ZipFile(file, "w") as records:
        records.writestr("first", bytes(10**6))
        records.writestr("archive/data.pkl", data)
        records.writestr("archive/version", "3")
    plain = file.getvalue()
    table = plain.index(CENTRAL)
    end = plain.index(END)
    entries = plain[table:end] + b"".join([entry(k, 10**6) for k in range(1000)])
    overlapping = plain[:table] + entries + struct.pack("<4s4H2LH", END, 0, 0, 1003, 1003, len(entries), table, 0)
    with pytest.raises(RuntimeError, match="made to fill the memory"):
        load(overlapping)


LEGACY = legacy(pickled(tensor(storage("0", 4, "FloatStorage", "cpu", None))))
STREAMS = {
    "truncated": LEGACY[:-4],
    "without storages": LEGACY[:-24],
    "a storage of more": LEGACY[:-24] + struct.pack("<q", 5) + bytes(16),
    "a storage of everything": LEGACY[:-24] + struct.pack("<q", 2**62) + bytes(16),
    "a storage of a negative size": LEGACY[:-24] + struct.pack("<q", -4) + bytes(16),
    "another number": pickle.dumps(1, 2) + LEGACY,
    "another version": LEGACY.replace(pickle.dumps(1001, 2), pickle.dumps(1002, 2)),
    "keys that are none": legacy(pickled(value(1)))[:-40] + pickle.dumps(3, 2),
    "a pickle": pickle.dumps({"a": 1}, 4),
    "a pickle that runs": pickled(call(name("os", "system"), value("exit 1"))),
    "a place of the memo in the head": pickled(value(1), pickle.LONG_BINPUT + b"\xff\xff\xff\x7f"),
}


@pytest.mark.parametrize("attack", STREAMS)
def test_damaged_streams_are_refused(attack: str) -> None:
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        load(STREAMS[attack])


@pytest.mark.parametrize("whole", [FINE, LEGACY], ids=["archive", "stream"])
def test_a_file_that_ends_anywhere_is_refused(whole: bytes) -> None:
    load(whole)
    for end in range(1, len(whole)):
        with pytest.raises((pickle.UnpicklingError, RuntimeError)):
            load(whole[:end])


@pytest.mark.parametrize("whole", [FINE, LEGACY], ids=["archive", "stream"])
def test_a_file_with_a_bit_turned_loads_or_is_refused(whole: bytes) -> None:
    for at in range(len(whole)):
        turned = whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1:]
        with contextlib.suppress(pickle.UnpicklingError, MinigradError):
            load(turned)


# ---------------------------------------------------------------------------------------------------- what users allow

class Point:
    """A class of a user's."""

    __slots__ = ("x", "__dict__")

    def __init__(self, x: int = 0) -> None:
        self.x = x
        self.label = "here"


class Bag(dict[str, int]):
    """A class with its own way to take a state."""

    def __setstate__(self, state: Any) -> None:
        self.taken = state


def make_point(x: int) -> Point:
    return Point(x)


HERE = __name__


def test_what_the_user_allows_is_made() -> None:
    made = Point(3)
    for protocol in (2, 3, 4, 5):
        with serialization.safe_globals([Point]):
            found = load(archive(pickle.dumps(made, protocol)))
        assert found.x == 3 and found.label == "here"
    with serialization.safe_globals([Bag]):
        bag = name(HERE, "Bag") + value(()) + NEWOBJ
        found = load(archive(pickled(bag, value("k"), value(1), pickle.SETITEM, value([7]), BUILD)))
        assert found == {"k": 1} and found.taken == [7]
    with serialization.safe_globals([make_point, Point]):
        assert load(archive(pickled(call(name(HERE, "make_point"), value(5))))).x == 5
    with serialization.safe_globals([(Point, "elsewhere.Spot")]):
        assert type(load(archive(pickled(name("elsewhere", "Spot"), value(()), NEWOBJ)))) is Point
    with pytest.raises(pickle.UnpicklingError, match="refers to .*Point.*add_safe_globals"):
        load(archive(pickle.dumps(made, 2)))


def double(x: mg.Tensor) -> mg.Tensor:
    return x * 2


def test_what_the_user_allows_is_called_once_with_what_the_file_holds() -> None:
    """Also in older files, which are looked through before they are read."""
    old = tensor(storage("0", 4, "FloatStorage", "cpu", None))
    with serialization.safe_globals([double]):
        found = load(legacy(pickled(call(name(HERE, "double"), old)), {"0": np.ones(4, np.float32).tobytes()}))
    assert found.tolist() == [2, 2, 2, 2]


POINT = name(HERE, "Point")
NOT_ALLOWED = {
    "a method of the class": POINT + value((None, {"x": 1})) + BUILD,
    "an attribute of the class": POINT + value({"x": 1}) + BUILD,
    "a slot that is none": POINT + value(()) + NEWOBJ + value((None, {"__class__": 1})) + BUILD,
    "a method by a name": name(HERE, "Point.__init__"),
    "the module": name(HERE, "pickle"),
    "what the module has": call(name(HERE, "make_point"), value(1)),
    "an object that is called": call(POINT + value(()) + NEWOBJ, value(1)),
    "its base": call(name("builtins", "object")),
}


@pytest.mark.parametrize("attack", NOT_ALLOWED)
def test_what_the_user_allows_lets_nothing_else_in(attack: str) -> None:
    slot = Point.__dict__["x"]
    with serialization.safe_globals([Point]), pytest.raises(pickle.UnpicklingError):
        load(archive(pickled(NOT_ALLOWED[attack])))
    assert Point.__dict__["x"] is slot


def test_some_modules_are_refused_even_where_the_user_allows_them() -> None:
    with (serialization.safe_globals([os.system, (os.system, "posix.system")]),
          pytest.raises(pickle.UnpicklingError, match="posix.system.*weights have no use for")):
        load(archive(pickled(call(name("posix", "system"), value("exit 1")))))
