"""Files to begin with, and what is changed in them: bytes, instructions of pickles, records of archives and their headers."""

from __future__ import annotations

import functools
import importlib.util
import io
import pickle
import pickletools
import random
import re
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import safetensors
from tests import hostile

NUMBERS = (0, 1, 2, 3, 7, 64, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**62, 2**63 - 1,
           2**64, -1, -2, -2**31, -2**63)
TEXTS = ("", "storage", "0", "1", "../0", "/etc/passwd", "cpu", "cuda:0", "meta", "FloatStorage", "__class__", "backward", "data",
         "x" * 300, "\ud800", "latin1", "zip", "f8", "O", ">", "torch.strided")
NAMES = (("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"), ("builtins", "getattr"),
         ("builtins", "set"), ("builtins", "bytearray"), ("builtins", "range"), ("builtins", "list"), ("builtins", "slice"),
         ("builtins", "complex"),
         ("subprocess", "Popen"), ("collections", "OrderedDict"), ("collections", "defaultdict"), ("collections", "Counter"),
         ("collections", "deque"), ("_codecs", "encode"), ("numpy", "dtype"), ("numpy", "ndarray"),
         ("numpy._core.multiarray", "scalar"), ("numpy._core.multiarray", "_reconstruct"), ("numpy._core.numeric", "_frombuffer"),
         ("torch", "Tensor"), ("torch", "Size"),
         ("torch", "device"), ("torch", "float64"), ("torch", "bfloat16"), ("torch", "DoubleStorage"), ("torch", "FloatStorage"),
         ("torch.storage", "UntypedStorage"), ("torch.storage", "TypedStorage"), ("torch._utils", "_rebuild_tensor"),
         ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor_v3"), ("torch._utils", "_rebuild_parameter"),
         ("torch._utils", "_rebuild_parameter_with_state"), ("torch._utils", "_rebuild_sparse_tensor"),
         ("torch._utils", "_rebuild_device_tensor_from_numpy"), ("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"),
         ("torch._tensor", "_rebuild_from_type_v2"), ("torch._tensor", "_rebuild_from_type"), ("torch.nn.parameter", "Parameter"),
         ("torch.nn.parameter", "Buffer"), ("torch.serialization", "_get_layout"), ("minigrad", "Tensor"), ("minigrad", "Size"),
         ("minigrad", "float32"), ("minigrad.serialization", "rebuild"), ("minigrad.random", "restore_generator"))
INSTRUCTIONS = tuple(code for op in pickletools.opcodes for code in [op.code.encode("latin1")] if op.arg is None)
PATHS = ("../../x", "/x", "archive/../x", "archive/data/../../x", "", "archive/data/0", "data.pkl", "archive/data.pkl",
         "other/data.pkl", "C:\\x", "archive/version", "archive/byteorder", "archive/data/" + "9" * 300, "archive\\data\\0",
         "archive/constants.pkl")
HEADERS = {b"PK\1\2": 46, b"PK\3\4": 30, b"PK\5\6": 22, b"PK\6\6": 56, b"PK\6\7": 20}  # signatures of an archive, and lengths


def values() -> list[Any]:
    """What the files to begin with hold."""
    model = mg.nn.Sequential(mg.nn.Linear(2, 3), mg.nn.BatchNorm1d(3))
    optimizer = mg.optim.Adam(model.parameters())
    model(mg.ones(4, 2)).sum().backward()
    optimizer.step()
    x = mg.arange(12.0).reshape(3, 4)
    return [{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best": np.float64(0.5)},
            OrderedDict(a=x, b=x.t(), c=x[1:, ::2], d=x.expand(2, 3, 4), e=mg.zeros(0, 3), f=mg.tensor(1 + 2j),
                        g=mg.ones(3, dtype=mg.bool)),
            [mg.nn.Parameter(mg.ones(2)), mg.ones(2, dtype=mg.bfloat16), mg.Size([1, 2]), mg.device("cpu"), mg.int8,
             {1, 2}, frozenset({3}), b"bytes", bytearray(b"x"), 1j, 2**100, range(3), slice(1, 2), None, True, "text", -1.5],
            mg.ones(3)]


@functools.cache
def beginnings() -> dict[str, bytes]:
    """Files that are in order, or already hostile, by a name that says where they come from."""
    found = {path.name: path.read_bytes() for path in sorted((Path(__file__).parent.parent / "fixtures").glob("*"))
             if path.suffix in (".pt", ".pth", ".safetensors") and path.stat().st_size < 100_000}
    for k, value in enumerate(values()):
        file = io.BytesIO()
        mg.save(value, file)
        found[f"saved {k}"] = file.getvalue()
    one = hostile.tensor(hostile.storage(), 1, (3,), (1,))
    found["archive"] = hostile.archive(hostile.pickled(one))
    found["former"] = hostile.former(hostile.pickled(hostile.value({"a": [1, (2, 3)], "b": {4}})))
    old = hostile.tensor(hostile.storage("0", 4, "FloatStorage", "cpu", None), 1, (3,), (1,))
    found["legacy"] = hostile.legacy(hostile.pickled(old))
    if importlib.util.find_spec("safetensors"):
        tensors = {"a": mg.ones(2, 3), "b": mg.zeros(0, dtype=mg.int8), "c": mg.ones(1, dtype=mg.bfloat16)}
        found["safetensors"] = safetensors.save(tensors)
    return found


# ---------------------------------------------------------------------------------------------------- bytes

def change_bytes(rng: random.Random, data: bytes) -> bytes:
    """Change, leave out, repeat or add bytes somewhere."""
    at = rng.randrange(len(data) + 1)
    to = min(len(data), at + int(rng.paretovariate(0.7)))
    return rng.choice([
        lambda: data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:] if at < len(data) else data,
        lambda: data[:at] + rng.randbytes(to - at) + data[to:],
        lambda: data[:at] + data[to:],
        lambda: data[:to] + data[at:],
        lambda: data[:at],
        lambda: data[:at] + rng.randbytes(rng.randrange(20)) + data[at:],
        lambda: data[:at] + rng.choice((b"\0", b"\xff")) * (to - at) + data[to:],
    ])()


