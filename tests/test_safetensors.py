"""Files in the safetensors format: what its library and PyTorch write is read, and what is written here they read."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from tests.documents import ROOT

library = pytest.importorskip("safetensors", reason="needs safetensors: pip install 'minigrad-numpy[safetensors]'")

from minigrad import safetensors  # noqa: E402
from minigrad.safetensors import load, load_file, load_model, safe_open, save, save_file, save_model  # noqa: E402

SHAPES: tuple[tuple[int, ...], ...] = ((2, 3), (), (0, 4), (3,))


def every_dtype() -> dict[str, mg.Tensor]:
    return {f"{code} {shape}": (mg.arange(6).reshape(-1)[:int(np.prod(shape))] - (code[0] not in "UB")).to(dtype).reshape(shape)
            for code, dtype in safetensors.DTYPES.items() for shape in SHAPES}


def header_of(tensors: dict[str, tuple[str, list[int], list[int]]], step: int = 8) -> bytes:
    """How a file begins: the length of what describes its tensors, each by dtype, shape and place, and that, filled up to `step`
    bytes so that what follows lies at a multiple of it."""
    text = json.dumps({name: dict(zip(("dtype", "shape", "data_offsets"), described)) for name, described in tensors.items()})
    padded = text.encode() + b" " * (-len(text) % step)
    return len(padded).to_bytes(8, "little") + padded


def check_equal(found: dict[str, mg.Tensor], expected: dict[str, mg.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, t in expected.items():
        assert found[name].dtype is t.dtype and found[name].shape == t.shape, name
        assert found[name].tolist() == t.tolist(), name
        assert found[name].is_contiguous() and not found[name].requires_grad


# ---------------------------------------------------------------------------------------------------- there and back

@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_every_dtype_and_shape_comes_back(tmp_path: Path, backend: str) -> None:
    tensors = every_dtype()
    save_file(tensors, tmp_path / "all.safetensors", metadata={"who": "Grüße"})
    check_equal(load_file(tmp_path / "all.safetensors", backend=backend), tensors)
    check_equal(load((tmp_path / "all.safetensors").read_bytes()), tensors)
    assert save(tensors, {"who": "Grüße"}) == (tmp_path / "all.safetensors").read_bytes()
    with safe_open(tmp_path / "all.safetensors", framework="pt", backend=backend) as file:
        assert file.metadata() == {"who": "Grüße"} and sorted(file.keys()) == sorted(tensors)
        assert sorted(file.offset_keys()) == sorted(tensors)


def test_arrays_of_the_library_are_read_and_ours_by_it(tmp_path: Path) -> None:
    arrays = importlib.import_module("safetensors.numpy")
    mine = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([True, False, True]), "c": np.array(2.5)}
    arrays.save_file(mine, tmp_path / "theirs.safetensors")
    found = load_file(tmp_path / "theirs.safetensors")
    assert {k: t.tolist() for k, t in found.items()} == {k: a.tolist() for k, a in mine.items()}
    save_file({k: mg.tensor(a) for k, a in mine.items()}, tmp_path / "ours.safetensors")
    assert (tmp_path / "ours.safetensors").read_bytes() == (tmp_path / "theirs.safetensors").read_bytes()


def test_parts_of_a_tensor(tmp_path: Path) -> None:
    x = mg.arange(24.0).reshape(4, 6)
    save_file({"x": x}, tmp_path / "x.safetensors")
    with safe_open(tmp_path / "x.safetensors", framework="pt", device="cpu") as file:
        part = file.get_slice("x")
        assert part.get_shape() == [4, 6] and part.get_dtype() == "F32"
        for index in (slice(1, 3), (slice(None), slice(0, 6, 2)), (..., 0), 2, ([0, 3],)):
            assert part[index].tolist() == x[index].tolist()
        with pytest.raises(library.SafetensorError, match="x.safetensors: File does not contain tensor y"):
            file.get_tensor("y")
    with pytest.raises(library.SafetensorError, match="x.safetensors: File is closed"):
        file.get_tensor("x")


def test_tensors_at_odd_places_are_read(tmp_path: Path) -> None:
    """Other writers need not put numbers where the processor likes them."""
    header = header_of({"flag": ("BOOL", [1], [0, 1]), "x": ("F64", [2], [1, 17])})
    (tmp_path / "odd.safetensors").write_bytes(header + b"\1" + np.array([1.5, -2.0]).tobytes())
    found = load_file(tmp_path / "odd.safetensors")
    assert found["flag"].tolist() == [True] and found["x"].tolist() == [1.5, -2.0] and found["x"].numpy().flags.aligned


# ---------------------------------------------------------------------------------------------------- mapped files

def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory in use from /proc")
def test_a_large_file_is_not_read_before_it_is_used(tmp_path: Path) -> None:
    count = 2**28  # 1 GiB of numbers, none of which lies on the disk: they are a hole in the file
    header = header_of({"w": ("F32", [count], [0, 4 * count])})
    with open(tmp_path / "large.safetensors", "wb") as file:
        file.write(header)
        file.truncate(len(header) + 4 * count)
    before = resident_bytes()
    with safe_open(tmp_path / "large.safetensors", framework="pt") as opened:
        part = opened.get_slice("w")[count - 3:]
    w = load_file(tmp_path / "large.safetensors")["w"]
    assert w.shape == (count,) and part.tolist() == [0, 0, 0] and w[count // 2] == 0
    assert resident_bytes() - before < 2**25


def test_what_is_written_to_a_mapped_tensor_stays_in_the_process(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"x": mg.ones(3)}, path)
    written = path.read_bytes()
    x = load_file(path)["x"]
    x.mul_(5)
    assert x.tolist() == [5, 5, 5] and path.read_bytes() == written
    save_file({"x": x}, path)  # over the file that it lies in
    assert x.tolist() == [5, 5, 5] and load_file(path)["x"].tolist() == [5, 5, 5]


def test_a_write_to_one_tensor_of_a_file_is_none_to_another(tmp_path: Path) -> None:
    save_file({"a": mg.ones(3), "b": mg.ones(3)}, tmp_path / "x.safetensors")
    found = load_file(tmp_path / "x.safetensors")
    a = found["a"].requires_grad_()
    y = (a * found["b"]).sum()
    found["a"].detach()
    other = load_file(tmp_path / "x.safetensors")["b"]
    other.zero_()
    y.backward()
    assert a.grad is not None and a.grad.tolist() == [1, 1, 1]
    assert found["a"].untyped_storage() != found["b"].untyped_storage() and found["a"].untyped_storage().nbytes() == 12
    loss = (a * a).sum()
    found["b"].add_(1)
    loss.backward()  # refused, if the file were one piece of memory


def test_loaded_weights_are_trained(tmp_path: Path) -> None:
    model = nn.Linear(3, 1)
    save_model(model, tmp_path / "model.safetensors")
    other = nn.Linear(3, 1)
    other.load_state_dict(load_file(tmp_path / "model.safetensors"), assign=True)
    other(mg.ones(2, 3)).sum().backward()
    mg.optim.SGD(other.parameters(), lr=1.0).step()
    assert mg.allclose(other.weight, model.weight - 2)


# ---------------------------------------------------------------------------------------------------- models

class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head, self.norm = nn.Embedding(5, 4), nn.Linear(4, 5, bias=False), nn.BatchNorm1d(5)
        self.head.weight = self.embed.weight


def test_names_that_share_memory(tmp_path: Path) -> None:
    model, path = Tied(), tmp_path / "tied.safetensors"
    with pytest.raises(RuntimeError, match=r"share memory, .*\[\['embed.weight', 'head.weight'\]\]. Use save_model"):
        save_file(model.state_dict(), path)
    save_model(model, path, metadata={"step": "7"})
    with safe_open(path) as file:
        assert file.metadata() == {"step": "7", "head.weight": "embed.weight"}
        assert "head.weight" not in [*file.keys()] and file.get_tensor("norm.num_batches_tracked").dtype is mg.int64
    other = Tied()
    assert load_model(other, path) == (set(), [])
    assert mg.equal(other.head.weight, model.embed.weight) and other.head.weight is other.embed.weight
    whole = mg.arange(6.0)
    with pytest.raises(RuntimeError, match=r"share memory, .*'part', 'whole'"):
        save_file({"whole": whole, "part": whole[2:4]}, path)
    save_file({"left": whole[:3], "right": whole[3:]}, path)  # which have no element in common
    assert load_file(path)["right"].tolist() == [3, 4, 5]


def test_what_a_file_lacks_or_has_too_much_of(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_file({"weight": mg.ones(1, 2), "more": mg.ones(1)}, path)
    with pytest.raises(RuntimeError, match=r"(?s)for Linear from .*m.safetensors:.*Missing .*'bias'.*Unexp.*'more'"):
        load_model(nn.Linear(2, 1), path)
    layer = nn.Linear(2, 1)
    assert load_model(layer, path, strict=False) == ({"bias"}, ["more"]) and layer.weight.tolist() == [[1, 1]]
    save_file({"weight": mg.ones(1, 3), "bias": mg.ones(1)}, path)
    with pytest.raises(RuntimeError, match="size mismatch for weight"):
        load_model(nn.Linear(2, 1), path)


def test_parts_without_their_whole_cannot_be_chosen_among(tmp_path: Path) -> None:
    model = nn.Module()
    memory = mg.ones(4)
    model.register_buffer("a", memory[:3])
    model.register_buffer("b", memory[1:])
    with pytest.raises(RuntimeError, match=r"none of the tensors \['a', 'b'\]"):
        save_model(model, tmp_path / "m.safetensors")


def test_layouts_that_the_format_does_not_have(tmp_path: Path) -> None:
    model = nn.Conv2d(2, 3, 2).to(memory_format=mg.channels_last)
    with pytest.raises(ValueError, match="'weight' is not contiguous .*force_contiguous=True"):
        save_model(model, tmp_path / "m.safetensors", force_contiguous=False)
    save_model(model, tmp_path / "m.safetensors")
    assert mg.equal(load_file(tmp_path / "m.safetensors")["weight"], model.weight)


# ---------------------------------------------------------------------------------------------------- refusals

def test_what_cannot_be_saved_is_named(tmp_path: Path) -> None:
    for tensors, words in (([mg.ones(1)], "expected a dict of names and tensors, got list"),
                           ({"a": np.ones(1)}, "'a' is no tensor, but ndarray"),
                           ({"a": mg.ones(1, dtype=mg.complex128)}, "'a' is of dtype minigrad.complex128"),
                           ({"a": mg.ones(2, 3).T}, r"'a' is not contiguous \(shape \[3, 2\], stride \[1, 3\]\)")):
        wrong: Any = tensors
        with pytest.raises(ValueError, match=words):
            save_file(wrong, tmp_path / "x.safetensors")
        assert not list(tmp_path.iterdir())
    with pytest.raises(TypeError, match="metadata"):
        save_file({"a": mg.ones(1)}, tmp_path / "x.safetensors", metadata={"a": 1})  # type: ignore[dict-item]


def test_damaged_files_are_named(tmp_path: Path) -> None:
    good, path = save({"a": mg.arange(4.0)}), tmp_path / "bad.safetensors"
    longer = header_of({"a": ("F32", [2**40], [0, 2**42])})
    for data in (b"", good[:5], good[:30], good[:-1], good + b"x", b"PK" + good, (2**60).to_bytes(8, "little") + good,
                 good.replace(b"[4]", b"[5]"), longer):
        path.write_bytes(data)
        for read in (load_file, safe_open):
            with pytest.raises(library.SafetensorError, match=r"bad\.safetensors: "):
                read(path)
    with pytest.raises(FileNotFoundError, match="missing"):
        load_file(tmp_path / "missing.safetensors")


@pytest.mark.parametrize("zipped", [True, False])
def test_checkpoints_of_pytorch_are_told_by_their_beginning(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "model.pt"
    mg.save({"a": mg.ones(2)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(library.SafetensorError, match=r"model\.pt: .*one of PyTorch's files: minigrad\.load\(f\) reads it"):
        load_file(path)


def test_dtypes_that_minigrad_does_not_have(tmp_path: Path) -> None:
    header = header_of({"low": ("F8_E4M3", [2], [8, 10]), "x": ("F32", [2], [0, 8])})
    (tmp_path / "f8.safetensors").write_bytes(header + np.ones(2, np.float32).tobytes() + b"\0\0")
    with pytest.raises(RuntimeError, match="f8.safetensors: tensor 'low' is of dtype F8_E4M3, which minigrad does not have"):
        load_file(tmp_path / "f8.safetensors")
    with safe_open(tmp_path / "f8.safetensors") as file:
        assert file.get_tensor("x").tolist() == [1, 1] and file.get_slice("low").get_dtype() == "F8_E4M3"


def test_words_about_arguments(tmp_path: Path) -> None:
    save_file({"a": mg.ones(1)}, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="framework 'np' is not minigrad's"):
        safe_open(tmp_path / "a.safetensors", framework="np")
    with pytest.raises(ValueError, match="'mmap' or 'pread'"):
        safe_open(tmp_path / "a.safetensors", backend="read")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"needs safetensors, .* pip install .minigrad-numpy\[safetensors\]"):
        load_file(tmp_path / "a.safetensors")


# ---------------------------------------------------------------------------------------------------- programs for PyTorch

PROGRAM = """from safetensors import safe_open
from safetensors.torch import load, load_file, load_model, save, save_file, save_model, torch

