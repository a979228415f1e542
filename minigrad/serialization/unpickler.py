"""A machine that runs pickles, but calls nothing that is not on a list.

A pickle is a program: it names functions, calls them, and sets attributes of what they return, so that whoever loads one with
``pickle`` runs whatever its author liked. The names are only the beginning. What an allowed name stands for can be called with
arguments that take all memory, BUILD can replace a method of a class for the whole process, and the hash of tuples of tuples
takes forever. So each instruction is checked here, and what all of them may ask for is in proportion to the length of the file.
"""

from __future__ import annotations

import _compat_pickle
import codecs
import pickle
import struct
import types
from collections import Counter, OrderedDict, defaultdict, deque
from typing import IO, Any, Callable, Collection

import numpy as np

from minigrad._types.tensor_base import TensorBase
from minigrad.errors import MinigradError
from minigrad.serialization.plain import MAKERS, PLAIN, Damaged, Work, count_nested, fill_ndarray, order_bytes

CHUNK = 1 << 16  # how many bytes are read from the file at a time
MOST_DIGITS = 1024  # bytes of an integer; the time to print one grows with the square
NEVER = frozenset({"nt", "os", "posix", "sys"})  # modules whose names are refused even where the user allows them, as in PyTorch

LONG_BINPUT, BINPUT, BINGET, BININT1 = pickle.LONG_BINPUT[0], pickle.BINPUT[0], pickle.BINGET[0], pickle.BININT1[0]
MARK, STOP = pickle.MARK[0], pickle.STOP[0]
MAPPINGS = frozenset({dict, OrderedDict, defaultdict, Counter})

Step = Callable[["WeightsUnpickler"], None]
STEPS: dict[int, Step] = {}  # what each instruction does


def step(*instructions: bytes) -> Callable[[Step], Step]:
    """Note that a method is what these instructions do."""
    def note(method: Step) -> Step:
        STEPS.update({instruction[0]: method for instruction in instructions})
        return method
    return note


def refusal(module: str, name: str) -> pickle.UnpicklingError:
    """What is said of a name that is not on the list."""
    module, name = module[:100], name[:100]
    if module in NEVER:
        return pickle.UnpicklingError(f"the file refers to {module}.{name}, which loading could run and weights have no use for. "
                                      "If you trust the file all the same, pass weights_only=False")
    return pickle.UnpicklingError(
        f"the file refers to {module}.{name}, which loading could run. If you trust the file, pass weights_only=False, or allow "
        "this one by minigrad.serialization.add_safe_globals([...])")


