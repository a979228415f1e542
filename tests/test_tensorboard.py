"""What SummaryWriter writes, read back: by tensorboardX's own messages, and by TensorBoard where it is installed."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

pytest.importorskip("tensorboardX", reason="SummaryWriter needs tensorboardX, which is not installed")

from minigrad.utils.tensorboard import SummaryWriter  # noqa: E402


def read_events(folder: Path) -> list[Any]:
    """The records of a folder: each is its length, a checksum, a message and a checksum."""
    from tensorboardX.proto.event_pb2 import Event
    events = []
    for file in sorted(folder.rglob("*tfevents*")):
        data, place = file.read_bytes(), 0
        while place < len(data):
            (length,) = struct.unpack_from("<Q", data, place)
            events.append(Event.FromString(data[place + 12:place + 12 + length]))
            place += length + 16
    return events


def values(folder: Path) -> dict[str, Any]:
    return {value.tag: value for event in read_events(folder) for value in event.summary.value}


def test_tensors_are_written_as_their_values(tmp_path: Path) -> None:
    w = mg.tensor([1.0, 2.0, 2.5], requires_grad=True)
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", (w * w).sum(), 3)
        writer.add_scalars("both", {"a": mg.tensor(1.0), "b": 2.0}, 3)
        writer.add_histogram("half", w.detach().half(), 3)
        writer.add_histogram("weights", w, 3)
        writer.add_image("image", mg.rand(3, 4, 5), 3)
        writer.add_images("images", mg.rand(2, 3, 4, 5), 3)
        writer.add_text("words", "hello", 3)
        writer.add_embedding(mg.randn(4, 3), metadata=["a", "b", "c", "d"], global_step=3)
        writer.add_pr_curve("curve", mg.tensor([0, 1, 1]), mg.tensor([0.1, 0.6, 0.9]), 3)
        assert writer.get_logdir() == writer.log_dir == str(tmp_path)
    found = values(tmp_path)
    assert found["loss"].simple_value == 11.25
    assert found["weights"].histo.num == found["half"].histo.num == 3 and found["weights"].histo.sum == 5.5
    assert (found["image"].image.height, found["image"].image.width, found["image"].image.colorspace) == (4, 5, 3)
    assert found["words/text_summary"].tensor.string_val == [b"hello"]
    assert {"images", "curve", "both"} <= {*found}
    assert np.loadtxt(next(tmp_path.rglob("tensors.tsv"))).shape == (4, 3)


def test_settings_beside_what_came_of_them(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_hparams({"lr": 0.1, "layers": 2}, {"accuracy": mg.tensor(0.75)}, run_name="first")
    assert values(tmp_path)["accuracy"].simple_value == 0.75


def test_the_graph_of_a_model_by_module(tmp_path: Path) -> None:
    from tensorboardX.proto.graph_pb2 import GraphDef
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with SummaryWriter(tmp_path) as writer, mg.no_grad():
        writer.add_graph(model, mg.ones(5, 3))
        with pytest.raises(TypeError, match="input_to_model is needed"):
            writer.add_graph(model)
    (graph,) = [GraphDef.FromString(e.graph_def) for e in read_events(tmp_path) if e.graph_def]
    nodes = {node.name: node for node in graph.node}
    assert {f"Sequential/{k}/{name}" for k in (0, 2) for name in ("weight", "bias")} <= {*nodes}
    assert all(name in nodes for node in graph.node for name in node.input)
    relu = next(node for node in graph.node if node.op == "ReluBackward0")
    assert relu.name.startswith("Sequential/1/") and nodes[relu.input[0]].op == "LinearBackward0"
    assert nodes["output_0"].input[0].startswith("Sequential/2/")


def test_what_tensorboard_reads(tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard")
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", mg.tensor(0.5), 1)
        writer.add_histogram("weights", mg.randn(10), 1)
        writer.add_graph(nn.Linear(2, 1), mg.ones(1, 2))
    reader = accumulators.EventAccumulator(str(tmp_path))
    reader.Reload()
    assert reader.Scalars("loss")[0].value == 0.5 and reader.Histograms("weights")[0].step == 1
    assert {node.name for node in reader.Graph().node} >= {"Linear/weight", "Linear/bias"}


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r'SummaryWriter needs tensorboardX, .* pip install "minigrad-numpy\[tensorboard\]"'):
        SummaryWriter(tmp_path)
