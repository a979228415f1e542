"""What SummaryWriter writes, read back: by tensorboardX's own messages, by TensorBoard where it is installed, and compared with
what PyTorch's writes."""

from __future__ import annotations

import importlib
import io
import struct
import wave
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

pytest.importorskip("tensorboardX", reason="SummaryWriter needs tensorboardX, which is not installed")

from minigrad.utils.tensorboard import SummaryWriter  # noqa: E402


def read_file(file: Path) -> list[Any]:
    """The records of a file: each is its length, a checksum, a message and a checksum."""
    from tensorboardX.proto.event_pb2 import Event
    events = []
    data, place = file.read_bytes(), 0
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        events.append(Event.FromString(data[place + 12:place + 12 + length]))
        place += length + 16
    return events


def read_events(folder: Path) -> list[Any]:
    """The records of a folder and of those below it."""
    return [event for file in sorted(folder.rglob("*tfevents*")) for event in read_file(file)]


def values(folder: Path) -> dict[str, Any]:
    return {value.tag: value for event in read_events(folder) for value in event.summary.value}


# ---------------------------------------------------------------------------------------------------- values

def test_tensors_are_written_as_their_values(tmp_path: Path) -> None:
    w = mg.tensor([1.0, 2.0, 2.5], requires_grad=True)
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", (w * w).sum(), 3)
        writer.add_scalars("both/losses", {"a": mg.tensor(1.0), "b": 2.0}, 3)
        writer.add_histogram("half", w.detach().half(), 3)
        writer.add_histogram("low", w.bfloat16(), 3)
        writer.add_histogram("weights", w, 3)
        writer.add_histogram_raw("raw", 0.0, 1.0, 3, 2.0, 1.5, [0.5, 1.0], [1, 2], 3)
        writer.add_image("image", mg.rand(3, 4, 5), 3)
        writer.add_images("images", mg.rand(2, 3, 4, 5), 3)
        writer.add_text("words", "hello", 3)
        writer.add_embedding(mg.randn(4, 3), metadata=["a", "b", "c", "d"], label_img=mg.rand(4, 3, 6, 6), global_step=3)
        writer.add_pr_curve("curve", mg.tensor([0, 1, 1]), mg.tensor([0.1, 0.6, 0.9]), 3)
        writer.add_tensor("kept", w, 3)
        assert writer.get_logdir() == writer.log_dir == str(tmp_path)
    found = values(tmp_path)
    assert found["loss"].simple_value == 11.25
    assert all(found[tag].histo.num == 3 and found[tag].histo.sum == 5.5 for tag in ("weights", "half", "low"))
    assert [*found["raw"].histo.bucket] == [1, 2]
    assert (found["image"].image.height, found["image"].image.width, found["image"].image.colorspace) == (4, 5, 3)
    assert found["words/text_summary"].tensor.string_val == [b"hello"]
    assert [*found["kept"].tensor.float_val] == [1.0, 2.0, 2.5] and {"images", "curve"} <= {*found}
    assert np.loadtxt(next(tmp_path.rglob("tensors.tsv"))).shape == (4, 3)
    assert next(tmp_path.rglob("metadata.tsv")).read_text().split() == ["a", "b", "c", "d"] and list(tmp_path.rglob("sprite.png"))
    for folder, number in (("both_losses_a", 1.0), ("both_losses_b", 2.0)):
        assert values(tmp_path / folder)["both/losses"].simple_value == number


@pytest.mark.parametrize("image", [mg.rand(3, 4, 5), mg.rand(1, 4, 5), (mg.rand(3, 4, 5) * 255).byte(), mg.rand(3, 4, 5).half()])
def test_an_image_is_what_it_was(tmp_path: Path, image: mg.Tensor) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="needs Pillow")
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("chw", image)
        writer.add_image("hwc", image.permute(1, 2, 0), dataformats="HWC")
        writer.add_image("hw", image[0], dataformats="HW")
        writer.add_images("nchw", mg.stack([image, image]))
    expected = image if image.dtype is mg.uint8 else (image.float() * 255).byte()
    expected = expected.expand(3, 4, 5).permute(1, 2, 0)
    for tag in ("chw", "hwc"):
        shown = np.asarray(pillow.open(io.BytesIO(values(tmp_path)[tag].image.encoded_image_string)).convert("RGB"))
        np.testing.assert_array_equal(shown, expected.numpy())
    assert (values(tmp_path)["hw"].image.height, values(tmp_path)["nchw"].image.width) == (4, 10)


