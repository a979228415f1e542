"""The table of a model's layers: beside torchinfo's on PyTorch's models, and that a model is afterwards what it was."""

from __future__ import annotations

import re
from typing import Any, Callable

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.viz import summary

ALL = ("input_size", "output_size", "num_params", "params_percent", "kernel_size", "mult_adds", "trainable")


def lenet(nn: Any) -> Any:
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16),
                         nn.Sequential(nn.Flatten(), nn.Linear(1600, 120), nn.Dropout(), nn.Linear(120, 10)))


def shared(nn: Any) -> Any:
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.Tanh(), layer, nn.Linear(4, 1))


def frozen(nn: Any) -> Any:
    model = lenet(nn)
    for p in list(model.parameters())[:3]:
        p.requires_grad_(False)
    return model


def listed(nn: Any) -> Any:
    class Listed(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(3)])
            self.heads = nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Linear(4, 3)})
            self.unused = nn.Linear(7, 7)
            self.scale = nn.Parameter(self.unused.weight.detach()[0].clone())

        def forward(self, x: Any, y: Any = None) -> Any:
            for block in self.blocks:
                x = block(x)
            return self.heads["a"](x), self.heads["b"](x if y is None else y)

    return Listed()


MODELS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "lenet": (lenet, (4, 1, 28, 28)), "shared": (shared, (2, 4)), "frozen": (frozen, (4, 1, 28, 28)),
    "listed": (listed, (2, 4)), "two inputs": (listed, [(2, 4), (2, 4)]),
    "lstm": (lambda nn: nn.LSTM(3, 4, 2), (5, 2, 3)), "linear": (lambda nn: nn.Linear(3, 4), (2, 3)),
    "conv1d": (lambda nn: nn.Sequential(nn.Conv1d(2, 3, 3), nn.ConvTranspose1d(3, 2, 3)), (2, 2, 9)),
    "encoder": (lambda nn: nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 8), nn.GELU()), (2, 3, 4))}


