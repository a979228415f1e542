"""Saving and loading: what comes back, and what a file may not do."""

from __future__ import annotations

import copy
import io
import mmap
import os
import pickle
import stat
import sys
import tracemalloc
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import serialization
from minigrad._tensor.tensor import rebuild
from minigrad.nn import Parameter
from tests import standin


def through_a_file(obj: Any, **options: Any) -> Any:
    file = io.BytesIO()
    mg.save(obj, file)
    file.seek(0)
    return mg.load(file, **options)


@pytest.mark.parametrize("dtype", [mg.bool, mg.uint8, mg.int64, mg.float16, mg.float32, mg.float64, mg.complex64])
def test_tensors(dtype: mg.dtype) -> None:
    for x in (mg.arange(6).reshape(2, 3).to(dtype), mg.zeros((), dtype=dtype), mg.zeros(0, 2, dtype=dtype)):
        y = through_a_file(x)
        assert y.dtype is dtype and y.shape == x.shape and mg.equal(x, y) and (y == y).shape == x.shape


def test_nested_containers(tmp_path: Path) -> None:
    state = OrderedDict(weight=mg.ones(2, requires_grad=True), step=3, lr=1e-3, name="adam", flags={True, None},
                        shape=mg.Size([2]), dtype=mg.float64, device=mg.device("cpu"),
                        groups=[{"params": (0, 1), "betas": (0.9, 0.999)}],
                        scalar=np.float64(2.5), array=np.arange(3), parameter=Parameter(mg.zeros(1)), z=1j, data=b"x")
    mg.save(state, tmp_path / "state.pt")
    back = mg.load(str(tmp_path / "state.pt"))
    assert type(back) is OrderedDict and list(back) == list(state)
    assert back["weight"].requires_grad and type(back["parameter"]) is Parameter and back["dtype"] is mg.float64
    for name in ("step", "lr", "name", "flags", "shape", "device", "groups", "scalar", "z", "data"):
        assert back[name] == state[name]
    assert back["array"].tolist() == [0, 1, 2]


def test_sharing_survives() -> None:
    x = mg.zeros(3)
    back = through_a_file({"a": x, "b": x, "c": x.detach()})
    assert back["a"] is back["b"]
    back["a"].fill_(7)
    assert back["c"].tolist() == [7, 7, 7]


def test_computed_tensors_come_back_as_leaves() -> None:
    y = through_a_file(mg.ones(2, requires_grad=True) * 2)
    assert y.is_leaf and y.requires_grad and y.tolist() == [2, 2]
    z = through_a_file(mg.arange(6).reshape(2, 3).t())
    assert z.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_generators_and_modules() -> None:
    g = mg.Generator().manual_seed(3)
    assert mg.equal(mg.rand(3, generator=through_a_file(g)), mg.rand(3, generator=g))
    model = mg.nn.Linear(2, 3)
    twin = mg.nn.Linear(2, 3)
    twin.load_state_dict(through_a_file(model.state_dict()))
    assert mg.equal(model.weight, twin.weight)
    whole = through_a_file(model, weights_only=False)
    assert mg.equal(whole(mg.ones(2)), model(mg.ones(2)))


def test_devices() -> None:
    x = mg.ones(2, device="standin")
    assert through_a_file(x).device == standin.DEVICE
    assert through_a_file(x, map_location="cpu").device == mg.device("cpu")
    assert through_a_file(x, map_location={"standin:0": "cpu"}).device == mg.device("cpu")
    assert through_a_file(mg.ones(2), map_location=mg.device("standin")).device == standin.DEVICE


class Custom:
    def __init__(self) -> None:
        self.x = 1


class Renamed(Custom):
    """What a later version of the program has in its place."""


class Attack:
    def __reduce__(self) -> Any:
        return exec, ("raise AssertionError('a file ran code')",)


def test_what_is_not_known_to_be_harmless_is_refused() -> None:
    for obj in (Custom(), Attack(), {"a": [mg.ones(1), Attack()]}, print):
        with pytest.raises(pickle.UnpicklingError, match="pass weights_only=False, or allow this one by"):
            through_a_file(obj)
    assert through_a_file(Custom(), weights_only=False).x == 1


