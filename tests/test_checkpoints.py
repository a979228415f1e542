"""PyTorch's files: those of tests/fixtures, which PyTorch wrote, and, where it is installed, a corpus in both directions."""

from __future__ import annotations

import importlib.util
import io
import pickle
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from tests import module_checks
from tests.module_cases import ModuleCase, all_cases

FIXTURES = Path(__file__).parent / "fixtures"
DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32",
          "float64", "complex64", "complex128")


# ---------------------------------------------------------------------------------------------------- files in the repository

@pytest.mark.parametrize("name", ["archive.pt", "stream.pt"])
def test_everything_in_a_file_of_pytorch(name: str) -> None:
    found = mg.load(FIXTURES / name)
    base = mg.arange(12.)
    assert type(found) is OrderedDict and mg.equal(found["base"], base)
    assert found["part"].tolist() == [[2, 3, 4], [5, 6, 7]] and found["part"].storage_offset() == 2
    assert found["transposed"].stride() == (1, 4) and mg.equal(found["transposed"], base.view(3, 4).t())
    assert found["expanded"].stride() == (0, 1) and found["expanded"].tolist() == [[0, 1]] * 3
    assert found["channels"].is_contiguous(memory_format=mg.channels_last)
    assert mg.equal(found["channels"], mg.arange(24.).reshape(1, 2, 3, 4))
    assert type(found["weight"]) is nn.Parameter and found["weight"].tolist() == [[0.5, -2]] and found["weight"].requires_grad
    assert found["tied"] is found["weight"]
    assert type(found["marked"]) is nn.Parameter and not found["marked"].requires_grad and found["marked"].note == "kept"
    assert found["leaf"].requires_grad and found["leaf"].is_leaf and type(found["leaf"]) is mg.Tensor
    assert found["empty"].shape == (0, 3) and found["number"].item() == 5 and found["number"].shape == ()
    assert found["conjugate"].tolist() == [1 - 2j]
    assert type(found["buffer"]) is nn.Buffer and not found["buffer"].persistent
    assert list(found["dtypes"]) == list(DTYPES)
    for dtype, x in found["dtypes"].items():
        assert x.dtype is getattr(mg, dtype) and mg.equal(x, mg.tensor([0, 1, 2]).to(x.dtype)), dtype
    assert (found["size"], found["device"], found["dtype"]) == (mg.Size([2, 3]), mg.device("cpu"), mg.float16)
    assert found["layout"] is mg.strided and isinstance(found["size"], mg.Size)
    assert found["nested"] == [{"a": (1, 2.5, None, True)}, {3, 4}, "text", b"bytes", 1j]
    assert np.array_equal(found["array"], np.arange(6).reshape(2, 3)) and found["scalar"] == np.float64(2.5)
    found["base"][2] = 70
    assert found["part"][0, 0] == found["transposed"][2, 0] == 70 and found["expanded"][0, 1] == 1


@pytest.mark.parametrize("name", ["big_endian.pt", "unmarked.pt", "compressed.pt"])
def test_archives_of_other_machines_versions_and_programs(name: str) -> None:
    found = mg.load(FIXTURES / name)
    assert mg.equal(found["base"], mg.arange(12.)) and found["part"].tolist() == [[2, 5], [3, 6], [4, 7]]
    found["base"][2] = 70
    assert found["part"][0, 0] == 70


def test_training_goes_on_where_pytorch_stopped() -> None:
    found = mg.load(FIXTURES / "training.pt")
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model.load_state_dict(found["model"])
    assert found["model"]._metadata["1"] == {"version": 2}
    optimizer = mg.optim.Adam(model.parameters())
    scheduler = mg.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.load_state_dict(found["optimizer"])
    scheduler.load_state_dict(found["scheduler"])
    assert scheduler.get_last_lr() == [0.05] and optimizer.state[model[0].weight]["step"] == 1
    assert mg.allclose(model.eval()(found["x"]), found["y"])
    model(found["x"]).sum().backward()
    optimizer.step()
    assert optimizer.state[model[0].weight]["step"] == 2


