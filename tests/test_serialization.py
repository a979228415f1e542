"""Saving and loading: what comes back, and what a file may not do."""

from __future__ import annotations

import copy
import io
import pickle
import sys
import types
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
        serialization.former._added.clear()


def test_objects_inside_arrays_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError):
        through_a_file(np.array([Attack()], dtype=object))


def test_damaged_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no archive")
    np.savez(tmp_path / "y.npz", a=np.ones(1))
    for name in ("x", "y.npz"):
        with pytest.raises(RuntimeError, match="is not a file that minigrad.save wrote, or it is damaged"):
            mg.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        mg.load(tmp_path / "none")
    with pytest.raises(TypeError, match="expected 'f' to be a path or a file open for writing bytes, got int"):
        mg.save(mg.ones(1), 3)


def test_files_of_the_first_version_are_read() -> None:
    """They name classes and functions by the places these had then."""
    def at(module: str, name: str) -> Any:
        """Something that is pickled as ``module.name``."""
        found = type(name, (), {"__module__": module, "__init__": lambda self, *args: None})
        then = sys.modules.setdefault(module, types.ModuleType(module))
        setattr(then, name, found)
        return found

    names = [("minigrad.tensor", "rebuild"), ("minigrad.tensor", "Tensor"), ("minigrad.size", "Size"),
             ("minigrad.dtypes", "_by_name"), ("minigrad.backend.device", "Device")]
    try:
        rebuild, tensor, size, by_name, device = [at(*n) for n in names]

        class Old:
            def __init__(self, function: Any, *args: Any) -> None:
                self.function, self.args = function, args

            def __reduce__(self) -> Any:
                return self.function, self.args

        saved = [Old(rebuild, tensor, np.arange(3.0), "cpu", True), Old(size, (2, 3)), Old(by_name, "float64"),
                 Old(device, "cpu", None)]
        file = io.BytesIO()
        mg.save(saved, file)
    finally:
        for module, _ in names:
            sys.modules.pop(module, None)
    x, shape, dtype, place = mg.load(file)
    assert isinstance(x, mg.Tensor) and x.tolist() == [0, 1, 2] and x.requires_grad
    assert (shape, dtype, place) == (mg.Size([2, 3]), mg.float64, mg.device("cpu"))
    assert isinstance(shape, mg.Size)


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