# ---------------------------------------------------------------------------------------------------- pickles

def instructions(data: bytes) -> tuple[list[bytes], bytes]:
    """The instructions of the pickle at the beginning of `data`, and what comes behind it."""
    places = []
    try:
        for _, _, at in pickletools.genops(data):
            places.append(at)
    except Exception:  # pickletools raises what it likes
        places = places or [0]
    ends = [*places[1:], places[-1] + 1]
    return [data[a:b] for a, b in zip(places, ends)], data[ends[-1]:]


def random_instruction(rng: random.Random) -> bytes:
    """An instruction with or without a value, among them those that hostile files need."""
    return rng.choice([
        lambda: rng.choice(INSTRUCTIONS),
        lambda: rng.choice((pickle.REDUCE, pickle.BUILD, pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.BINPERSID, pickle.TUPLE)),
        lambda: hostile.name(*rng.choice(NAMES)),
        lambda: hostile.value(rng.choice(NUMBERS)),
        lambda: hostile.value(rng.choice(TEXTS)),
        lambda: hostile.value(rng.choice(((), (1,), (2, 3), [], {}, {"data": 1}, (0,) * 100, b"bytes", 1.5, True, None))),
        lambda: hostile.put(rng.randrange(8)),
        lambda: hostile.get(rng.randrange(40)),
        lambda: pickle.BINGET + bytes([rng.randrange(60)]),
        lambda: rng.choice((pickle.FRAME, pickle.BINBYTES8, pickle.BINUNICODE8, pickle.BYTEARRAY8))
        + struct.pack("<Q", rng.choice(NUMBERS) % 2**64),
        lambda: rng.choice((pickle.LONG4, pickle.BINBYTES, pickle.BINUNICODE)) + struct.pack("<I", rng.choice(NUMBERS) % 2**32),
        lambda: hostile.call(hostile.name(*rng.choice(NAMES)),
                             *[hostile.value(rng.choice(NUMBERS + TEXTS)) for _ in range(rng.randrange(3))]),
        lambda: hostile.value(1) + rng.choice((pickle.TUPLE1, pickle.DUP + pickle.TUPLE2)) * rng.choice((5, 50, 500, 5000)),
        lambda: hostile.tensor(hostile.storage(rng.choice(TEXTS), rng.choice(NUMBERS)), rng.choice(NUMBERS),
                               tuple(rng.choices(NUMBERS, k=rng.randrange(4))), tuple(rng.choices(NUMBERS, k=rng.randrange(4)))),
    ])()


def change_pickle(rng: random.Random, data: bytes) -> bytes:
    """Change instructions of a pickle; values become others of their kind more often than not."""
    steps, behind = instructions(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(steps) + 1)
        kind = rng.randrange(8)
        if kind < 3:
            valued = [k for k, step in enumerate(steps) if step[:1] in b"KMJX\x8cIc\x8a"]
            k = rng.choice(valued) if valued else 0
            if steps and steps[k][:1] in b"X\x8c":
                steps[k] = hostile.value(rng.choice(TEXTS))
            elif steps and steps[k][:1] == b"c":
                steps[k] = hostile.name(*rng.choice(NAMES))
            elif steps:
                steps[k] = hostile.value(rng.choice(NUMBERS))
        elif kind == 3:
            steps.insert(at, random_instruction(rng))
        elif kind == 4:
            del steps[at:at + rng.choice((1, 1, 2, 5))]
        elif kind == 5:
            steps[at:at] = steps[at:at + rng.choice((1, 2, 10))] * rng.choice((1, 2, 30))
        elif kind == 6 and len(steps) > 1:
            other = rng.randrange(len(steps))
            steps[at % len(steps)], steps[other] = steps[other], steps[at % len(steps)]
        elif steps:
            k = at % len(steps)
            steps[k] = rng.choice(INSTRUCTIONS) + steps[k][1:]
    return b"".join(steps) + behind