def test_whole_models_of_pytorch() -> None:
    states = mg.load(FIXTURES / "training.pt")
    with pytest.raises(pickle.UnpicklingError) as caught:
        mg.load(FIXTURES / "model.pt")
    message = str(caught.value)
    assert ". In all it refers to torch.nn.modules.container.Sequential, torch.nn.modules.linear.Linear, torch.nn.mo" in message
    assert "minigrad.load(f, weights_only=False).state_dict() gives its weights" in message and "model.pt" in message
    model = mg.load(FIXTURES / "model.pt", weights_only=False)
    assert type(model) is nn.Sequential and not model.training and mg.allclose(model(states["x"]), states["y"])
    model.train()(states["x"]).sum().backward()
    assert model[0].weight.grad is not None
    with mg.serialization.safe_globals([nn.Sequential, nn.Linear, nn.BatchNorm1d]):  # PyTorch's names of them are meant too
        assert mg.allclose(mg.load(FIXTURES / "model.pt")(states["x"]), states["y"])


def test_weights_of_torchscript() -> None:
    states = mg.load(FIXTURES / "training.pt")
    extra = {"note": "", "none": ""}
    script = mg.jit.load(FIXTURES / "scripted.pt", _extra_files=extra)
    assert extra == {"note": b"kept", "none": ""} and list(script.state_dict()) == list(states["model"])
    for name, value in states["model"].items():
        assert mg.equal(script.state_dict()[name], value), name
    assert script.get_submodule("1").original_name == "BatchNorm1d" and isinstance(script, mg.jit.ScriptModule)
    assert [name for name, p in script.named_parameters() if p.requires_grad] == [n for n in states["model"] if "_" not in n and
                                                                                  "running" not in n]
    with pytest.raises(NotImplementedError, match="Sequential: a TorchScript file holds compiled code"):
        script(states["x"])
    with pytest.raises(RuntimeError, match=r"is a TorchScript archive, .*: minigrad.jit.load\(f\).state_dict\(\) gives"):
        mg.load(FIXTURES / "scripted.pt")
    with pytest.raises(RuntimeError, match=r"jit.load: .*archive.pt is no TorchScript archive"):
        mg.jit.load(FIXTURES / "archive.pt")


@pytest.mark.parametrize(("name", "said"), [("sparse.pt", r"a sparse tensor; in PyTorch, save x.to_dense\(\)"),
                                            ("quantized.pt", r"a quantized tensor; in PyTorch, save x.dequantize\(\)"),
                                            ("float8.pt", "numbers of the kind float8_e4m3fn")])
@pytest.mark.parametrize("weights_only", [True, False])
def test_what_there_is_nothing_like_here(name: str, said: str, weights_only: bool) -> None:
    with pytest.raises(pickle.UnpicklingError, match=f"{name}: it holds {said}"):
        mg.load(FIXTURES / name, weights_only=weights_only)


def test_files_that_minigrad_wrote_before() -> None:
    first, last = mg.load(FIXTURES / "first.pt"), mg.load(FIXTURES / "former.pt")
    assert first["weight"].tolist() == [[0, 1, 2], [3, 4, 5]] and first["leaf"].requires_grad
    assert type(first["param"]) is nn.Parameter and first["dtype"] is mg.float64 and first["shape"] == mg.Size([2, 3])
    assert first["device"] == mg.device("cpu") and first["scalar"] == 2.5 and first["half"].dtype is mg.float16
    base = mg.arange(12.)
    assert mg.equal(last["base"], base) and mg.equal(last["part"], base[2:8].reshape(2, 3)) and last["bits"].dtype is mg.int32
    assert mg.equal(last["transposed"], base.view(3, 4).t()) and last["transposed"].stride() == (1, 4)
    last["base"][2] = 70
    assert last["part"][0, 0] == last["transposed"][2, 0] == 70
    last["imag"].fill_(5)
    assert last["z"].tolist() == [1 + 5j, 3 + 5j]
    for dtype, x in last["dtypes"].items():
        assert x.dtype is dtype and mg.equal(x, mg.tensor([0, 1, 2]).to(dtype)), dtype
    assert type(last["parameter"]) is nn.Parameter and not last["frozen"].requires_grad and type(last["buffer"]) is nn.Buffer
    assert np.array_equal(last["array"], np.arange(6).reshape(2, 3).T) and last["layout"] is mg.strided
    assert mg.equal(mg.rand(2, generator=last["generator"]), mg.rand(2, generator=mg.Generator().manual_seed(7)))
    model = mg.load(FIXTURES / "former_model.pt", weights_only=False)
    twin = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    twin.load_state_dict(last["model"])
    x = mg.arange(6.).reshape(2, 3)
    assert mg.equal(model.eval()(x), twin.eval()(x)) and last["optimizer"]["state"][0]["step"] == 1
    with pytest.raises(RuntimeError, match="a format that minigrad wrote formerly, which cannot be mapped"):
        mg.load(FIXTURES / "former.pt", mmap=True)


