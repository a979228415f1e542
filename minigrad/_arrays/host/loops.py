"""NumPy's own loops, called one after the other by a compiled function, without what NumPy does around them.

A function of NumPy's such as ``np.add`` looks at its operands for a third of a microsecond, and then calls a loop that was
compiled for their dtypes: ``loop(operands, sizes, steps, data)``, all four addresses. Of small arrays that loop takes some
nanoseconds. Where shapes and strides are known beforehand, the loops can be called by themselves: the bits are the same because
the code is the same. Where they are stands in the object that the function is, in fields that NumPy's interface for C has laid
down; :func:`lies_as_expected` looks whether they are there.

A table of calls is one array of integers. Each call is a row: its length; the address of the loop, or the number of one of this
file's own; the loop's data; how many operands there are; how many axes around those of the loop, and how many rounds these
make together; where in the table the loop's sizes and its steps are; for each operand the place it lies in, and how far from
where that begins; for each axis around its size, and the operands' steps along it; at last the loop's sizes and steps.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from minigrad._arrays.host.compiling import kernel, part

__all__ = ["ADDITIONS", "CONVERSIONS", "GREATEST", "LOOKUPS", "address_of_member", "lies_as_expected", "loop_of", "run_loops"]

HEAD = 8  # numbers of a row before its operands
MOST_OPERANDS, MOST_AXES = 8, 32
# Bytes from where a tuple begins to its length and its members, and an array to the address of its elements.
LENGTH, MEMBERS, ELEMENTS = object.__basicsize__, tuple.__basicsize__, object.__basicsize__


# ---------------------------------------------------------------------------------------------------- where the loops are

class UfuncHead(ctypes.Structure):
    """How an object begins that is a function of NumPy's (``PyUFuncObject`` in its ``ufuncobject.h``)."""

    _fields_ = [("references", ctypes.c_ssize_t), ("type", ctypes.c_void_p), ("inputs", ctypes.c_int), ("outputs", ctypes.c_int),
                ("operands", ctypes.c_int), ("identity", ctypes.c_int), ("loops", ctypes.POINTER(ctypes.c_void_p)),
                ("data", ctypes.POINTER(ctypes.c_void_p)), ("count", ctypes.c_int), ("reserved", ctypes.c_int),
                ("name", ctypes.c_char_p), ("dtypes", ctypes.POINTER(ctypes.c_byte))]


@functools.cache
def lies_as_expected() -> bool:
    """Whether objects of Python and NumPy lie in memory as this file takes them to: it is looked at of some whose content is
    known."""
    arrays = np.zeros(3), np.zeros(2)
    members = (ctypes.c_ssize_t * 2).from_address(id(arrays) + MEMBERS)
    return (ctypes.c_ssize_t.from_address(id(arrays) + LENGTH).value == 2 and list(members) == [id(a) for a in arrays]
            and all([ctypes.c_ssize_t.from_address(id(a) + ELEMENTS).value == a.ctypes.data for a in arrays])
            and all([reads_well(f) for f in (np.add, np.exp, np.matmul)]))


def reads_well(function: Any) -> bool:
    """Whether what stands in the object `function` is what NumPy says of it."""
    head = UfuncHead.from_address(id(function))
    if (head.inputs, head.outputs, head.operands, head.count) != (function.nin, function.nout, function.nargs,
                                                                  function.ntypes) or head.name != function.__name__.encode():
        return False
    numbers = [np.dtype(char).num for text in function.types for char in text.replace("->", "")]
    return list(head.dtypes[:len(numbers)]) == numbers


def loop_of(function: Any, dtypes: tuple[Any, ...]) -> tuple[int, int] | None:
    """The addresses of the loop of a function of NumPy's for these dtypes of operands and results, and of its data; None where
    there is none."""
    chars = [dtype.char for dtype in dtypes]
    signature = f"{''.join(chars[:function.nin])}->{''.join(chars[function.nin:])}"
    if signature not in function.types or not reads_well(function):
        return None
    head, k = UfuncHead.from_address(id(function)), function.types.index(signature)
    return (head.loops[k], head.data[k] or 0) if head.loops[k] else None


# ---------------------------------------------------------------------------------------------------- calling them