def test_figures(tmp_path: Path) -> None:
    plots = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib")
    importlib.import_module("matplotlib").use("agg")
    with SummaryWriter(tmp_path) as writer:
        figure = plots.figure(figsize=(2, 1), dpi=50)
        figure.gca().plot(mg.rand(3, requires_grad=True))
        writer.add_figure("figure", figure, 1)
        assert not plots.fignum_exists(figure.number)
    assert (values(tmp_path)["figure"].image.width, values(tmp_path)["figure"].image.height) == (100, 50)


def test_sounds_and_films(tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="needs Pillow")
    sound = mg.linspace(-1, 1, 50)[None]
    with SummaryWriter(tmp_path) as writer:
        writer.add_audio("sound", sound, 1, sample_rate=8000)
        writer.add_video("film", mg.rand(3, 4, 3, 8, 6), 1, fps=2)
        with pytest.warns(UserWarning, match="amplitudes beyond -1 and 1 are cut off"):
            writer.add_audio("loud", sound * 2)
        with pytest.raises(RuntimeError, match=r"expected a sound of shape \(1, L\), got \[2, 5\]"):
            writer.add_audio("wrong", mg.zeros(2, 5))
        with pytest.raises(RuntimeError, match=r"expected films of shape \(N, T, C, H, W\) with 1 or 3 colours, got \[3, 4\]"):
            writer.add_video("wrong", mg.zeros(3, 4))
    found = values(tmp_path)
    with wave.open(io.BytesIO(found["sound"].audio.encoded_audio_string)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        heard = np.frombuffer(file.readframes(50), "<i2")
    np.testing.assert_allclose(heard / 32767, sound[0].numpy(), atol=1e-4)
    film = pillow.open(io.BytesIO(found["film"].image.encoded_image_string))
    assert (film.n_frames, film.size, film.info["duration"]) == (4, (18, 8), 500)  # three, of eight by six, in a row


def test_settings_beside_what_came_of_them(tmp_path: Path) -> None:
    messages = importlib.import_module("tensorboardX.proto.plugin_hparams_pb2").HParamsPluginData
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_hparams({"lr": mg.tensor(0.5), "layers": 2, "act": "relu", "bias": True}, {"accuracy": mg.tensor(0.75)},
                           {"act": ["relu", "tanh"]}, run_name="first", global_step=7)
        for wrong, words in (({"lr": [1]}, "'lr' should be one of int, float, str, bool"), ({"lr": mg.ones(2)}, "not Tensor")):
            with pytest.raises(ValueError, match=words):
                writer.add_hparams(wrong, {})
        with pytest.raises(ValueError, match="add_hparams: expected one number, got 2"):
            writer.add_hparams({}, {"accuracy": mg.ones(2)})
        with pytest.raises(TypeError, match="should be dictionary"):
            writer.add_hparams([], {})  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"hparam_domain_discrete\[lr\] should be a list of same type"):
            writer.add_hparams({"lr": 0.1}, {}, {"lr": ["much"]})
    assert [folder.name for folder in tmp_path.iterdir() if folder.is_dir()] == ["first"]
    found = values(tmp_path / "first")
    assert found["accuracy"].simple_value == 0.75
    experiment = messages.FromString(found["_hparams_/experiment"].metadata.plugin_data.content).experiment
    tried = {info.name: [value.string_value for value in info.domain_discrete.values] for info in experiment.hparam_infos}
    assert tried == {"lr": [], "layers": [], "act": ["relu", "tanh"], "bias": []}
    start = messages.FromString(found["_hparams_/session_start_info"].metadata.plugin_data.content).session_start_info
    assert start.hparams["lr"].number_value == 0.5 and start.hparams["act"].string_value == "relu"
    assert start.hparams["bias"].bool_value
    assert {event.step for event in read_events(tmp_path / "first") if event.summary.value} == {7}