# ---------------------------------------------------------------------------------------------------- both ways

def optimized(torch: Any, kind: str, **settings: Any) -> Any:
    """The state of an optimizer after two steps, beside the parameters that it moved."""
    parameters = [torch.nn.Parameter(torch.arange(6.).reshape(2, 3)), torch.nn.Parameter(torch.ones(2))]
    optimizer = getattr(torch.optim, kind)(parameters, **settings)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = sum([((p - 1) ** 2).sum() for p in parameters])
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
    return {"optimizer": optimizer.state_dict(), "parameters": [p.detach() for p in parameters]}


def scheduled(torch: Any, kind: str, **settings: Any) -> Any:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.5, momentum=0.9)
    scheduler = getattr(torch.optim.lr_scheduler, kind)(optimizer, **settings)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    return scheduler.state_dict()


def model_of(torch: Any, *layers: Any) -> Any:
    model = torch.nn.Sequential(*layers)
    with torch.no_grad():
        for k, p in enumerate(model.parameters()):
            p.copy_(torch.arange(float(p.numel())).reshape(p.shape) + k)
    return model.state_dict()


def shared(torch: Any) -> Any:
    base = torch.arange(24.)
    return [base[4:], base.view(4, 6).t(), base, base.view(2, 3, 4)[:, 1], base.as_strided((3, 3), (1, 2), 5), base[::5],
            base.detach(), torch.nn.Parameter(base)]


def marked(torch: Any) -> Any:
    x, p = torch.ones(2), torch.nn.Parameter(torch.ones(3))
    x.note, p.note = "kept", {"a": [1]}
    return [x, p, torch.nn.Buffer(torch.ones(2)), torch.nn.Buffer(torch.ones(2), persistent=False)]


def nested(torch: Any) -> Any:
    inner = [torch.ones(2)]
    return {"a": {"b": ({"c": inner}, inner)}, 3: None, (1, "x"): {1, 2}, "deep": [[[[torch.zeros(1)]]]], "empty": [{}, (), []],
            "many": list(range(3000)), "texts": ["x" * 300, "\u00fc\U0001f600", ""], "large": 2**80, "negative": -5,
            "bytes": b"\0\xff"}