@pytest.mark.parity
@pytest.mark.parametrize("options", [{}, {"depth": 1}, {"col_names": ALL, "verbose": 2}, {"col_names": ALL, "depth": 2},
                                     {"row_settings": ("var_names", "ascii_only")},
                                     {"row_settings": ("depth", "hide_recursive_layers"), "col_width": 16}], ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_the_table_is_torchinfos(name: str, options: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    torchinfo = pytest.importorskip("torchinfo", reason="compares with torchinfo, which is not installed")
    make, size = MODELS[name]
    theirs = str(torchinfo.summary(make(torch.nn), size, **options))
    units = {"Units.TERABYTES": "T", "Units.GIGABYTES": "G", "Units.MEGABYTES": "M"}
    theirs = re.sub(r"Units\.\w+", lambda m: units[m[0]], theirs)
    ours = str(summary(make(nn), size, **options))
    if name == "shared":  # which theirs calls by its last name, and ours by its first
        ours = ours.replace("Linear (0)", "Linear (2)")
    if name in ("listed", "two inputs"):  # the memory of parameters that a module holds itself counts here
        theirs, ours = (re.sub(r"(Params|Total) (size|Size) .*", "", text) for text in (theirs, ours))
    assert ours == theirs
    capsys.readouterr()


def test_a_model_that_is_not_run_shows_its_parameters() -> None:
    found = summary(lenet(nn), verbose=0)
    assert found.total_params == sum(p.numel() for p in lenet(nn).parameters()) and "Mult-Adds" not in str(found)
    assert [row.class_name for row in found.summary_list][:3] == ["Sequential", "Conv2d", "ReLU"]


def test_the_model_and_what_is_random_are_afterwards_as_before() -> None:
    model = lenet(nn).train()
    model[4].eval()
    hooks = model[0].register_forward_hook(lambda *_: None)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    mg.manual_seed(3)
    expected = mg.rand(2)
    mg.manual_seed(3)
    summary(model, (4, 1, 28, 28), mode="train", verbose=0)
    assert mg.equal(mg.rand(2), expected)
    assert all(mg.equal(before[name], t) for name, t in model.state_dict().items())
    assert [m.training for m in model] == [True] * 4 + [False, True]
    assert [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()][:3] == [0, 1, 0]
    assert all(p.grad is None for p in model.parameters())
    hooks.remove()


def test_inputs_are_given_in_every_form() -> None:
    model = listed(nn)
    x = mg.ones(2, 4)
    for data in (x, [x], (x, x), {"x": x}, {"x": x, "y": x}, x.numpy()):
        assert summary(model, input_data=data, verbose=0).total_mult_adds > 0
    assert summary(model, input_data=x, verbose=0, y=x).summary_list[0].output_size == [2, 2]
    embedding = summary(nn.Embedding(5, 3), (2, 4), dtypes=[mg.int64], verbose=0)
    assert embedding.summary_list[0].output_size == [2, 4, 3]
    assert summary(nn.Linear(3, 1), (3,), batch_dim=0, verbose=0).summary_list[0].output_size == [1, 1]


def test_lazy_and_pruned_layers_count_what_there_is() -> None:
    lazy = nn.Sequential(nn.LazyLinear(4), nn.LazyLinear(2))
    assert summary(lazy, verbose=0).total_params == 0
    assert summary(lazy, (2, 3), verbose=0).total_params == 3 * 4 + 4 + 4 * 2 + 2
    layer = nn.Linear(4, 4)
    nn.utils.prune.l1_unstructured(layer, "weight", amount=6)
    assert summary(layer, verbose=0).total_params == 10 + 4


def test_a_shared_layer_is_named_by_what_calls_it() -> None:
    layer = nn.Linear(4, 4)
    found = summary(nn.Sequential(layer, nn.Sequential(nn.Tanh(), layer)), (1, 4), verbose=0)
    assert [(row.class_name, row.var_name, row.depth, row.is_recursive) for row in found.summary_list][1:] == [
        ("Linear", "0", 1, False), ("Sequential", "1", 1, False), ("Tanh", "0", 2, False), ("Linear", "1", 2, True)]
    assert found.total_params == 20 and found.total_mult_adds == 40


def test_a_shared_parameter_counts_once_in_the_total() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    assert summary(model, verbose=0).total_params == 9 + 3 + 3


def test_it_prints_unless_told_not_to(capsys: pytest.CaptureFixture[str]) -> None:
    found = mg.summary(nn.Linear(1, 1))
    assert capsys.readouterr().out == f"{found}\n"
    summary(nn.Linear(1, 1), verbose=0)
    assert capsys.readouterr().out == ""


def test_what_fails_says_what_had_run() -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2") as caught:
        summary(nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 1)), (2, 3))
    assert any("these had run: Linear (0)" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(("options", "error", "match"), [
    ({"input_size": (1, 3), "input_data": mg.ones(1, 3)}, RuntimeError, "Only one of"),
    ({"col_names": ["output_size"]}, ValueError, "need a run of the model"),
    ({"col_names": ["size"]}, ValueError, "'col_names' has 'size', but there are input_size"),
    ({"row_settings": ["names"]}, ValueError, "'row_settings' has 'names'"),
    ({"input_size": (0, 3)}, ValueError, "sizes greater than 0"),
    ({"input_size": 3}, ValueError, "must be the shape"),
    ({"input_size": (1, 3), "dtypes": [mg.float32] * 2}, ValueError, "2 dtypes for 1 input"),
    ({"mode": "test"}, ValueError, "'eval' or 'train'"), ({"verbose": 3}, ValueError, "'verbose' must be 0")])
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        summary(nn.Linear(3, 1), **options)
    with pytest.raises(TypeError, match="must be a Module"):
        summary(mg.ones(1))  # type: ignore[arg-type]
