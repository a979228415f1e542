"""Models in onnxruntime: what they compute, sizes that are dynamic, what stands in the file, and what is refused."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad._pytree import tree_leaves
from minigrad.nn import functional as F
from minigrad.onnx import exporting
from minigrad.onnx.errors import OnnxExporterError, UnsupportedOperatorError
from minigrad.vision import models
from tests.onnx.models import GPT, Speller, mlp

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

CLOSE = 1e-5


def check(model: Any, args: Any, *others: Any, **options: Any) -> Any:
    """Export a model, and compare what onnxruntime computes on `args` and on `others`, of other sizes, with the model."""
    program = mg.onnx.export(model, args, **options)
    onnx.checker.check_model(program.model_proto, full_check=True)
    onnx.shape_inference.infer_shapes(program.model_proto, check_type=True, strict_mode=True)
    if isinstance(model, nn.Module):
        model = model.eval()
    for given in (args, *others):
        given = given if isinstance(given, tuple) else (given,)
        with mg.no_grad():
            wanted = [x for x in tree_leaves(model(*given)) if isinstance(x, mg.Tensor)]
        found = program(*[x for x in tree_leaves(given) if isinstance(x, mg.Tensor)])
        assert len(wanted) == len(found)
        for a, b in zip(wanted, found):
            assert a.shape == b.shape and a.dtype is b.dtype
            scale = float(np.abs(a.numpy()).max(initial=0)) if a.is_floating_point() else 0
            assert np.abs(a.numpy().astype(np.float64) - b.numpy()).max(initial=0) <= CLOSE * scale
    return program


def types_in(program: Any) -> list[str]:
    return [node.op_type for node in program.model_proto.graph.node]


# ---------------------------------------------------------------------------------------------------- models

def test_an_mlp_is_three_nodes_with_the_names_of_its_modules() -> None:
    graph = check(mlp(), mg.randn(2, 4), mg.randn(7, 4), dynamic_axes={"input": {0: "batch"}}).model_proto.graph
    assert [node.name for node in graph.node] == ["/0/Gemm", "/1/Relu", "/2/Gemm"]
    assert [x.name for x in graph.initializer] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert "container.py" not in graph.node[0].doc_string and "test_export.py" in graph.node[0].doc_string
    assert [d.dim_param or d.dim_value for d in graph.output[0].type.tensor_type.shape.dim] == ["batch", 3]


def test_lenet() -> None:
    model = models.lenet5() if hasattr(models, "lenet5") else nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 10))
    size = 28 if isinstance(model, nn.Sequential) else 32
    check(model, mg.randn(1, 1, size, size), mg.randn(3, 1, size, size), dynamic_shapes=({0: "batch"},))


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "squeezenet1_1"])
def test_models_of_images(name: str) -> None:
    mg.manual_seed(0)
    program = check(getattr(models, name)(), mg.randn(1, 3, 64, 64), mg.randn(2, 3, 64, 64), dynamic_axes={"x": {0: "batch"}})
    assert name.startswith("squeeze") or "BatchNormalization" in types_in(program) and "Pow" not in types_in(program)


def test_an_lstm_with_its_state() -> None:
    check(Speller(), mg.randint(0, 11, (3, 5)), mg.randint(0, 11, (4, 5)), dynamic_axes={"letters": {0: "batch"}},
          output_names=["scores", "h", "c"])


@pytest.mark.parametrize("layer", [nn.GRU(3, 4, bidirectional=True), nn.RNN(3, 4, nonlinearity="relu")])
def test_recurrent_layers(layer: Any) -> None:
    check(layer, mg.randn(5, 2, 3), mg.randn(5, 3, 3), dynamic_axes={"input": {1: "batch"}})


@pytest.mark.parametrize("fused", [False, True])
def test_a_gpt_of_any_batch_and_length(fused: bool) -> None:
    both = {"text": {0: "batch", 1: "length"}}
    program = check(GPT(fused), mg.randint(0, 13, (2, 8)), mg.randint(0, 13, (3, 11)), mg.randint(0, 13, (1, 1)),
                    dynamic_axes=both)
    assert "LayerNormalization" in types_in(program)
    check(GPT(fused), mg.randint(0, 13, (1, 16)), mg.randint(0, 13, (3, 11)), dynamic_axes=both)  # cannot be made longer


def test_a_transformer() -> None:
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    check(encoder, mg.randn(2, 5, 8), mg.randn(3, 7, 8), dynamic_axes={"src": {0: "batch", 1: "length"}})


@pytest.mark.parametrize(("layer", "shape", "other"), [
    (nn.Sequential(nn.Conv2d(1, 2, 3, 2, 1), nn.MaxPool2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)),
     (1, 1, 16, 16), (2, 1, 23, 19)),
    (nn.ConvTranspose2d(1, 3, 3, 2, 1, output_padding=1), (1, 1, 5, 5), (3, 1, 7, 6)),
    (nn.MaxPool2d(3, 2, ceil_mode=True), (2, 1, 6, 6), (2, 1, 7, 9)),
    (nn.PixelShuffle(2), (1, 4, 5, 5), (3, 4, 7, 6)),
    (nn.GroupNorm(2, 4), (2, 4, 5, 3), (3, 4, 6, 2)),
    (nn.InstanceNorm2d(4, affine=True), (2, 4, 5, 3), (3, 4, 6, 2)),
    (nn.LocalResponseNorm(3), (2, 4, 5, 3), (3, 4, 6, 2)),
    (nn.ZeroPad2d(1), (2, 4, 5, 3), (3, 4, 6, 2))])
def test_layers_of_images_of_any_size(layer: Any, shape: Any, other: Any) -> None:
    check(layer, mg.randn(shape), mg.randn(other), dynamic_axes={"input": {0: "batch", 2: "height", 3: "width"}})


@pytest.mark.parametrize("layer", [
    nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.AdaptiveAvgPool2d((3, 2)),
    nn.AvgPool2d(3, 2, 1, ceil_mode=True), nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.ReflectionPad2d(1), nn.Unfold(2)])
def test_layers_of_images_of_any_number(layer: Any) -> None:
    check(layer, mg.randn(1, 2, 6, 5), mg.randn(3, 2, 6, 5), dynamic_axes={"input": {0: "batch"}})


# ---------------------------------------------------------------------------------------------------- programs

def write_into_views(x: Any) -> Any:
    y = x.clone()
    flat = y.view(-1)
    y[:, 0] = 0
    y[0] += x[1]
    flat.mul_(2)
    y[:, 1:].relu_()
    return y, flat


def fill_rows(x: Any) -> Any:
    out = mg.zeros(x.size(0), 3)
    for k in range(3):
        out[:, k] = x[:, k] * k
    out[:, 2].fill_(1.5)
    return out


@pytest.mark.parametrize("program", [
    write_into_views, fill_rows,
    lambda x: x / x.size(0) + x.shape[0],
    lambda x: x[mg.arange(x.size(0)), x.argmax(1)],
    lambda x: x[x > 0],
    lambda x: mg.where(x > 0, x, 0.0),
    lambda x: mg.einsum("bi,kj->bikj", x, x),
    lambda x: (x.cumsum(0), x.std(0), x.var(), x.norm(), x.sort(0), x.topk(2, dim=1)),
    lambda x: x.repeat(2, 1, 1).flatten(),
    lambda x: x.new_zeros(x.shape[0], 2 * x.shape[1]) + mg.cat([x, x.flip(0)], 1),
    lambda x: (x.detach().numpy().shape[0] * x, x.T, x.data),
    lambda x: F.one_hot(x.argmax(1), 4).float() @ x.T,
    lambda x: x.masked_fill(mg.ones(x.size(0), 4, dtype=mg.bool).triu(1), 7.0),
    lambda x: F.pad(x, (1, 2)).unfold(1, 3, 2)])
def test_programs_of_any_batch(program: Any) -> None:
    check(program, mg.randn(3, 4), mg.randn(5, 4), dynamic_axes={"x": {0: "batch"}})


def test_a_batch_of_one_is_no_special_case() -> None:
    check(lambda x, y: x + y.sum(0, keepdim=True), (mg.randn(1, 4), mg.randn(1, 4)), (mg.randn(3, 4), mg.randn(5, 4)),
          dynamic_axes={"x": {0: "a"}, "y": {0: "b"}})


def test_index_tensors_that_are_inputs() -> None:
    check(lambda x, places: x[places], (mg.randn(7, 4), mg.tensor([1, 2, 5])), (mg.randn(7, 4), mg.tensor([6, 0])),
          dynamic_axes={"places": [0]})


def test_booleans_and_integers() -> None:
    attention = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    axes = {0: "batch", 1: "length"}
    check(lambda x, mask: attention(x, x, x, key_padding_mask=mask),
          (mg.randn(2, 5, 8), mg.tensor([[False] * 5, [False] * 3 + [True] * 2])), (mg.randn(3, 4, 8), mg.zeros(3, 4).bool()),
          dynamic_axes={"x": axes, "mask": axes})
    check(lambda n: (n // 3, n % 3, n * 2 > 5, n.float().mean()), mg.arange(-4, 5))


def test_inputs_in_containers() -> None:
    cell = nn.LSTMCell(3, 4)
    check(cell, (mg.randn(2, 3), (mg.zeros(2, 4), mg.zeros(2, 4))), (mg.randn(3, 3), (mg.ones(3, 4), mg.zeros(3, 4))),
          dynamic_shapes={"input": {0: "b"}, "hx": [{0: "b"}, {0: "b"}]})
    program = mg.onnx.export(lambda batch, scale=1: {"a": batch["u"] * scale, "b": [batch["v"]]},
                             ({"u": mg.ones(2), "v": mg.arange(3)},), kwargs={"scale": 3})
    graph = program.model_proto.graph
    assert [x.name for x in graph.input] == ["batch_u", "batch_v"] and [x.name for x in graph.output] == ["output_0", "output_1"]
    assert program(mg.ones(2), mg.arange(3))[0].tolist() == [3, 3]


def test_a_dictionary_that_comes_last_holds_arguments_by_name() -> None:
    layer = nn.Bilinear(2, 2, 1)
    program = mg.onnx.export(layer, (mg.ones(1, 2), {"input2": mg.ones(1, 2)}))
    assert [x.name for x in program.model_proto.graph.input] == ["input1", "input2"]


# ---------------------------------------------------------------------------------------------------- the file

def test_files_and_streams(tmp_path: Path) -> None:
    model, x = mlp(), mg.randn(2, 4)
    mg.onnx.export(model, x, tmp_path / "m.onnx", input_names=["x"], output_names=["y"])
    mg.onnx.export(model, x, stream := io.BytesIO(), input_names=["x"], output_names=["y"])
    assert os.listdir(tmp_path) == ["m.onnx"]
    for source in (str(tmp_path / "m.onnx"), stream.getvalue()):
        session = onnxruntime.InferenceSession(source)
        np.testing.assert_allclose(session.run(["y"], {"x": x.numpy()})[0], model(x).detach().numpy(), 1e-5, 1e-6)


def test_large_weights_go_into_a_file_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "LARGEST_FILE", 1000)
    model, x = nn.Linear(40, 40), mg.randn(2, 40)
    mg.onnx.export(model, x, tmp_path / "m.onnx")
    assert sorted(os.listdir(tmp_path)) == ["m.onnx", "m.onnx.data"]
    found = onnxruntime.InferenceSession(str(tmp_path / "m.onnx")).run(None, {"input": x.numpy()})[0]
    np.testing.assert_allclose(found, model(x).detach().numpy(), 1e-5, 1e-6)
    with pytest.raises(OnnxExporterError, match="larger than the 2 GB"):
        mg.onnx.export(model, x, tmp_path / "n.onnx", external_data=False)


@pytest.mark.parametrize("opset", [17, 18, 20, 21])
def test_opsets(opset: int) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.GELU(), nn.Flatten(), nn.LayerNorm(8), nn.Softmax(-1))
    program = check(model, mg.randn(2, 1, 4, 4), opset_version=opset)
    assert [(x.domain, x.version) for x in program.model_proto.opset_import] == [("", opset)]


def test_parameters_may_be_inputs() -> None:
    model, x = mlp(), mg.randn(2, 4)
    graph = mg.onnx.export(model, x, export_params=False).model_proto.graph
    assert [i.name for i in graph.input] == ["input", *model.state_dict()] and not graph.initializer
    graph = mg.onnx.export(model, x, keep_initializers_as_inputs=True).model_proto.graph
    assert len(graph.input) == 5 and len(graph.initializer) == 4


def test_a_model_is_exported_for_use_and_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.BatchNorm1d(3))
    model[0].eval()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    assert types_in(mg.onnx.export(model, mg.randn(4, 3))) == ["Gemm", "BatchNormalization"]
    mg.onnx.export(model[2:], mg.randn(4, 3), training=mg.onnx.TrainingMode.TRAINING)
    assert [m.training for m in model] == [False, True, True] and model.training
    assert all(mg.equal(t, before[name]) for name, t in model.state_dict().items())
    assert model[0].weight.requires_grad and model(mg.randn(4, 3)).requires_grad and not mg.onnx.is_in_onnx_export()


def test_the_model_knows_that_it_is_exported() -> None:
    seen = []
    mg.onnx.export(lambda x: (seen.append(mg.onnx.is_in_onnx_export()), x + 1)[1], mg.ones(2))
    assert set(seen) == {True}


def test_what_depends_on_no_input_is_written_as_its_value() -> None:
    model = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    folded, whole = check(model, mg.randn(4, 3)), check(model, mg.randn(4, 3), do_constant_folding=False)
    assert types_in(folded) == ["Gemm"] and len(types_in(whole)) > 3


@pytest.mark.parametrize("dtype", [mg.float16, mg.bfloat16, mg.float64])
def test_dtypes(dtype: Any) -> None:
    program = mg.onnx.export(nn.Linear(3, 4).to(dtype), mg.ones(2, 3, dtype=dtype))
    onnx.checker.check_model(program.model_proto, full_check=True)
    held = onnx.helper.tensor_dtype_to_np_dtype(program.model_proto.graph.initializer[0].data_type)
    assert held == mg.ones(1, dtype=dtype).array.dtype


def test_the_export_is_compared_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    mg.onnx.export(mlp(), mg.ones(2, 4), verify=True)
    monkeypatch.setitem(exporting.TABLE, "relu", exporting.TABLE["neg"])
    with pytest.warns(UserWarning, match="output 0, of dtype minigrad.float32, differs in onnxruntime by up to"):
        mg.onnx.export(mlp(), mg.ones(2, 4), verify=True)


def test_the_ordinary_call_path_does_not_know_of_watchers() -> None:
    mg.onnx.export(mlp(), mg.ones(2, 4))
    assert "show_call" not in mg.relu.source and "show_call" not in mg.add.source


# ---------------------------------------------------------------------------------------------------- refusals

@pytest.mark.parametrize(("program", "error", "match"), [
    (lambda x: mg.linalg.inv(x), UnsupportedOperatorError, r"linalg.inv \(the operation 'linalg_inv'\) at .*test_export.py:\d+"),
    (lambda x: mg.fft.fft(x).abs(), UnsupportedOperatorError, r"fft .*at .*test_export.py:\d+"),
    (lambda x: x * x.sum().item(), OnnxExporterError, r"mul at .*.py:\d+: a number .* from .item"),
    (lambda x: x + mg.from_numpy(x.numpy() + 1), OnnxExporterError, r"add at .*: a tensor of shape \[3, 3\] .* came from NumPy"),
    (lambda x: x * 2 if x[0, 0] > x[-1, -1] else x - 1, OnnxExporterError, r"depends on the values .* (mul|sub) at .*export"),
    (lambda x: F.dropout(x), OnnxExporterError, "or is random")])
def test_what_a_file_cannot_hold_is_refused(program: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        mg.onnx.export(program, mg.arange(9.0).view(3, 3) + mg.eye(3))


@pytest.mark.parametrize(("program", "match"), [
    (lambda x: sum([x[k] for k in range(len(x))]), r"(?s)sizes of the inputs: on other inputs, .* holds one way only"),
    (lambda x: x + mg.from_numpy(np.arange(len(x) * 3.0).reshape(-1, 3) ** 2), r"has shape \[4, 3\]"),
    (lambda x: x.reshape(3, 3), r"'batch' is to be dynamic, but the model cannot be called with another size of it than 3"),
    (lambda x: x * math_of(len(x)), r"mul at .*: a number is 0.577.* arithmetic on sizes")])
def test_dynamic_axes_that_cannot_be_followed_are_refused(program: Any, match: str) -> None:
    with pytest.raises(OnnxExporterError, match=match):
        mg.onnx.export(program, mg.ones(3, 3), dynamic_axes={"x": {0: "batch"}})


def math_of(n: int) -> float:
    return float(n ** -0.5)


def test_arguments_are_looked_at() -> None:
    with pytest.raises(ValueError, match="opset_version must be a number from 7"):
        mg.onnx.export(mlp(), mg.ones(2, 4), opset_version=3)
    with pytest.raises(ValueError, match=r"dynamic_axes names 'y', which is none of the inputs, \['input'\], .*\['output'\]"):
        mg.onnx.export(mlp(), mg.ones(2, 4), dynamic_axes={"y": {0: "n"}})
    with pytest.raises(ValueError, match=r"axis 5 of 'input' is to be dynamic, but its shape is \[2, 4\]"):
        mg.onnx.export(mlp(), mg.ones(2, 4), dynamic_axes={"input": {5: "n"}})
    with pytest.raises(ValueError, match="axes of one name have one size"):
        mg.onnx.export(mlp(), mg.ones(2, 4), dynamic_axes={"input": {0: "n", 1: "n"}})
    with pytest.raises(TypeError, match="must hold the tensors"):
        mg.onnx.export(mlp(), ())
    with pytest.raises(TypeError, match="must be a Module or a function"):
        mg.onnx.export(3, mg.ones(2, 4))
    with pytest.raises(TypeError, match="unexpected keyword argument 'strict'"):
        mg.onnx.export(mlp(), mg.ones(2, 4), strict=True)
    with pytest.raises(RuntimeError, match="mat1 and mat2|linear"):  # what is wrong with the model itself
        mg.onnx.export(mlp(), mg.ones(1, 5), dynamic_axes={"input": [0]})


# ---------------------------------------------------------------------------------------------------- as torch.onnx

ENLARGE = "import torch; import torch.onnx; from torch import nn\n" + """
class Enlarge(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.first = nn.Conv2d(1, 8, (5, 5), (1, 1), (2, 2))
        self.second = nn.Conv2d(8, factor ** 2, (3, 3), (1, 1), (1, 1))
        self.shuffle = nn.PixelShuffle(factor)
        nn.init.orthogonal_(self.first.weight, nn.init.calculate_gain("relu"))

    def forward(self, x):
        return self.shuffle(self.second(torch.relu(self.first(x))))

model = Enlarge(3).eval()
x = torch.randn(1, 1, 12, 12, requires_grad=True)
torch.onnx.export(model, x, "enlarge.onnx", export_params=True, opset_version=10, do_constant_folding=True,
                  input_names=["input"], output_names=["output"],
                  dynamic_axes={"input": {0: "batch_size"}, "output": {0: "batch_size"}})
import onnxruntime
session = onnxruntime.InferenceSession("enlarge.onnx", providers=["CPUExecutionProvider"])
y = torch.randn(2, 1, 12, 12)
found = session.run(None, {"input": y.numpy()})[0]
print(found.shape, float(abs(found - model(y).detach().numpy()).max()) < 1e-5)
"""


def test_a_program_of_pytorch_that_exports(tmp_path: Path) -> None:
    """A network that enlarges images, exported for an old opset under the name of torch.onnx."""
    (tmp_path / "program.py").write_text(ENLARGE)
    ran = subprocess.run([sys.executable, "-m", "minigrad", "run-torch", "program.py"], cwd=tmp_path, capture_output=True,
                         text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert ran.stdout.split("\n")[0] == "(2, 1, 36, 36) True", ran.stderr
    assert "cannot be brought to opset 10, and has opset 17" in ran.stderr


def test_without_the_library_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx.defs", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r'pip install "minigrad-numpy\[onnx\]"'):
        mg.onnx.export(mlp(), mg.ones(2, 4))
    monkeypatch.delitem(sys.modules, "onnx.defs")
    with pytest.raises(ImportError, match=r'onnxruntime, .*pip install "minigrad-numpy\[onnx\]"'):
        mg.onnx.export(mlp(), mg.ones(2, 4))(mg.ones(2, 4))