# What is saved, made by minigrad and by PyTorch, under which name it is given.
OBJECTS: dict[str, Callable[[Any], Any]] = {
    **{f"dtype {name}": lambda torch, name=name: [torch.tensor(values).to(getattr(torch, name))
                                                  for values in ([[0, 1], [2, 3]], [], 7)] for name in DTYPES},
    "shared": shared, "marked": marked, "nested": nested,
    "views of bits": lambda torch: (lambda z: [torch.view_as_real(z).clone(), z.resolve_conj()])(torch.tensor([1 + 2j])),
    "requires grad": lambda torch: [torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True) * 2],
    "channels last": lambda torch: torch.arange(48.).reshape(2, 2, 3, 4).to(memory_format=torch.channels_last),
    "numbers": lambda torch: [1, 2.5, float("inf"), True, None, 1j, "text", torch.Size([2, 3]), torch.device("cuda", 1),
                              torch.float16, torch.strided],
    "linear": lambda torch: model_of(torch, torch.nn.Linear(3, 2)),
    "convolutions": lambda torch: model_of(torch, torch.nn.Conv2d(2, 4, 3), torch.nn.BatchNorm2d(4),
                                           torch.nn.ConvTranspose2d(4, 1, 2)),
    "lstm": lambda torch: model_of(torch, torch.nn.LSTM(3, 2, 2, bidirectional=True)),
    "attention": lambda torch: model_of(torch, torch.nn.MultiheadAttention(4, 2), torch.nn.LayerNorm(4)),
    "weight norm": lambda torch: model_of(torch, torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))),
    "double": lambda torch: model_of(torch, torch.nn.Embedding(5, 2, dtype=torch.float64)),
    **{f"optimizer {kind} {settings}": lambda torch, kind=kind, settings=settings: optimized(torch, kind, **settings)
       for kind, settings in (("SGD", {"lr": 0.1, "momentum": 0.9}), ("SGD", {"lr": 0.1}), ("Adam", {}),
                              ("Adam", {"amsgrad": True}), ("AdamW", {}), ("RMSprop", {"centered": True, "momentum": 0.5}),
                              ("Adagrad", {}), ("Adadelta", {}), ("NAdam", {}), ("RAdam", {}), ("Adamax", {}), ("Rprop", {}),
                              ("ASGD", {}), ("LBFGS", {}))},
    **{f"scheduler {kind}": lambda torch, kind=kind, settings=settings: scheduled(torch, kind, **settings)
       for kind, settings in (("StepLR", {"step_size": 2}), ("MultiStepLR", {"milestones": [1, 2]}),
                              ("ExponentialLR", {"gamma": 0.9}), ("CosineAnnealingLR", {"T_max": 5}),
                              ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9}), ("LinearLR", {}),
                              ("LambdaLR", {"lr_lambda": lambda k: 0.5 ** k}))}}
# The archive, and the stream before it, from which PyTorch cannot read its own dtypes that are younger.
CASES = [(name, zipped) for name in OBJECTS for zipped in (True, False)
         if zipped or name not in ("dtype uint16", "dtype uint32", "dtype uint64")]


def describe(obj: Any, memories: dict[int, int]) -> Any:
    """`obj`, of minigrad or of PyTorch, in words and numbers that are equal for what is the same."""
    if type(obj).__name__ in ("Tensor", "Parameter", "Buffer"):
        buffer = getattr(obj, "_is_buffer", False) or type(obj).__name__ == "Buffer"
        place = obj.untyped_storage()
        notes = {k: v for k, v in obj.__dict__.items() if not k.startswith("_")}
        values = obj.detach().resolve_conj().tolist()
        return ("buffer" if buffer else type(obj).__name__, str(obj.dtype).split(".")[1], tuple(obj.shape), obj.stride(),
                obj.storage_offset(), obj.requires_grad, str(obj.device), values, notes,
                memories.setdefault(place.data_ptr(), len(memories)) if place.nbytes() else None, place.nbytes())
    if isinstance(obj, dict):
        return (type(obj).__name__, [(describe(k, memories), describe(v, memories)) for k, v in obj.items()],
                dict(getattr(obj, "_metadata", {})))
    if isinstance(obj, (list, tuple)):
        return type(obj).__name__, [describe(x, memories) for x in obj]
    if type(obj).__name__ in ("dtype", "layout", "device", "Device"):
        return type(obj).__name__.lower(), str(obj).split(".")[-1]
    return type(obj).__name__, obj