def test_safe_globals() -> None:
    serialization.add_safe_globals([Custom])
    try:
        assert through_a_file(Custom()).x == 1
    finally:
        serialization.clear_safe_globals()


def test_objects_inside_arrays_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError):
        through_a_file(np.array([Attack()], dtype=object))


@pytest.mark.parametrize(("content", "said"), [
    (b"no archive", "is no checkpoint, but a text, which begins with 'no archive'"), ("zwölf".encode(), "a text, .* 'zwölf'"),
    (b"import os\n" * 100, "a text, .* 'import os'"), (b"he\xf6\1ll", "is no checkpoint, or it is truncated or damaged"),
    (b"<!DOCTYPE html><html>", "is a page of the web"), (b"  <html lang=en>", "is a page of the web"),
    (b'{"error": "not found"}', "is JSON"), (b"version https://git-lfs.github.com/spec/v1", "is a pointer of Git LFS"),
    (b"\x93NUMPY\1\0", "is an array of NumPy's"), (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
    (b"\x1f\x8b\x08", "compressed by gzip"), (b"GGUF\3\0\0\0", "is a GGUF file"),
    (b"\x10\0\0\0\0\0\0\0{\"a\":{}}", "is a safetensors file: minigrad.safetensors.load_file"),
    (b"\0" * 257 + b"ustar", "is a tar archive: PyTorch's format before version 0.2"),
    (b"\0\1\2", r"begins with b'\\x00\\x01\\x02'"),
    (pickle.dumps({"a": 1}), "it is a pickle, but not one of PyTorch's")])
def test_files_of_other_kinds(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(RuntimeError, match=f"x.pt .*({said})"):
        mg.load(tmp_path / "x.pt")


def test_archives_of_other_kinds(tmp_path: Path) -> None:
    np.savez(tmp_path / "y.npz", a=np.ones(1))
    with pytest.raises(RuntimeError, match="y.npz is an archive of NumPy's"):
        mg.load(tmp_path / "y.npz")
    for name, said in (("word/document.xml", "a document of an office program"), ("model.weights.h5", "a model of Keras's"),
                       ("a.txt", "a zip archive without a record data.pkl, so no checkpoint; it has a.txt")):
        with zipfile.ZipFile(tmp_path / "z", "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(RuntimeError, match=f"z is {said}"):
            mg.load(tmp_path / "z")


def test_arguments_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        mg.load(tmp_path / "none")
    with pytest.raises(TypeError, match="save: expected 'f' to be a path or a file open for writing bytes, got int"):
        mg.save(mg.ones(1), 3)
    with pytest.raises(TypeError, match="load: expected 'f' to be a path or a file open for reading bytes, got int"):
        mg.load(3)
    mg.save(mg.ones(1), tmp_path / "x.pt")
    with open(tmp_path / "x.pt") as text, pytest.raises(TypeError, match="got a file of text: open it with mode 'rb'"):
        mg.load(text)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="save: parent directory .*none does not exist"):
        mg.save(mg.ones(1), tmp_path / "none" / "x.pt")
    with pytest.raises(EOFError, match=r"the BytesIO is empty, or stands at its end; file.seek\(0\) goes back"):
        mg.load(io.BytesIO())
    read, write = os.pipe()
    with open(read, "rb") as file, open(write, "wb"), pytest.raises(io.UnsupportedOperation, match="must be seekable"):
        mg.load(file)


def test_damaged_files(tmp_path: Path) -> None:
    """Wherever a file ends, or a byte of it changes, what is loaded is what was saved, or an error names the file."""
    state = {"a": mg.arange(40.), "b": [mg.ones(3), "text"]}
    for zipped in (True, False):
        mg.save(state, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
        whole = (tmp_path / "x.pt").read_bytes()
        for cut in range(1, len(whole), 13):
            (tmp_path / "x.pt").write_bytes(whole[:cut])
            with pytest.raises((RuntimeError, pickle.UnpicklingError), match="x.pt"):
                mg.load(tmp_path / "x.pt")
    mg.save(state, tmp_path / "x.pt")
    whole = (tmp_path / "x.pt").read_bytes()
    place = whole.index(np.arange(40, dtype=np.float32).tobytes())
    (tmp_path / "x.pt").write_bytes(whole[:place] + b"\xff" + whole[place + 1:])
    with pytest.raises(RuntimeError, match="x.pt is damaged: the content of 'x/data/0' does not have the checksum"):
        mg.load(tmp_path / "x.pt")


def test_storages_of_other_sizes_than_the_file_says(tmp_path: Path) -> None:
    mg.save(mg.ones(4), tmp_path / "x.pt")
    with zipfile.ZipFile(tmp_path / "x.pt") as old, zipfile.ZipFile(tmp_path / "y.pt", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name)[:12] if name == "x/data/0" else old.read(name))
    for mapped in (False, True):
        with pytest.raises(RuntimeError, match="y.pt is damaged: a storage of 16 bytes is asked for, and 'x/data/0' has 12"):
            mg.load(tmp_path / "y.pt", mmap=mapped)


# ---------------------------------------------------------------------------------------------------- writing

class Unfinished:
    def __reduce__(self) -> Any:
        raise ValueError("not to be saved")


def test_what_cannot_be_saved_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    mg.save({"a": mg.ones(2)}, tmp_path / "x.pt")
    before = (tmp_path / "x.pt").read_bytes()
    with pytest.raises(ValueError, match="not to be saved"):
        mg.save([mg.zeros(2), Unfinished()], tmp_path / "x.pt")
    with pytest.raises(ValueError, match="not to be saved"):
        mg.save(Unfinished(), tmp_path / "new.pt")
    assert (tmp_path / "x.pt").read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["x.pt"]


def test_an_interrupted_write_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mg.save({"a": mg.ones(2)}, tmp_path / "x.pt")
    before = (tmp_path / "x.pt").read_bytes()

    def interrupted(self: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(serialization.saving.Stored, "content", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mg.save(mg.zeros(2), tmp_path / "x.pt")
    assert (tmp_path / "x.pt").read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["x.pt"]


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")
def test_modes_and_links_are_those_of_open(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        mg.save(mg.ones(1), tmp_path / "new.pt")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.pt").stat().st_mode) == 0o640
    (tmp_path / "new.pt").chmod(0o604)
    (tmp_path / "link.pt").symlink_to("new.pt")
    mg.save(mg.zeros(1), tmp_path / "link.pt")
    assert stat.S_IMODE((tmp_path / "new.pt").stat().st_mode) == 0o604
    assert (tmp_path / "link.pt").is_symlink() and mg.load(tmp_path / "new.pt").tolist() == [0]
    mg.save(mg.zeros(1), os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_open_files_pipes_and_places_within_files(tmp_path: Path) -> None:
    state = {"a": mg.arange(3.), "b": mg.ones(2, 2)}
    read, write = os.pipe()
    with open(write, "wb") as file:
        mg.save(state, file)
    with open(read, "rb") as file:
        assert mg.load(io.BytesIO(file.read()))["a"].tolist() == [0, 1, 2]
    for zipped in (True, False):
        with open(tmp_path / "x", "w+b") as file:
            file.write(b"before")
            mg.save(state, file, _use_new_zipfile_serialization=zipped)
            file.seek(6)
            assert mg.load(file)["b"].tolist() == [[1, 1], [1, 1]]
    stream = io.BytesIO()  # of the older format, one can stand behind the other
    for k in range(3):
        mg.save(mg.ones(2) * k, stream, _use_new_zipfile_serialization=False)
    stream.seek(0)
    assert [mg.load(stream).tolist() for _ in range(3)] == [[0, 0], [1, 1], [2, 2]]
    with pytest.raises(EOFError):
        mg.load(stream)


class Watched(io.RawIOBase):
    """A file that keeps nothing of what is written, and notes how much memory Python has taken since, at most."""

    def __init__(self) -> None:
        self.most = self.written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.most = max(self.most, tracemalloc.get_traced_memory()[1])
        self.written += len(data)
        return len(data)


def test_saving_takes_no_more_memory_than_the_largest_tensor() -> None:
    on_gpu = [mg.zeros(250_000, device="standin") for _ in range(8)]
    on_host = [mg.zeros(250_000) for _ in range(8)]
    for tensors in (on_host, on_gpu):
        file = Watched()
        tracemalloc.start()
        try:
            mg.save(tensors, file)
        finally:
            tracemalloc.stop()
        assert file.written > 8e6 and file.most < 2e6


def test_storages_are_aligned_and_stored_once() -> None:
    x, file = mg.arange(1000.), io.BytesIO()
    mg.save([x, x[1:], x.view(10, 100).t(), mg.ones(3), mg.ones(1, dtype=mg.bool)], file)
    with zipfile.ZipFile(file) as archive:
        assert [n.removeprefix("archive/") for n in archive.namelist()] == [
            "data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/0", "data/1", "data/2", "version",
            ".data/serialization_id"]
        assert archive.testzip() is None
        reader = serialization.archive.ArchiveReader(file, "x")
        assert [reader.offset(f"data/{k}") % 64 for k in range(3)] == [0, 0, 0]


def test_large_records_have_sizes_of_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    back, file = mg.arange(500.), io.BytesIO()
    mg.save({"a": back, "b": mg.ones(2)}, file)
    file.seek(0)
    found = mg.load(file)
    assert mg.equal(found["a"], back) and found["b"].tolist() == [1, 1]
    assert serialization.archive.ArchiveReader(file, "x").offset("data/0") % 64 == 0


def test_pickle_protocols_and_modules(tmp_path: Path) -> None:
    for protocol in range(2, 6):
        file = io.BytesIO()
        mg.save({"a": Parameter(mg.ones(2)), "dtype": [mg.float16] * 2, "size": mg.Size([1])}, file, pickle_protocol=protocol)
        file.seek(0)
        assert mg.load(file)["dtype"] == [mg.float16] * 2
    dill = pytest.importorskip("dill")
    mg.save({"f": lambda x: x + 1, "a": mg.ones(1)}, tmp_path / "x.pt", pickle_module=dill)
    assert mg.load(tmp_path / "x.pt", pickle_module=dill)["f"](1) == 2
    with pytest.raises(RuntimeError, match="Can not safely load weights when explicit pickle_module is specified"):
        mg.load(tmp_path / "x.pt", pickle_module=dill, weights_only=True)


def test_a_module_whose_pickler_cannot_write_these_names() -> None:
    module = types.ModuleType("module")
    module.Pickler = pickle.Pickler  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="Pickler of pickle_module to be a subclass of pickle._Pickler"):
        mg.save(1, io.BytesIO(), pickle_module=module)


class Marked(mg.Tensor):
    """A subclass of a program's."""


class MarkedParameter(Parameter):
    """Another."""


def test_subclasses_and_attributes() -> None:
    x, p = mg.arange(3.).as_subclass(Marked), MarkedParameter(mg.ones(2))
    x.note, p.note = "x", "p"  # type: ignore[attr-defined]
    with pytest.raises(pickle.UnpicklingError, match=r"test_serialization.Marked, which loading could run"):
        through_a_file([x, p])
    with serialization.safe_globals([Marked, MarkedParameter]):
        y, q = through_a_file([x, p])
    assert type(y) is Marked and type(q) is MarkedParameter and (y.note, q.note) == ("x", "p") and q.requires_grad
    assert y.tolist() == [0, 1, 2]
    lazy = through_a_file(mg.nn.LazyLinear(2).state_dict(), weights_only=False)
    assert mg.nn.parameter.is_lazy(lazy["weight"])


def test_storages_themselves() -> None:
    x = mg.arange(3.)
    typed, untyped, tensor = through_a_file([x.storage(), x.untyped_storage(), x])
    assert typed.tolist() == [0, 1, 2] and typed.dtype is mg.float32 and untyped.nbytes() == 12
    assert untyped == tensor.untyped_storage() == typed.untyped()


def test_memory_of_other_libraries() -> None:
    a = np.arange(24, dtype=np.float32).reshape(4, 6)
    tensors = [mg.from_numpy(a[:, ::2]), mg.from_numpy(np.asfortranarray(a)), mg.from_numpy(np.broadcast_to(a[0], (2, 6)).copy())]
    for x, y in zip(tensors, through_a_file(tensors)):
        assert mg.equal(x, y)


# ---------------------------------------------------------------------------------------------------- reading

def test_mapped_files(tmp_path: Path) -> None:
    state = {"a": mg.arange(1000.), "b": mg.ones(3, dtype=mg.bool), "c": mg.arange(4, dtype=mg.bfloat16)}
    state["t"] = state["a"].view(10, 100).t()
    for zipped in (True, False):
        mg.save(state, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
        found = mg.load(tmp_path / "x.pt", mmap=True)
        before = (tmp_path / "x.pt").read_bytes()
        assert all([mg.equal(found[name], state[name]) for name in state])
        found["a"][0] = 5
        found["b"].fill_(False)
        assert found["t"][0, 0] == 5 and (tmp_path / "x.pt").read_bytes() == before
        mg.save(found, tmp_path / "y.pt")
        assert mg.load(tmp_path / "y.pt")["t"][0, 0] == 5
        mg.save(found, tmp_path / "x.pt")  # over the file that is mapped
        assert mg.load(tmp_path / "x.pt")["t"][0, 0] == 5 and found["t"][0, 1] == 100
    with serialization.set_default_mmap_options(mmap.MAP_SHARED):
        mg.load(tmp_path / "x.pt", mmap=True)["a"][1] = 9
    assert mg.load(tmp_path / "y.pt")["a"][1] == 1
    with pytest.raises(RuntimeError, match="does not have the checksum"):  # which was that of what the file held
        mg.load(tmp_path / "x.pt")
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        mg.load(io.BytesIO(before), mmap=True)
    with pytest.raises(ValueError, match="expected mmap.MAP_PRIVATE or mmap.MAP_SHARED"):
        serialization.set_default_mmap_options(77)


def test_mapping_reads_nothing(tmp_path: Path) -> None:
    mg.save([mg.zeros(1_000_000) for _ in range(4)], tmp_path / "x.pt")
    tracemalloc.start()
    try:
        found = mg.load(tmp_path / "x.pt", mmap=True)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()
    assert found[3].sum() == 0


def test_where_tensors_go(tmp_path: Path) -> None:
    model = mg.nn.Linear(2, 2).to("standin")
    state = {"model": model.state_dict(), "host": mg.ones(2), "part": model.weight.detach()[0]}
    mg.save(state, tmp_path / "x.pt")
    asked = []

    def chosen(storage: Any, location: str) -> Any:
        asked.append((type(storage).__name__, str(storage.device), location))
        return storage if location == "cpu" else None if len(asked) == 1 else storage.to("standin")

    found = mg.load(tmp_path / "x.pt", chosen)
    assert asked == [("UntypedStorage", "cpu", "standin:0")] * 2 + [("UntypedStorage", "cpu", "cpu")]
    assert found["model"]["weight"].device == found["part"].device == standin.DEVICE and found["host"].device.type == "cpu"
    found["model"]["weight"].fill_(7)
    assert found["part"].tolist() == [7, 7]
    for where in ("cpu", mg.device("cpu"), {"standin:0": "cpu"}, b"cpu"):
        assert {t.device.type for t in mg.load(tmp_path / "x.pt", where)["model"].values()} == {"cpu"}
    with pytest.raises(RuntimeError, match=r"load: .*x.pt: .* device 'standin:4' does not exist"):
        mg.load(tmp_path / "x.pt", "standin:4")
    with pytest.raises(RuntimeError, match=r"saved on device 'standin:9': .* pass for instance map_location='cpu'"):
        mg.load(tmp_path / "x.pt", {"standin:0": "standin:9"})
    with pytest.raises(TypeError, match=r"map_location\(.*\) returned a int; expected a storage"):
        mg.load(tmp_path / "x.pt", lambda storage, location: 3)
    with pytest.raises(TypeError, match="expected map_location to be a device, its name, a dictionary of devices, a function"):
        mg.load(tmp_path / "x.pt", 1.5)


def test_devices_of_your_own() -> None:
    before = list(serialization.registry._packages)
    serialization.register_package(5, lambda storage: "mine" if storage.nbytes() == 8 else None,
                                   lambda storage, location: storage.to("standin") if location == "mine" else None)
    try:
        small, large = through_a_file([mg.ones(2), mg.ones(3)])
        assert small.device == standin.DEVICE and large.device.type == "cpu"
        assert serialization.location_tag(mg.ones(2).storage()) == "mine"
    finally:
        serialization.registry._packages[:] = before


def test_byte_order_where_the_file_does_not_say(tmp_path: Path) -> None:
    mg.save(mg.tensor([1, 256], dtype=mg.int16), tmp_path / "x.pt", _disable_byteorder_record=True)
    other = serialization.LoadEndianness.BIG if sys.byteorder == "little" else serialization.LoadEndianness.LITTLE
    for order, expected in ((None, [1, 256]), (serialization.LoadEndianness.NATIVE, [1, 256]), (other, [256, 1])):
        serialization.set_default_load_endianness(order)
        try:
            assert serialization.get_default_load_endianness() is order
            assert mg.load(tmp_path / "x.pt").tolist() == mg.load(tmp_path / "x.pt", mmap=True).tolist() == expected
        finally:
            serialization.set_default_load_endianness(None)
    with pytest.raises(TypeError, match="expected a LoadEndianness or None, got 'big'"):
        serialization.set_default_load_endianness("big")  # type: ignore[arg-type]


def test_checksums(tmp_path: Path) -> None:
    serialization.set_crc32_options(False)
    try:
        mg.save(mg.ones(2), tmp_path / "x.pt")
    finally:
        serialization.set_crc32_options(True)
    assert mg.load(tmp_path / "x.pt").tolist() == [1, 1]
    with zipfile.ZipFile(tmp_path / "x.pt") as archive:
        assert {entry.CRC for entry in archive.infolist()} == {0}


def test_data_left_out(tmp_path: Path) -> None:
    mg.save({"a": mg.ones(2)}, tmp_path / "x.pt")
    with serialization.skip_data():
        assert mg.load(tmp_path / "x.pt")["a"].tolist() == [0, 0]
        mg.save({"a": mg.ones(2)}, tmp_path / "y.pt")
    assert mg.load(tmp_path / "y.pt")["a"].tolist() == [0, 0] and mg.load(tmp_path / "x.pt")["a"].tolist() == [1, 1]


def test_names_that_a_file_needs(tmp_path: Path) -> None:
    mg.save([Custom(), mg.ones(1), Parameter(mg.ones(1))], tmp_path / "x.pt")
    assert serialization.get_unsafe_globals_in_checkpoint(tmp_path / "x.pt") == ["tests.test_serialization.Custom"]
    with serialization.safe_globals([Custom]):
        assert serialization.get_unsafe_globals_in_checkpoint(tmp_path / "x.pt") == []
        assert serialization.get_safe_globals() == [Custom]
    with serialization.safe_globals([(Renamed, "tests.test_serialization.Custom")]):
        assert type(mg.load(tmp_path / "x.pt")[0]) is Renamed
    mg.save(1, tmp_path / "y.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match="expected input to be a checkpoint returned by save, but .*y.pt is none"):
        serialization.get_unsafe_globals_in_checkpoint(tmp_path / "y.pt")


def test_classes_that_are_not_here(tmp_path: Path) -> None:
    module = types.ModuleType("gone")
    module.Gone = type("Gone", (), {"__module__": "gone"})  # type: ignore[attr-defined]
    sys.modules["gone"] = module
    try:
        mg.save(module.Gone(), tmp_path / "x.pt")
    finally:
        del sys.modules["gone"]
    with pytest.raises(pickle.UnpicklingError, match=r"x.pt refers to a class or function that is not here .*gone.*state_dict"):
        mg.load(tmp_path / "x.pt", weights_only=False)


def overlapping_tensors() -> list[Any]:
    """Tensors that share memory: parts, transposes, other dtypes, expanded ones, channels last, a piece of an array."""
    x = mg.arange(6.0).reshape(2, 3)
    z = mg.tensor([1 + 2j, 3])
    images = mg.arange(12.0).reshape(1, 3, 2, 2).contiguous(memory_format=mg.channels_last)
    piece = mg.from_numpy(np.arange(10.0)[3:7])
    return [x, x[1:], x.t(), x[:, 1], x.view(mg.int32), x.expand(4, 2, 3), z, z.imag, mg.view_as_real(z), images, images[:, 1],
            piece, piece[::2], mg.zeros(3, 0)[:, :0]]


@pytest.mark.parametrize("copied", [copy.deepcopy, through_a_file])
def test_tensors_that_share_memory_have_copies_that_do(copied: Any) -> None:
    tensors = overlapping_tensors()
    before = [x.tolist() for x in tensors]
    twins = copied(tensors)
    for x, twin in zip(tensors, twins):
        assert twin.tolist() == x.tolist() and twin.stride() == x.stride() and twin.dtype is x.dtype
    for k, x in enumerate(tensors):
        for j, y in enumerate(tensors):
            assert np.shares_memory(twins[k].array, twins[j].array) == np.shares_memory(x.array, y.array)
    twins[0][1, 1] = 70
    twins[7].mul_(2)
    assert twins[1].tolist() == [[3, 70, 5]] and twins[3].tolist() == [1, 70] and twins[5][3, 1, 1] == 70
    assert twins[6].tolist() == [1 + 4j, 3]
    assert [x.tolist() for x in tensors] == before


def test_a_piece_of_an_array_is_stored_alone() -> None:
    file = io.BytesIO()
    mg.save(mg.from_numpy(np.zeros(100_000)[5:7]), file)
    assert len(file.getvalue()) < 2000


@pytest.mark.parametrize("place", [(mg.float64, 1, (4,), (1,)), (mg.float64, 0, (2, 2), (3, 1)), (mg.float64, 0, (2,), (-1,)),
                                   (mg.float64, -1, (1,), (1,)), (mg.float64, 0, (-1,), (1,)), (mg.float64, 0, (2,), (1, 1))])
def test_a_file_cannot_make_a_tensor_that_reaches_outside_its_memory(place: Any) -> None:
    class Damaged:
        def __reduce__(self) -> Any:
            return rebuild, (mg.Tensor, np.zeros(4), "cpu", False, place)

    with pytest.raises((ValueError, pickle.UnpicklingError), match=r"does not lie within the 4 elements|zip\(\)"):
        through_a_file(Damaged())


class Python2Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Writes texts as Python 2 does, whose strings are bytes."""

    dispatch = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_string(self, obj: str) -> None:
        data = obj.encode("latin1")
        self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        self.memoize(obj)

    dispatch[str] = save_string


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("weights_only", [True, False])
def test_files_of_python_2(zipped: bool, weights_only: bool) -> None:
    module = types.ModuleType("python2")
    module.Pickler = Python2Pickler  # type: ignore[attr-defined]
    file = io.BytesIO()
    mg.save({"caf\u00e9": mg.ones(2)}, file, pickle_module=module, _use_new_zipfile_serialization=zipped)
    for encoding, key in (("latin1", "caf\u00e9"), ("bytes", b"caf\xe9")):
        file.seek(0)
        assert mg.load(file, weights_only=weights_only, encoding=encoding)[key].tolist() == [1, 1]
    file.seek(0)
    with pytest.raises((pickle.UnpicklingError, RuntimeError, UnicodeDecodeError)):
        mg.load(file, weights_only=weights_only)
    with pytest.raises(TypeError, match="fix_imports is for weights_only=False"):
        mg.load(file, fix_imports=True)


def test_variables_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mg.save(Custom(), tmp_path / "x.pt")
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    assert mg.load(tmp_path / "x.pt").x == 1
    with pytest.raises(pickle.UnpicklingError):
        mg.load(tmp_path / "x.pt", weights_only=True)
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(pickle.UnpicklingError):
        mg.load(tmp_path / "x.pt", weights_only=False)


def test_safetensors_are_known_by_their_name(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    mg.safetensors.save_file({"a": mg.ones(2)}, str(tmp_path / "x.safetensors"))
    assert mg.load(tmp_path / "x.safetensors")["a"].tolist() == [1, 1]
    assert mg.load(tmp_path / "x.safetensors", "standin")["a"].device == standin.DEVICE
    with pytest.raises(RuntimeError, match="x.safetensors is a safetensors file, which does not say where its tensors were"):
        mg.load(tmp_path / "x.safetensors", {"cpu": "cpu"})