@intrinsic  # type: ignore[untyped-decorator]
def call_loop(typing: Any, address: Any, operands: Any, sizes: Any, steps: Any, data: Any) -> Any:
    """Call the loop at an address; all arguments are addresses."""
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        function = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t] * 4)
        loop = builder.inttoptr(values[0], function.as_pointer())
        builder.call(loop, [builder.inttoptr(value, cgutils.voidptr_t) for value in values[1:]])
        return context.get_dummy_value()
    return types.void(*[types.intp] * 5), generate


def elements(kind: Any) -> Any:
    """The address of elements as a pointer to numbers of a `kind`."""
    @intrinsic  # type: ignore[untyped-decorator]
    def pointer(typing: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.inttoptr(values[0], context.get_value_type(signature.return_type))
        return types.CPointer(kind)(types.intp), generate
    return pointer


integers = elements(types.intp)


@part
def address_of_member(arrays: int, k: int) -> Any:
    """The address of the elements of an array in a tuple of such, which is at an address itself."""
    member = carray(integers(arrays + MEMBERS + 8 * k), 1)[0]
    return carray(integers(member + ELEMENTS), 1)[0]


def conversion(source: Any, target: Any) -> Any:
    """A loop that converts numbers of one kind to another, as NumPy does."""
    read, write, convert = elements(source), elements(target), target
    from_size, to_size = source.bitwidth // 8, target.bitwidth // 8

    @part
    def convert_elements(given: Any, size: int, step: int, step_made: int) -> None:
        if step == from_size and step_made == to_size:
            a, made = carray(read(given[0]), size), carray(write(given[1]), size)
            for k in range(size):
                made[k] = convert(a[k])
        else:
            for k in range(size):
                carray(write(given[1] + k * step_made), 1)[0] = convert(carray(read(given[0] + k * step), 1)[0])
    return convert_elements


from_bool_to_int32, from_bool_to_int64 = conversion(types.uint8, types.int32), conversion(types.uint8, types.int64)
from_bool_to_float32, from_bool_to_float64 = conversion(types.uint8, types.float32), conversion(types.uint8, types.float64)
from_int64_to_float32, from_int64_to_float64 = conversion(types.int64, types.float32), conversion(types.int64, types.float64)
from_float32_to_float64, from_float64_to_float32 = conversion(types.float32, types.float64), \
    conversion(types.float64, types.float32)
CONVERSIONS = {("bool", "int32"): 0, ("bool", "int64"): 1, ("bool", "float32"): 2, ("bool", "float64"): 3,
               ("int64", "float32"): 4, ("int64", "float64"): 5, ("float32", "float64"): 6, ("float64", "float32"): 7}
LOOKUPS = {4: 8, 8: 9}  # by the bytes of an element
ADDITIONS = {"float32": 10, "float64": 11}
GREATEST = {"float32": 12, "float64": 13}
OWN = 14  # from which on a number is an address


@part
def convert(number: int, given: Any, size: int, step: int, step_made: int) -> None:
    """Do the conversion of this number."""
    if number == 0:
        from_bool_to_int32(given, size, step, step_made)
    elif number == 1:
        from_bool_to_int64(given, size, step, step_made)
    elif number == 2:
        from_bool_to_float32(given, size, step, step_made)
    elif number == 3:
        from_bool_to_float64(given, size, step, step_made)
    elif number == 4:
        from_int64_to_float32(given, size, step, step_made)
    elif number == 5:
        from_int64_to_float64(given, size, step, step_made)
    elif number == 6:
        from_float32_to_float64(given, size, step, step_made)
    else:
        from_float64_to_float32(given, size, step, step_made)


def lookup(word: Any) -> Any:
    """A loop that looks up elements in a table by numbers, and returns whether these are all in the table."""
    words = elements(word)

    @part
    def look_up(given: Any, sizes: Any, steps: Any) -> bool:
        count, bound, step, wraps = sizes[0], sizes[1], sizes[2], sizes[3]
        for k in range(count):
            number = carray(integers(given[1] + k * steps[1]), 1)[0]
            number += bound * (wraps != 0 and number < 0)
            if number < 0 or number >= bound:
                return False
            source = carray(words(given[0] + k * steps[0] + number * step), 1)
            carray(words(given[2] + k * steps[2]), 1)[0] = source[0]
        return True
    return look_up


def addition(number: Any) -> Any:
    """A loop that adds to elements of a table at numbers, and returns whether these are all in the table."""
    numbers = elements(number)

    @part(rounds=True)
    def add_at(given: Any, sizes: Any, steps: Any) -> bool:
        count, bound, step = sizes[0], sizes[1], sizes[2]
        for k in range(count):
            place = carray(integers(given[1] + k * steps[1]), 1)[0]
            if place < 0 or place >= bound:
                return False
            carray(numbers(given[2] + k * steps[2] + place * step), 1)[0] += carray(numbers(given[0] + k * steps[0]), 1)[0]
        return True
    return add_at


def greatest(number: Any) -> Any:
    """A loop that finds the number of the first of the greatest elements of rows, or of the first NaN."""
    numbers = elements(number)

    @part(rounds=True)
    def find_greatest(given: Any, sizes: Any, steps: Any) -> bool:
        count, length, step = sizes[0], sizes[1], sizes[2]
        for k in range(count):
            best, found = carray(numbers(given[0] + k * steps[0]), 1)[0], 0
            for j in range(1, length):
                x = carray(numbers(given[0] + k * steps[0] + j * step), 1)[0]
                if not x <= best and best == best:
                    best, found = x, j
            carray(integers(given[1] + k * steps[1]), 1)[0] = found
        return True
    return find_greatest


lookup4, lookup8, add_float32, add_float64 = lookup(types.uint32), lookup(types.uint64), addition(types.float32), \
    addition(types.float64)
greatest_float32, greatest_float64 = greatest(types.float32), greatest(types.float64)


@part
def run_own(number: int, given: Any, sizes: Any, steps: Any) -> Any:
    """Run the loop of this number, and return whether it found what it looked for."""
    if number < 8:
        convert(number, given, sizes[0], steps[0], steps[1])
        return True
    if number == 8:
        return lookup4(given, sizes, steps)
    if number == 9:
        return lookup8(given, sizes, steps)
    if number == 10:
        return add_float32(given, sizes, steps)
    if number == 11:
        return add_float64(given, sizes, steps)
    return greatest_float32(given, sizes, steps) if number == 12 else greatest_float64(given, sizes, steps)


@kernel
def run_loops(calls: Any, places: Any, arrays: int) -> None:
    """Make the calls of a table. Its operands lie in the arrays of a tuple, of which `arrays` is the address, or, from the place
    after these on, at the addresses `places`. The first element of the first array says in the end whether a number was not in
    its table, which ends the calls."""
    own = places.copy()
    for k in range(carray(integers(arrays + LENGTH), 1)[0]):
        own[k] = address_of_member(arrays, k)
    failed = carray(integers(own[0]), 1)
    failed[0] = 0
    at, table = 0, calls.ctypes.data
    operands, given, index = np.empty(MOST_OPERANDS, np.int64), np.empty(MOST_OPERANDS, np.int64), np.zeros(MOST_AXES, np.int64)
    while at < calls.size:
        loop, data, count, axes = calls[at + 1], calls[at + 2], calls[at + 3], calls[at + 4]
        rounds, sizes, steps = calls[at + 5], calls[at + 6], calls[at + 7]
        for k in range(count):
            operands[k] = own[calls[at + HEAD + 2 * k]] + calls[at + HEAD + 2 * k + 1]
        around = at + HEAD + 2 * count
        for _ in range(rounds):
            for k in range(count):
                given[k] = operands[k]
            if loop < OWN:
                if not run_own(loop, given, calls[sizes:steps], calls[steps:]):
                    failed[0] = 1
                    return
            else:
                call_loop(loop, given.ctypes.data, table + 8 * sizes, table + 8 * steps, data)
            axis = axes - 1
            while axis >= 0:
                here = around + axis * (count + 1)
                index[axis] += 1
                turned = index[axis] == calls[here]
                if turned:
                    index[axis] = 0
                for k in range(count):
                    operands[k] += calls[here + 1 + k] * (1 - calls[here] * turned)
                if not turned:
                    break
                axis -= 1
        at += calls[at]