@pytest.mark.parity
@pytest.mark.parametrize(("name", "zipped"), CASES)
def test_what_pytorch_saves_is_the_same_here_and_back(name: str, zipped: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its schedulers, of its own files
        theirs = OBJECTS[name](torch)
        torch.save(theirs, tmp_path / "theirs.pt", _use_new_zipfile_serialization=zipped)
        again = torch.load(tmp_path / "theirs.pt", weights_only=True)
    ours = mg.load(tmp_path / "theirs.pt", map_location="cpu")
    assert describe(ours, {}) == describe(again, {})
    mapped = mg.load(tmp_path / "theirs.pt", mmap=True)
    assert describe(mapped, {}) == describe(again, {})
    mg.save(ours, tmp_path / "ours.pt", _use_new_zipfile_serialization=zipped)
    assert describe(torch.load(tmp_path / "ours.pt", weights_only=True), {}) == describe(again, {})


@pytest.mark.parity
@pytest.mark.parametrize(("name", "zipped"), CASES)
def test_what_minigrad_saves_is_the_same_in_pytorch(name: str, zipped: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = OBJECTS[name](mg)
    mg.save(ours, tmp_path / "ours.pt", _use_new_zipfile_serialization=zipped)
    expected = describe(mg.load(tmp_path / "ours.pt"), {})
    assert describe(torch.load(tmp_path / "ours.pt", weights_only=True), {}) == expected
    if zipped:
        assert describe(torch.load(tmp_path / "ours.pt", weights_only=True, mmap=True), {}) == expected
        assert torch.serialization.get_unsafe_globals_in_checkpoint(tmp_path / "ours.pt") == []


@pytest.mark.parity
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("case", [pytest.param(case, id=f"{name}-{k}") for name, cases in sorted(all_cases().items())
                                  for k, case in enumerate(cases)])
def test_layers_that_pytorch_saved_whole_compute_the_same(case: ModuleCase, zipped: bool) -> None:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = case.make(torch)
        except AttributeError:
            pytest.skip("PyTorch has no such layer")
        if isinstance(theirs, nn.Module) or "Lazy" in type(theirs).__name__:
            pytest.skip("the case is a model of minigrad's, or PyTorch saves it with functions of its own")
        if type(theirs).__name__ == "CrossMapLRN2d":
            pytest.skip("PyTorch's computes other numbers than its local_response_norm, which is the same")
        theirs = theirs.double().eval()
        file = io.BytesIO()
        torch.save(theirs, file, _use_new_zipfile_serialization=zipped)
        file.seek(0)
        ours = mg.load(file, weights_only=False)
        assert type(ours).__module__.startswith("minigrad.nn") and list(ours.state_dict()) == list(theirs.state_dict())
        inputs = [module_checks.each(x, lambda a: a.astype(np.float64) if a.dtype.kind == "f" else a) for x in case.inputs]
        expected = theirs(*[module_checks.each(x, torch.from_numpy) for x in inputs])
        found = ours(*[module_checks.each(x, mg.from_numpy) for x in inputs])
    for a, b in zip(module_checks.leaves(found), module_checks.leaves(expected)):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-6, atol=1e-8)


@pytest.mark.parity
@pytest.mark.parametrize("package", ["lpips", "silero_vad"])
def test_published_weights(package: str) -> None:
    torch = pytest.importorskip("torch")
    found = importlib.util.find_spec(package)
    if found is None:
        pytest.skip(f"{package} is not installed")
    files = [path for path in Path(next(iter(found.submodule_search_locations))).rglob("*") if path.suffix in (".pth", ".jit")]
    assert files
    for path in files:
        if path.suffix == ".jit":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch's, of its function
                theirs, ours = torch.jit.load(path).state_dict(), mg.jit.load(path).state_dict()
        else:
            theirs, ours = torch.load(path, map_location="cpu", weights_only=True), mg.load(path, map_location="cpu")
        assert [(k, v.shape, v.tolist()) for k, v in ours.items()] == [(k, v.shape, v.tolist()) for k, v in theirs.items()], path


@pytest.mark.parity
@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "LBFGS"])
def test_optimizers_that_pytorch_saved_whole_go_on(kind: str) -> None:
    torch = pytest.importorskip("torch")

    def step(torch: Any, parts: dict[str, Any]) -> None:
        def closure() -> Any:
            parts["optimizer"].zero_grad()
            loss = parts["model"](torch.ones(3, 2)).square().sum()
            loss.backward()
            return loss

        parts["optimizer"].step(closure)
        parts["schedule"].step()

    model = torch.nn.Linear(2, 2)
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=0.1)
    theirs = {"model": model, "optimizer": optimizer, "schedule": torch.optim.lr_scheduler.StepLR(optimizer, 1)}
    step(torch, theirs)
    file = io.BytesIO()
    torch.save(theirs, file)
    file.seek(0)
    ours = mg.load(file, weights_only=False)
    for _ in range(2):
        step(torch, theirs)
        step(mg, ours)
    np.testing.assert_allclose(ours["model"].weight.detach().numpy(), model.weight.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert ours["schedule"].get_last_lr() == theirs["schedule"].get_last_lr()
