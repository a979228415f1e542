"""The examples run as they stand, and learn what they say."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Callable, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad.datasets import digits
from minigrad.recording.call import REGISTRY

FOLDER = Path(__file__).parent.parent / "examples"
FILES = sorted(FOLDER.glob("*.py"))
Run = Callable[..., str]

pytestmark = pytest.mark.filterwarnings("ignore:Graphviz's program")  # the picture is drawn without it too


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs the example whose name begins with a number, in an empty folder; gives what it printed."""
    before = set(REGISTRY)

    def run_it(number: int, *arguments: str) -> str:
        file, = FOLDER.glob(f"{number:02}_*.py")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", [str(file), *arguments])
        runpy.run_path(str(file), run_name="__main__")
        return capsys.readouterr().out

    yield run_it
    for name in set(REGISTRY) - before:
        del REGISTRY[name]
    mg.set_hints("warn")


def numbers(pattern: str, text: str) -> list[float]:
    """The numbers that stand where `pattern` has ``#``."""
    return [float(x) for x in re.findall(pattern.replace("#", r"([-+]?[\d.]+(?:e[-+]\d+)?)"), text)]


def test_tensors_and_autograd(run: Run) -> None:
    out = run(1, "--steps", "20")
    assert "made by SumBackward0 from MulBackward0" in out
    assert "dy/dx = tensor([2., 4., 6.])" in out
    assert "first derivative right: True  second: True" in out
    assert numbers("place #", out)[-1] == pytest.approx(2, abs=1e-3)
    assert "BumpBackward0" in Path("runs/bump.svg").read_text(encoding="utf-8")


def test_linear_regression(run: Run) -> None:
    out = run(2, "--steps", "60")
    slopes, offsets = numbers(r"y = # x", out), numbers(r" x \+ #", out)
    assert slopes == pytest.approx([3, 3, 3], abs=0.05)
    assert offsets == pytest.approx([-1, -1, -1], abs=0.05)
    half = len(losses := numbers("loss #", out)) // 2
    assert losses[:half] == losses[half:], "by hand and with modules it is the same arithmetic"


def test_digits_mlp(run: Run) -> None:
    out = run(3, "--epochs", "5")
    losses = numbers("loss #", out)
    assert losses[-1] < losses[0] / 4
    assert numbers("test accuracy #%", out)[0] > 88
    assert "@@" in out


def test_digits_cnn(run: Run) -> None:
    out = run(4, "--epochs", "3")
    *_, learnt, new, again = numbers("accuracy #%", out)
    assert learnt > 92
    assert new < 40
    assert again == learnt
    assert numbers("lr #", out) == pytest.approx([0.1, 0.075, 0.025])


def test_optimizers(run: Run) -> None:
    out = run(5, "--steps", "400")
    rows = dict(re.findall(r"^(\S.*?) +\d+ .*?(\S+) +\S+$", out, re.MULTILINE))
    assert len(rows) == 9
    assert max(map(float, rows.values())) < 6
    assert min(rows, key=lambda name: float(rows[name])) == "L-BFGS"
    assert float(rows["L-BFGS"]) < 1e-9
    assert float(rows["SGD, momentum"]) < float(rows["SGD"])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_words(run: Run, cell: str) -> None:
    out = run(6, "--steps", "40", "--cell", cell)
    losses = numbers("loss #", out)
    assert losses[0] > 3
    assert losses[-1] < 2.3
    assert len(out.rpartition(":")[2].split(",")) == 12


def test_word2vec(run: Run) -> None:
    out = run(7, "--steps", "300")
    losses = numbers("loss #", out)
    assert losses[-1] < losses[0] / 4
    assert numbers("for # of 20", out)[0] >= 15


def test_gan(run: Run) -> None:
    out = run(8, "--steps", "800")
    off = numbers("off by #", out)
    assert off[0] > 0.6
    assert off[-1] < off[0] / 2


def test_dqn(run: Run) -> None:
    assert "exit reached in 8 moves" in run(9, "--episodes", "150")


def test_second_order(run: Run) -> None:
    out = run(10, "--steps", "250")
    assert numbers("step 7  loss +#", out)[0] < 1e-20
    assert numbers("mean error #", out)[0] < 0.1


def test_debugging(run: Run) -> None:
    out = " ".join(run(11, "--steps", "3").split())
    for found in (
            "decoder: The tensor has a gradient, and it is not zero", "encoder: The loss does not depend on this tensor",
            "It is made zero by ReluBackward0", "detect_anomaly: log at", "input has 8 features", "add_ at",
            "by module:", "zero_grad() was not called in between"):
        assert found in out


def test_gpt(run: Run) -> None:
    out = run(12, "--steps", "60")
    losses = numbers("loss #", out)
    assert losses[0] > 4.2
    assert losses[-1] < 2.9
    written = out.partition("\n\n")[2]
    assert written.startswith("def update(") and len(written) > 300


def test_lenet(run: Run, tmp_path: Path) -> None:
    for package in ("PIL", "tensorboardX", "tqdm"):
        pytest.importorskip(package, reason="the example is about images and TensorBoard")
    small, labels = digits()  # in MNIST's format and size
    images = np.pad((small.numpy()[:, 0] * 255).astype(np.uint8).repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    folder = tmp_path / "data" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for kind, array in (("images-idx3", images), ("labels-idx1", labels.numpy().astype(np.uint8))):
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / f"t10k-{kind}-ubyte").write_bytes(head + array.tobytes())
    out = run(13, "--epochs", "3", "--workers", "2")
    losses = numbers("loss #", out)
    assert len(losses) == 3 and losses[-1] < losses[0] / 2
    assert numbers("test accuracy #%", out)[-1] > 75
    assert list((tmp_path / "runs" / "lenet").glob("events.*")) and (tmp_path / "runs" / "lenet.pt").exists()
    for name, layer in (("lenet-filters.html", "features.0"), ("lenet-maps.html", "input")):
        assert f"<b>{layer}</b>" in (tmp_path / "runs" / name).read_text(encoding="utf-8")


def test_several_processes(run: Run) -> None:
    """In one; tests/test_processes.py runs it in two."""
    out = run(14, "--epochs", "2")
    losses = numbers("loss #", out)
    assert len(losses) == 2 and losses[0] == losses[1] < 2.3 and out.count("weights equal everywhere: True") == 2


def test_each_is_short_and_in_the_course() -> None:
    course = (FOLDER / "README.md").read_text(encoding="utf-8")
    places = [course.index(f"]({file.name})") for file in FILES]
    assert places == sorted(places)
    for file in FILES:
        lines = file.read_text(encoding="utf-8").splitlines()
        assert 25 <= len(lines) <= 90, file.name
        assert lines[0].startswith(f'"""{int(file.name[:2])}. '), file.name