# ---------------------------------------------------------------------------------------------------- archives

def records_of(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(entry.filename, archive.read(entry)) for entry in archive.infolist()]


def pack(rng: random.Random, records: list[tuple[str, bytes]]) -> bytes:
    """An archive of these records, most often uncompressed as PyTorch's are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", rng.choice((zipfile.ZIP_STORED,) * 5 + (zipfile.ZIP_DEFLATED,))) as archive:
        for path, content in records:
            archive.writestr(zipfile.ZipInfo(path), content, archive.compression)
        archive.comment = b"" if rng.randrange(10) else rng.randbytes(30)
    return file.getvalue()


def change_records(rng: random.Random, data: bytes) -> bytes:
    """Change what an archive holds: the pickle most often, and the names, contents and number of the other records."""
    records = records_of(data)
    if not records:
        return data
    at = rng.randrange(len(records))
    path, content = records[at]
    kind = rng.randrange(16)
    if kind < 8:
        at = next((k for k, (path, _) in enumerate(records) if path.endswith("data.pkl")), at)
        records[at] = records[at][0], change_pickle(rng, records[at][1])
    elif kind < 10:
        records[at] = path, change_bytes(rng, content)
    elif kind == 10:
        del records[at]
    elif kind == 11:
        records.insert(at, (path, records[rng.randrange(len(records))][1]))
    elif kind == 12:
        records[at] = rng.choice(PATHS), content
    elif kind == 13:
        other = rng.randrange(len(records))
        records[at], records[other] = (path, records[other][1]), (records[other][0], content)
    elif kind == 14:
        records[at] = path, content + bytes(rng.choice((1, 4, 1000, 100_000)))
    else:
        records[at] = path, rng.choice((b"", b"big", b"little", b"999\n", b"\xff"))
    return pack(rng, records)


def change_headers(rng: random.Random, data: bytes) -> bytes:
    """Write another number into a field of an archive's headers."""
    places = [(at, length) for signature, length in HEADERS.items() for at in find_all(data, signature)]
    if not places:
        return data
    changed = bytearray(data)
    at, length = rng.choice(places)
    for _ in range(rng.choice((1, 1, 2))):
        size = rng.choice((2, 4, 4, 8))
        field = at + rng.randrange(4, max(5, length - size + 1), 2)
        now = int.from_bytes(data[field:field + size], "little")
        number = rng.choice((*NUMBERS, rng.randrange(2 * len(data) + 1), now + 1, now - 1))
        changed[field:field + size] = (number % 2 ** (8 * size)).to_bytes(size, "little")
    return bytes(changed)


def find_all(data: bytes, part: bytes) -> list[int]:
    places, at = [], data.find(part)
    while at >= 0:
        places.append(at)
        at = data.find(part, at + 1)
    return places


# ---------------------------------------------------------------------------------------------------- files

def draw_file(seed: int) -> tuple[str, bytes]:
    """The file of a seed: where it began, and its bytes."""
    rng = random.Random(seed)
    origin = rng.choice(list(beginnings()))
    data = beginnings()[origin]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        kind = rng.randrange(10)
        if data[:2] == b"PK" and kind < 6:
            try:
                data = change_records(rng, data)
            except Exception:  # an earlier change has made it no archive
                data = change_bytes(rng, data)
        elif data[:2] == b"PK" and kind < 8:
            data = change_headers(rng, data)
        elif data[:1] == pickle.PROTO and kind < 8:
            data = change_stream(rng, data)
        elif origin == "safetensors" and kind < 8:
            data = change_table(rng, data)
        else:
            data = change_bytes(rng, data)
    return origin, data


def change_table(rng: random.Random, data: bytes) -> bytes:
    """Change a number in the table of contents of a file in the safetensors format, or the length of that table."""
    length = int.from_bytes(data[:8], "little")
    table, behind = data[8:8 + length], data[8 + length:]
    numbers = list(re.finditer(rb"\d+", table))
    if numbers:
        found = rng.choice(numbers)
        table = table[:found.start()] + str(rng.choice((*NUMBERS, rng.randrange(64)))).encode() + table[found.end():]
    return rng.choice((len(table),) * 8 + (length, rng.choice(NUMBERS) % 2**64)).to_bytes(8, "little") + table + behind


def change_stream(rng: random.Random, data: bytes) -> bytes:
    """Change one of the pickles that follow each other at the beginning of a file."""
    before = b""
    for _ in range(rng.randrange(5)):
        steps, behind = instructions(data)
        if behind[:1] != pickle.PROTO:
            break
        before, data = before + b"".join(steps), behind
    return before + change_pickle(rng, data)