tensors = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(2, dtype=torch.bfloat16), "c": torch.zeros(0, 2),
           "d": torch.tensor(3)}
save_file(tensors, "x.safetensors", metadata={"format": "pt"})
for found in (load_file("x.safetensors"), load(save(tensors))):
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[k], t) and found[k].dtype is t.dtype for k, t in tensors.items())
with safe_open("x.safetensors", framework="pt", device="cpu") as file:
    assert file.get_slice("a")[:, 1:].tolist() == [[1, 2], [4, 5]] and file.metadata() == {"format": "pt"}
model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
model[1].weight = model[0].weight
try:
    save_file(model.state_dict(), "y.safetensors")
except RuntimeError as error:
    assert "share memory" in str(error)
save_model(model, "y.safetensors")
other = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
other[1].weight = other[0].weight
assert load_model(other, "y.safetensors") == (set(), [])
a = load_file("x.safetensors")["a"].requires_grad_()
loss = (a * a).sum()
load_file("x.safetensors")["b"].zero_()
loss.backward()
print(torch.Tensor.__module__)
"""


def test_the_librarys_own_functions_work_on_tensors_where_torch_is_minigrad(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    run = (f"import sys; sys.path.insert(0, {str(ROOT)!r}); import minigrad, runpy\n"
           "with minigrad.as_torch(): runpy.run_path('program.py')")
    done = subprocess.run([sys.executable, "-W", "error", "-c", run], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.split() == ["minigrad"], done.stderr[-2000:]
    assert load_file(tmp_path / "x.safetensors")["a"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parity
def test_files_are_those_of_pytorch_byte_by_byte(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs = importlib.import_module("safetensors.torch")
    ours = every_dtype()
    same = {name: torch.tensor(t.tolist(), dtype=getattr(torch, t.dtype.name)).reshape(t.shape) for name, t in ours.items()}
    data = save(ours, {"format": "pt"})
    assert data == theirs.save(same, {"format": "pt"})
    theirs.save_file(same, tmp_path / "x.safetensors")
    check_equal(load_file(tmp_path / "x.safetensors"), ours)
    save_file(ours, tmp_path / "x.safetensors")
    for name, t in theirs.load_file(tmp_path / "x.safetensors").items():
        assert t.dtype is same[name].dtype and torch.equal(t, same[name])


def test_published_weights_load_equal() -> None:
    found = importlib.util.find_spec("silero_vad")
    if found is None or found.origin is None:
        pytest.skip("needs the files that silero-vad publishes: pip install --no-deps silero-vad")
    path = Path(found.origin).parent / "data" / "silero_vad_16k.safetensors"
    arrays = importlib.import_module("safetensors.numpy").load_file(path)
    tensors = load_file(path)
    assert tensors.keys() == arrays.keys() and len(arrays) > 10
    for name, array in arrays.items():
        np.testing.assert_array_equal(tensors[name].numpy(), array)