def test_one_number_is_wanted(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(ValueError, match=r"add_scalar: expected one number, got 3 of shape \[3\]; index one of them"):
            writer.add_scalar("loss", mg.ones(3))
        with pytest.raises(ValueError, match="could not convert string to float"):
            writer.add_scalar("loss", "much")
        for number in (2, 2.0, True, np.float32(2), np.ones(1), mg.ones(1, 1), mg.tensor(2), mg.tensor(2.0).bfloat16()):
            writer.add_scalar("loss", number)


def test_images_and_histograms_say_what_they_lack(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        for call, shape in ((writer.add_image, (8, 8)), (writer.add_image, (8, 8, 3)), (writer.add_images, (3, 8, 8))):
            with pytest.raises(ValueError, match=rf"{call.__name__}: expected dimensions N?CHW, .* got shape \[{shape[0]}"):
                call("x", mg.ones(*shape))
        writer.add_image("x", mg.ones(8, 8), dataformats="HW")
        writer.add_image("x", np.ones((8, 8, 3)), dataformats="HWC")
        writer.add_images("x", mg.ones(2, 8, 8, 1), dataformats="NHWC")
        for empty in (mg.tensor([float("nan")] * 2), mg.tensor([float("inf")]), mg.tensor([])):
            with pytest.raises(ValueError, match="add_histogram: 'weights' has no finite number"):
                writer.add_histogram("weights", empty)
        writer.add_histogram("weights", mg.arange(3))
    assert [v.tag for event in read_events(tmp_path) for v in event.summary.value] == ["x"] * 3 + ["weights"]


def test_what_a_crashed_run_wrote_is_hidden(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, purge_step=5, filename_suffix=".again") as writer:
        writer.add_scalar("loss", 1.0, 5)
    assert [event.step for event in read_events(tmp_path) if event.HasField("session_log")] == [5]
    assert all(file.name.endswith(".again") for file in tmp_path.iterdir())


# ---------------------------------------------------------------------------------------------------- graphs

def graph_of(folder: Path) -> dict[str, Any]:
    GraphDef = importlib.import_module("tensorboardX.proto.graph_pb2").GraphDef
    (graph,) = [GraphDef.FromString(e.graph_def) for e in read_events(folder) if e.graph_def]
    nodes = {node.name: node for node in graph.node}
    assert len(nodes) == len(graph.node) and all(name in nodes for node in graph.node for name in node.input)
    return nodes


def shape_of(node: Any) -> list[int]:
    (shape,) = node.attr["_output_shapes"].list.shape
    return [dim.size for dim in shape.dim]


def test_the_graph_of_a_model_by_module(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2)))
    model[0].requires_grad_(False)
    with SummaryWriter(tmp_path) as writer, mg.no_grad():
        writer.add_graph(model, mg.ones(5, 3))
        with pytest.raises(TypeError, match="input_to_model is needed"):
            writer.add_graph(model)
    nodes = graph_of(tmp_path)
    assert {f"Sequential/Sequential[2]/Linear[0]/{name}" for name in ("weight", "bias")} <= {*nodes}
    relu = next(node for node in nodes.values() if node.op == "ReluBackward0")
    first = nodes[relu.input[0]]
    assert relu.name.startswith("Sequential/ReLU[1]/") and first.op == "LinearBackward0" and shape_of(relu) == [5, 4]
    assert first.name.startswith("Sequential/Linear[0]/") and "input/input" in first.input  # also where the layer is frozen
    assert shape_of(nodes["input/input"]) == [5, 3] and shape_of(nodes["output/output_0"]) == [5, 2]
    assert nodes["output/output_0"].input[0].startswith("Sequential/Sequential[2]/Linear[0]/")