class WeightsUnpickler:
    """Reads a pickle of any protocol from `file`, which must be seekable and is left behind the pickle.

    Plain data needs no leave: what :mod:`minigrad.serialization.plain` makes.

    Args:
        find_class: returns what stands for a module and a name, or None if nothing may. A *function* that it returns may be
            called by the file with any arguments, which the function must check; a class is a value that the file may pass on.
        persistent_load: returns what stands for a persistent id: an integer, a text or a tuple of values that have quick hashes.
        added: classes and functions that the user allows: called with any arguments, and their instances given any state, as by
            ``pickle``.
        beside: how many bytes of content there are beside the pickle, which persistent ids refer to.
        encoding: of strings that Python 2 wrote; "bytes" leaves them bytes.

    Raises: ``pickle.UnpicklingError`` for whatever else a pickle asks for, and for damaged ones.
    """

    def __init__(self, file: IO[bytes], *, find_class: Callable[[str, str], Any], persistent_load: Callable[[Any], Any],
                 added: Collection[Any] = (), beside: int = 0, encoding: str = "utf-8", errors: str = "strict") -> None:
        self.file, self.find_class, self.persistent_load = file, find_class, persistent_load
        self.added = {id(allowed): allowed for allowed in added}
        self.encoding, self.errors = encoding, errors
        self.begin = file.tell()
        self.length = file.seek(0, 2) - self.begin
        file.seek(self.begin)

        self.data, self.at = b"", 0  # what of the file is at hand, and how much of that is used
        self.behind = 0  # how much of the file came before that
        self.work = Work(self.length + beside)
        self.found: dict[tuple[str, str], Any] = {}
        self.functions: dict[int, Any] = {}  # those that find_class returned, by id
        self.memo: dict[int, Any] = {}
        self.stack: list[Any] = []
        self.marks: list[int] = []  # how high the stack was at each mark
        self.protocol = 0

    def load(self) -> Any:
        """The object that the pickle holds."""
        try:
            self.run()
            value = self.stack.pop()
            count_nested(value)
        except (Damaged, IndexError) as error:
            why = "an instruction takes more than is there" if isinstance(error, IndexError) else str(error)
            raise pickle.UnpicklingError(f"the file is damaged, or made to do harm: {why} (at byte {self.behind + self.at} of "
                                         "its pickle)") from error
        self.file.seek(self.begin + self.behind + self.at)
        return value

    def run(self) -> None:
        """Do what the instructions say, up to STOP: the most frequent ones here, all others by the methods below."""
        stack, memo, push = self.stack, self.memo, self.stack.append
        data, at, almost_all = b"", 0, -5
        while True:
            if at > almost_all:  # of what is at hand: an instruction below takes five bytes
                self.at = at
                if at + 5 > len(data):
                    self.fetch(1)
                data, at, almost_all = self.data, self.at, len(self.data) - 5
            instruction = data[at]
            if instruction == LONG_BINPUT:
                memo[int.from_bytes(data[at + 1:at + 5], "little")] = stack[-1]
                at += 5
            elif instruction == BINPUT:
                memo[data[at + 1]] = stack[-1]
                at += 2
            elif instruction == BINGET and data[at + 1] in memo:
                push(memo[data[at + 1]])
                at += 2
            elif instruction == BININT1:
                push(data[at + 1])
                at += 2
            elif instruction == MARK:
                self.marks.append(len(stack))
                at += 1
            elif instruction == STOP:
                self.at = at + 1
                return
            else:
                self.at = at + 1
                STEPS[instruction](self)
                data, at, almost_all = self.data, self.at, len(self.data) - 5

    # -- reading

    def fetch(self, n: int) -> None:
        """Read on until `n` bytes, and more for what comes then, are at hand."""
        if self.behind + self.at + n > self.length:
            raise Damaged(f"{n} bytes should follow, but {self.length - self.behind - self.at} do")
        self.behind += self.at
        self.data, self.at = self.data[self.at:] + self.file.read(max(n - (len(self.data) - self.at), CHUNK)), 0
        if len(self.data) < n:
            raise Damaged("the file ends before its length")

    def take(self, n: int) -> bytes:
        """The next `n` bytes."""
        if len(self.data) - self.at < n:
            self.fetch(n)
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n: int) -> int:
        """The number, not negative, of the next `n` bytes."""
        return int.from_bytes(self.take(n), "little")

    def line(self) -> bytes:
        """The bytes to the end of the line, without that."""
        end = self.data.find(b"\n", self.at)
        while end < 0:
            searched = len(self.data) - self.at
            self.fetch(searched + 1)
            end = self.data.find(b"\n", searched)
        return self.take(end + 1 - self.at)[:-1]

    def text(self, data: bytes) -> str:
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise Damaged(f"a text is not UTF-8 ({error.reason})") from None

    # -- the stack

    def since_mark(self) -> list[Any]:
        """What lies above the last mark, which is taken away with it."""
        if not self.marks:
            raise Damaged("an instruction looks for a mark that is not there")
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    @step(pickle.POP)
    def pop(self) -> None:
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.stack.pop()

    @step(pickle.POP_MARK)
    def pop_mark(self) -> None:
        self.since_mark()

    @step(pickle.DUP)
    def duplicate(self) -> None:
        self.stack.append(self.stack[-1])

    @step(pickle.PUT)
    def text_put(self) -> None:
        self.memo[self.integer_of_text(self.line())] = self.stack[-1]

    @step(pickle.MEMOIZE)
    def memoize(self) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def recall(self, place: int) -> None:
        if place not in self.memo:
            raise Damaged(f"there is nothing at place {place} of the memo")
        self.stack.append(self.memo[place])

    @step(pickle.BINGET)
    def get(self) -> None:
        self.recall(self.take(1)[0])

    @step(pickle.LONG_BINGET)
    def long_get(self) -> None:
        self.recall(self.number(4))

    @step(pickle.GET)
    def text_get(self) -> None:
        self.recall(self.integer_of_text(self.line()))

    # -- the beginning

    @step(pickle.PROTO)
    def begin_protocol(self) -> None:
        self.protocol = self.take(1)[0]
        if self.protocol > pickle.HIGHEST_PROTOCOL:
            raise Damaged(f"it says that its protocol is {self.protocol}")

    @step(pickle.FRAME)
    def begin_frame(self) -> None:
        """How long the coming instructions are together, for those who read ahead."""
        n = self.number(8)
        if self.behind + self.at + n > self.length:
            raise Damaged(f"a frame of {n} bytes should follow, but {self.length - self.behind - self.at} bytes do")

    # -- values

    @step(pickle.NONE)
    def none(self) -> None:
        self.stack.append(None)

    @step(pickle.NEWTRUE)
    def true(self) -> None:
        self.stack.append(True)

    @step(pickle.NEWFALSE)
    def false(self) -> None:
        self.stack.append(False)

    @step(pickle.BININT2)
    def short_integer(self) -> None:
        self.stack.append(self.number(2))

    @step(pickle.BININT)
    def integer(self) -> None:
        self.stack.append(int.from_bytes(self.take(4), "little", signed=True))

    def long_of(self, n: int) -> None:
        if n > MOST_DIGITS:
            raise Damaged(f"an integer of {n} bytes")
        self.stack.append(int.from_bytes(self.take(n), "little", signed=True))

    @step(pickle.LONG1)
    def long1(self) -> None:
        self.long_of(self.take(1)[0])

    @step(pickle.LONG4)
    def long4(self) -> None:
        self.long_of(self.number(4))

    def integer_of_text(self, line: bytes) -> int:
        if len(line) > 2 * MOST_DIGITS or not line.strip().lstrip(b"-").isdigit():
            raise Damaged(f"{shorten(line)} should be an integer")
        return int(line)

    @step(pickle.INT)
    def text_integer(self) -> None:
        line = self.line()
        self.stack.append(line == b"01" if line in (b"00", b"01") else self.integer_of_text(line))

    @step(pickle.LONG)
    def text_long(self) -> None:
        self.stack.append(self.integer_of_text(self.line().rstrip(b"L")))

    @step(pickle.BINFLOAT)
    def binary_float(self) -> None:
        self.stack.append(struct.unpack(">d", self.take(8))[0])

    @step(pickle.FLOAT)
    def text_float(self) -> None:
        line = self.line()
        try:
            self.stack.append(float(line))
        except ValueError:
            raise Damaged(f"{shorten(line)} should be a number") from None

    @step(pickle.SHORT_BINUNICODE)
    def short_text(self) -> None:
        self.stack.append(self.text(self.take(self.take(1)[0])))

    @step(pickle.BINUNICODE)
    def binary_text(self) -> None:
        self.stack.append(self.text(self.take(self.number(4))))

    @step(pickle.BINUNICODE8)
    def long_text(self) -> None:
        self.stack.append(self.text(self.take(self.number(8))))

    @step(pickle.UNICODE)
    def escaped_text(self) -> None:
        line = self.line()
        try:
            self.stack.append(line.decode("raw-unicode-escape"))
        except UnicodeDecodeError as error:
            raise Damaged(f"a text is not written as one ({error.reason})") from None

    def string_of(self, data: bytes) -> None:
        """A string of Python 2's: text or bytes, which only its user knows."""
        try:
            self.stack.append(data if self.encoding == "bytes" else data.decode(self.encoding, self.errors))
        except UnicodeDecodeError as error:
            raise pickle.UnpicklingError(f"the file holds strings of Python 2 that are not {self.encoding} ({error.reason}); "
                                         "pass encoding='latin1' or encoding='bytes'") from None

    @step(pickle.SHORT_BINSTRING)
    def short_string(self) -> None:
        self.string_of(self.take(self.take(1)[0]))

    @step(pickle.BINSTRING)
    def binary_string(self) -> None:
        self.string_of(self.take(self.number(4)))

    @step(pickle.STRING)
    def quoted_string(self) -> None:
        line = self.line().strip()
        if len(line) < 2 or line[:1] not in (b"'", b'"') or line[:1] != line[-1:]:
            raise Damaged(f"{shorten(line)} should be a string in quotes")
        try:
            data: Any = codecs.escape_decode(line[1:-1])[0]
        except ValueError as error:
            raise Damaged(str(error)) from None
        self.string_of(data)

    @step(pickle.SHORT_BINBYTES)
    def short_bytes(self) -> None:
        self.stack.append(self.take(self.take(1)[0]))

    @step(pickle.BINBYTES)
    def binary_bytes(self) -> None:
        self.stack.append(self.take(self.number(4)))

    @step(pickle.BINBYTES8)
    def long_bytes(self) -> None:
        self.stack.append(self.take(self.number(8)))

    @step(pickle.BYTEARRAY8)
    def byte_array(self) -> None:
        self.stack.append(bytearray(self.take(self.number(8))))

    # -- containers

    @step(pickle.EMPTY_TUPLE)
    def empty_tuple(self) -> None:
        self.stack.append(())

    @step(pickle.TUPLE1)
    def tuple1(self) -> None:
        self.stack.append((self.stack.pop(),))

    @step(pickle.TUPLE2)
    def tuple2(self) -> None:
        self.stack[-2:] = [(self.stack[-2], self.stack[-1])]

    @step(pickle.TUPLE3)
    def tuple3(self) -> None:
        self.stack[-3:] = [(self.stack[-3], self.stack[-2], self.stack[-1])]

    @step(pickle.TUPLE)
    def tuple_since_mark(self) -> None:
        self.stack.append(tuple(self.since_mark()))

    @step(pickle.EMPTY_LIST)
    def empty_list(self) -> None:
        self.stack.append([])

    @step(pickle.LIST)
    def list_since_mark(self) -> None:
        self.stack.append(self.since_mark())

    @step(pickle.EMPTY_DICT)
    def empty_dict(self) -> None:
        self.stack.append({})

    @step(pickle.DICT)
    def dict_since_mark(self) -> None:
        items = self.since_mark()
        self.stack.append({})
        self.set_items_of(items)

    @step(pickle.EMPTY_SET)
    def empty_set(self) -> None:
        self.stack.append(set())

    @step(pickle.FROZENSET)
    def frozen_set(self) -> None:
        items = self.since_mark()
        self.work.check_keys(items)
        self.stack.append(frozenset(items))

    def filling(self, classes: Collection[type], method: str) -> Callable[..., Any]:
        """The method by which the container on the stack takes elements: one of these classes, or what the user allows."""
        target = self.stack[-1]
        if type(target) in classes or id(type(target)) in self.added and hasattr(type(target), method):
            return getattr(target, method)  # type: ignore[no-any-return]
        raise Damaged(f"a {type(target).__name__} is given elements by {method}")

    def extend(self, items: list[Any]) -> None:
        self.filling((list, deque), "extend")(items)

    @step(pickle.APPEND)
    def append(self) -> None:
        self.extend([self.stack.pop()])

    @step(pickle.APPENDS)
    def appends(self) -> None:
        self.extend(self.since_mark())

    def set_items_of(self, items: list[Any]) -> None:
        set_item = self.filling(MAPPINGS, "__setitem__")
        if len(items) % 2:
            raise Damaged("a key is without its value")
        self.work.check_keys(items[::2])
        for k in range(0, len(items), 2):
            set_item(items[k], items[k + 1])

    @step(pickle.SETITEM)
    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.set_items_of([key, value])

    @step(pickle.SETITEMS)
    def set_items(self) -> None:
        self.set_items_of(self.since_mark())

    @step(pickle.ADDITEMS)
    def add_items(self) -> None:
        items = self.since_mark()
        update = self.filling((set,), "update")
        self.work.check_keys(items)
        update(items)

    # -- names, and what is made by them

    def find(self, module: Any, name: Any) -> None:
        """Push what stands for a name."""
        if type(module) is not str or type(name) is not str:
            raise Damaged("a name is not a text")
        if self.protocol < 3:
            renamed = _compat_pickle.IMPORT_MAPPING.get(module, module), name
            module, name = _compat_pickle.NAME_MAPPING.get((module, name), renamed)
        if (module, name) not in self.found:
            found = PLAIN.get((module, name))
            if found is None and module not in NEVER:
                found = self.find_class(module, name)
            if found is None:
                raise refusal(module, name)
            if isinstance(found, (types.FunctionType, types.MethodType)):
                self.functions[id(found)] = found
            self.found[module, name] = found
        self.stack.append(self.found[module, name])

    @step(pickle.GLOBAL)
    def name_in_text(self) -> None:
        module = self.text(self.line())
        self.find(module, self.text(self.line()))

    @step(pickle.STACK_GLOBAL)
    def name_on_stack(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.find(module, name)

    def call(self, function: Any, args: Any, of_class: bool = False, **options: Any) -> None:
        """Push what an allowed function or class makes of these arguments."""
        if type(args) is not tuple:
            raise Damaged(f"the arguments of a call are a {type(args).__name__}")
        place = id(function)
        self.work.check_arguments(args)
        if place in self.added:
            make = (function.__new__, (function, *args)) if of_class and isinstance(function, type) else (function, args)
        elif place in MAKERS and not options:
            make = MAKERS[place], (self.work, *args)
        elif place in self.functions and not options:
            make = function, args
        else:
            raise pickle.UnpicklingError(f"the file calls {describe(function)}, which loading does not. If you trust the file, "
                                         "pass weights_only=False")
        made = self.attempt(function, *make, **options)
        if isinstance(made, TensorBase) and getattr(made.array, "base", made) is None:  # no view of what was read
            self.work.copy_bytes(made.array.nbytes)
        self.stack.append(made)

    def attempt(self, function: Any, called: Any, args: tuple[Any, ...], **options: Any) -> Any:
        """Call something that is allowed; what goes wrong in it is the file's fault."""
        try:
            return called(*args, **options)
        except (pickle.UnpicklingError, MinigradError, MemoryError):
            raise
        except Exception as error:
            raise Damaged(f"{describe(function)} fails with {type(error).__name__}: {str(error)[:200]}") from error

    @step(pickle.REDUCE)
    def reduce(self) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        self.call(function, args)

    @step(pickle.NEWOBJ)
    def new_object(self) -> None:
        args, cls = self.stack.pop(), self.stack.pop()
        self.call(cls, args, of_class=True)

    @step(pickle.NEWOBJ_EX)
    def new_object_with_options(self) -> None:
        options, args, cls = self.stack.pop(), self.stack.pop(), self.stack.pop()
        if type(options) is not dict or any([type(key) is not str for key in options]):
            raise Damaged("the options of a call are not named")
        self.call(cls, args, of_class=True, **options)

    @step(pickle.BUILD)
    def set_state(self) -> None:
        """Give an object its state: as `pickle` does to what the user added, attributes to what may have some, and the second
        half to dtypes and arrays, which pickles make in two steps."""
        state, target = self.stack.pop(), self.stack[-1]
        if id(type(target)) in self.added and not isinstance(target, type):
            self.attempt(target, give_state, (target, state))
        elif type(target) is OrderedDict or isinstance(target, TensorBase):
            set_attributes(target, state)
        elif type(target) is np.ndarray:
            self.attempt(np.ndarray, fill_ndarray, (self.work, target, state))
        elif isinstance(target, np.dtype):
            self.attempt(np.dtype, order_bytes, (target, state))
        else:
            raise pickle.UnpicklingError(f"the file changes {describe(target)}, which loading does not. If you trust the file, "
                                         "pass weights_only=False")

    @step(pickle.BINPERSID)
    def persistent(self) -> None:
        pid = self.stack.pop()
        if type(pid) not in (int, str, tuple):
            raise Damaged(f"a persistent id is a {type(pid).__name__}")
        self.work.check_keys([pid])
        self.stack.append(self.attempt(self.persistent_load, self.persistent_load, (pid,)))

    @step(pickle.PERSID)
    def text_persistent(self) -> None:
        self.stack.append(self.text(self.line()))
        self.persistent()

    @step(*[bytes([code]) for code in range(256) if code not in STEPS])
    def refuse(self) -> None:
        """Names by a number of the process's own registry, objects of Python 2's old classes, memory beside the pickle: nothing
        that files of weights hold."""
        raise Damaged(f"{self.data[self.at - 1:self.at]!r} is no instruction that files of weights use")


def describe(value: Any) -> str:
    """How errors name a value of a file: a class or function by its name, anything else by its class."""
    named = value if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)) else type(value)
    name = f"{named.__module__}.{named.__qualname__}".removeprefix("builtins.")
    return name if named is value else f"a {name}"


def shorten(line: bytes) -> str:
    return repr(line if len(line) < 40 else line[:37] + b"...")


def set_attributes(target: Any, state: Any) -> None:
    """Give a container or tensor attributes of its own, which may hide none of its class's."""
    if type(state) is not dict:
        raise Damaged(f"the attributes of a {type(target).__name__} are a {type(state).__name__}")
    for name in state:
        if type(name) is not str or name.startswith("_") and name != "_metadata" or hasattr(type(target), name):
            raise Damaged(f"a {type(target).__name__} is given the attribute {name!r}" if type(name) is str else
                          f"an attribute is named by a {type(name).__name__}")
    target.__dict__.update(state)


def give_state(target: Any, state: Any) -> None:
    """What BUILD does in `pickle`, but attributes beside ``__dict__`` are set only where the class has slots of that name."""
    if hasattr(target, "__setstate__"):
        target.__setstate__(state)
        return
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if attributes:
        target.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        if not isinstance(getattr(type(target), name, None), types.MemberDescriptorType):
            raise Damaged(f"{describe(target)} has no slot {name!r}")
        setattr(target, name, value)