def test_the_graph_of_a_model_of_several_inputs_and_results(tmp_path: Path) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.scale = nn.Embedding(5, 3), nn.Parameter(mg.ones(3))

        def forward(self, words: mg.Tensor, others: list[mg.Tensor]) -> dict[str, mg.Tensor]:
            found = self.table(words) * self.scale
            return {"sum": found + others[0], "product": found * others[1]}

    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(Net(), (mg.tensor([1, 2]), [mg.ones(2, 3), mg.ones(3)]))
    nodes = graph_of(tmp_path)
    assert {"Net/scale", "Net/Embedding[table]/weight", "input/others.0", "input/others.1", "output/output_0",
            "output/output_1"} <= {*nodes}


# ---------------------------------------------------------------------------------------------------- TensorBoard, PyTorch

def test_what_tensorboard_reads(tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard")
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", mg.tensor(0.5), 1)
        writer.add_scalar("fine", 0.1, 1, new_style=True, double_precision=True)
        writer.add_histogram("weights", mg.randn(10), 1)
        writer.add_image("image", mg.rand(3, 4, 5), 1)
        writer.add_audio("sound", mg.zeros(1, 5), 1)
        writer.add_text("words", "hello", 1)
        writer.add_mesh("points", mg.rand(1, 4, 3))
        writer.add_custom_scalars({"losses": {"both": ["Multiline", ["loss", "fine"]]}})
        writer.add_graph(nn.Linear(2, 1), mg.ones(1, 2))
    reader = accumulators.EventAccumulator(str(tmp_path))
    reader.Reload()
    assert reader.Scalars("loss")[0].value == 0.5 and reader.Histograms("weights")[0].step == 1
    assert [*reader.Tensors("fine")[0].tensor_proto.double_val] == [0.1] and "fine" in reader.PluginTagToContent("scalars")
    assert reader.Images("image")[0].width == 5 and reader.Audio("sound")[0].length_frames == 5
    assert reader.Tensors("words/text_summary")[0].tensor_proto.string_val == [b"hello"]
    meshes = importlib.import_module("tensorboard.plugins.mesh.metadata")
    (content,) = reader.PluginTagToContent("mesh").values()
    described = meshes.parse_plugin_metadata(content)
    assert (described.name, [*described.shape], described.components) == ("points", [1, 4, 3], 1 << 1)
    assert "custom_scalars__config__" in reader.PluginTagToContent("custom_scalars")
    assert {node.name for node in reader.Graph().node} >= {"Linear/weight", "Linear/bias"}


RNG = np.random.default_rng(0)
IMAGE, IMAGES, TABLE, NUMBERS = [RNG.random(shape).astype(np.float32) for shape in ((3, 6, 5), (2, 3, 6, 5), (4, 3), (50,))]
POINTS, FACES, PARTS = RNG.random((1, 5, 3)).astype(np.float32), np.array([[[0, 1, 2]]]), NUMBERS[:5]
CALLS: dict[str, Callable[[Any, Callable[[Any], Any]], Any]] = {
    "scalar": lambda w, t: w.add_scalar("a/b", t(np.float32(2.5)), 1, walltime=7),
    "scalar, new style": lambda w, t: w.add_scalar("a", t(np.float32(2.5)), 1, new_style=True),
    "scalar, double": lambda w, t: w.add_scalar("a", 0.1, 1, new_style=True, double_precision=True),
    "scalar, double, old style": lambda w, t: w.add_scalar("a", 0.1, 1, double_precision=True),
    "scalars": lambda w, t: w.add_scalars("main/x", {"a": t(np.float32(1)), "b": 2.0}, 3),
    "tensor": lambda w, t: w.add_tensor("a", t(IMAGE), 3),
    "tensor of doubles": lambda w, t: w.add_tensor("a", t(IMAGE.astype(np.float64)), 3),
    "histogram": lambda w, t: w.add_histogram("a", t(NUMBERS), 1),
    "histogram, auto": lambda w, t: w.add_histogram("a", t(NUMBERS), 1, bins="auto", max_bins=4),
    "histogram of integers": lambda w, t: w.add_histogram("a", t((NUMBERS * 10).astype(np.int64)), 1),
    "histogram, raw": lambda w, t: w.add_histogram_raw("a", 0.0, 1.0, 10, 5.0, 4.0, [0.5, 1.0], [4, 6], 1),
    "image": lambda w, t: w.add_image("a", t(IMAGE), 1),
    "image, HW": lambda w, t: w.add_image("a", t(IMAGE[0]), 1, dataformats="HW"),
    "image, HWC": lambda w, t: w.add_image("a", t(IMAGE.transpose(1, 2, 0)), 1, dataformats="HWC"),
    "image of bytes": lambda w, t: w.add_image("a", t((IMAGE * 255).astype(np.uint8)), 1),
    "images": lambda w, t: w.add_images("a", t(IMAGES), 1),
    "images, NHWC": lambda w, t: w.add_images("a", t(IMAGES.transpose(0, 2, 3, 1)), 1, dataformats="NHWC"),
    "image with boxes": lambda w, t: w.add_image_with_boxes("a", t(IMAGE), t(np.array([[1.0, 1, 4, 4]])), 1, rescale=2),
    "text": lambda w, t: w.add_text("a", "hello *x*", 1),
    "curve": lambda w, t: w.add_pr_curve("a", t(NUMBERS > 0.5), t(NUMBERS), 1, num_thresholds=10, weights=0.5),
    "curve, raw": lambda w, t: w.add_pr_curve_raw("a", *[t(PARTS)] * 6, 1, num_thresholds=5),
    "layout": lambda w, t: w.add_custom_scalars({"t": {"x": ["Multiline", ["a"]], "m": ["Margin", ["a", "b", "c"]]}}),
    "chart": lambda w, t: w.add_custom_scalars_multilinechart(["a", "b"], "category", "title"),
    "chart with margins": lambda w, t: w.add_custom_scalars_marginchart(["a", "b", "c"]),
    "mesh": lambda w, t: w.add_mesh("a", t(POINTS), colors=t((POINTS * 255).astype(np.int32)), faces=t(FACES), global_step=1,
                                    config_dict={"camera": {"cls": "PerspectiveCamera"}}),
    "points": lambda w, t: w.add_mesh("a", t(POINTS)),
    "settings": lambda w, t: w.add_hparams({"lr": 0.1, "act": "relu"}, {"acc": t(np.float32(1))}, run_name="r", global_step=4),
    "settings, domains": lambda w, t: w.add_hparams({"lr": 0.1}, {"acc": 0.5}, {"lr": [0.1, 0.2]}, run_name="r"),
}


@pytest.mark.parity
@pytest.mark.parametrize("call", CALLS)
def test_the_same_call_writes_the_same(call: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs = pytest.importorskip("torch.utils.tensorboard", reason="PyTorch's writer needs tensorboard")
    if "image" in call:
        pytest.importorskip("PIL.Image", reason="needs Pillow")
    written = []
    for library, make in ((torch, theirs.SummaryWriter), (mg, SummaryWriter)):
        folder = tmp_path / library.__name__
        with make(str(folder)) as writer:
            CALLS[call](writer, lambda array, library=library: library.tensor(array))
        files = {file.parent.relative_to(folder) for file in folder.rglob("*tfevents*")}
        # An order of keys that is nobody's: a dictionary in a message is written in any.
        written.append({str(name): [(event.step, value.tag, sorted(str(value))) for event in read_events_of(folder / name)
                                    for value in event.summary.value] for name in files})
    assert written[0] == written[1] and any(written[0].values())


def read_events_of(folder: Path) -> list[Any]:
    """The records of a folder, but not of those below it."""
    return [event for file in sorted(folder.glob("*tfevents*")) for event in read_file(file)]


@pytest.mark.parity
def test_the_writer_has_pytorchs_methods() -> None:
    pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs = pytest.importorskip("torch.utils.tensorboard", reason="PyTorch's writer needs tensorboard").SummaryWriter
    ours = importlib.import_module("tensorboardX").SummaryWriter
    for name in vars(theirs):
        if not name.startswith("_"):
            assert hasattr(SummaryWriter, name) or hasattr(ours, name), name


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r'SummaryWriter needs tensorboardX, .* pip install "minigrad-numpy\[tensorboard\]"'):
        SummaryWriter(tmp_path)
