"""A training watched: the numbers are those of the arrays, nothing is left behind, and the page shows them."""

from __future__ import annotations

import copy
import math
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim, viz
from minigrad.viz.graph import Statistics
from minigrad.viz.plots import Line, line_plot, scale_of
from tests.viz.test_outputs import HOSTILE

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def new_model() -> Any:
    mg.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))


def train(model: Any, optimizer: Any, steps: int, watching: Any = None) -> None:
    for k in range(steps):
        loss = model(mg.linspace(-1, 1, 12).reshape(4, 3) + k).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if watching is not None:
            watching.log(loss=loss)


def rms(array: Any) -> float:
    return float(np.sqrt(np.mean(np.asarray(array, np.float64) ** 2)))


# ---------------------------------------------------------------------------------------------------- what is seen

def test_the_numbers_are_those_of_the_arrays() -> None:
    model = new_model()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x = mg.randn(4, 3)
    with viz.watch(model, optimizer) as watching:
        hidden = model[0](x)
        hidden.retain_grad()
        before = model[0].weight.detach().numpy().copy()
        model[2](model[1](hidden)).pow(2).mean().backward()
        optimizer.step()
    seen = {kind: {name: values[0] for name, values in names.items()} for kind, names in watching.history.items()}
    assert watching.steps == [1]
    assert seen["activations"]["0"].rms == pytest.approx(rms(hidden.detach()))
    assert seen["flow"]["0"].rms == pytest.approx(rms(hidden.grad))
    assert seen["gradients"]["0.weight"].rms == pytest.approx(rms(model[0].weight.grad))
    assert seen["weights"]["0.weight"].rms == pytest.approx(rms(model[0].weight.detach()))
    moved = model[0].weight.detach().numpy() - before
    assert seen["ratios"]["0.weight"] == pytest.approx(np.linalg.norm(moved) / np.linalg.norm(before), rel=1e-4)
    assert list(seen["activations"]) == list(seen["flow"]) == ["0", "1", "2"]


def test_watching_changes_nothing_that_is_learnt() -> None:
    results = []
    for watched in (False, True):
        model = new_model()
        optimizer = optim.Adam(model.parameters())
        if watched:
            with viz.watch(model, optimizer):
                train(model, optimizer, 5)
        else:
            train(model, optimizer, 5)
        results.append([p.detach().numpy() for p in model.parameters()])
    assert all((a == b).all() for a, b in zip(*results))


def test_nothing_is_left_on_the_model_or_the_optimizer() -> None:
    from minigrad.optim import optimizer as hooks
    model = new_model()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for given in (None, optimizer):
        with pytest.raises(ZeroDivisionError), viz.watch(model, given) as watching:
            train(model, optimizer, 2)
            raise ZeroDivisionError
        assert not any(getattr(m, name) for m in model.modules() for name in HOOKS)
        assert not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks
        assert not hooks._everywhere_pre and not hooks._everywhere_post
        train(model, optimizer, 1)
        assert watching.steps == [1, 2]
        watching.close()


def test_the_optimizer_is_found_and_others_do_not_count() -> None:
    model, other = new_model(), new_model()
    ours, strange = optim.SGD(model.parameters(), lr=0.1), optim.SGD(other.parameters(), lr=0.1)
    with viz.watch(model) as watching:
        train(model, ours, 2)
        train(other, strange, 3)
    assert watching.steps == [1, 2]


def test_weights_updated_by_hand() -> None:
    model = new_model()
    with viz.watch(model) as watching:
        for _ in range(3):
            model.zero_grad()
            model(mg.ones(2, 3)).sum().backward()
            with mg.no_grad():
                for p in model.parameters():
                    p -= 0.01 * p.grad
            watching.step()
    ratios = watching.history["ratios"]["0.weight"]
    assert ratios[0] is None and all(0 < r < 1 for r in ratios[1:])


def test_an_optimizer_with_a_closure() -> None:
    model = new_model()
    optimizer = optim.LBFGS(model.parameters(), max_iter=3)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = model(mg.ones(2, 3)).pow(2).sum()
        loss.backward()
        return loss

    with viz.watch(model, optimizer) as watching:
        optimizer.step(closure)
    assert watching.steps == [1] and watching.history["flow"]["2"][0].rms > 0 and watching.history["ratios"]["2.weight"][0] > 0


def test_some_steps_only_and_the_number_that_is_kept() -> None:
    model = new_model()
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    with viz.watch(model, optimizer, every=3) as watching:
        train(model, optimizer, 7)
    assert watching.steps == [1, 4, 7]
    with viz.watch(model, optimizer, keep=4) as watching:
        train(model, optimizer, 40)
    assert len(watching.steps) < 8 and watching.every > 1
    gaps = {b - a for a, b in zip(watching.steps, watching.steps[1:])}
    assert gaps == {watching.every}, "what is kept lies evenly"


def test_evaluation_does_not_count() -> None:
    model = new_model()
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    with viz.watch(model, optimizer) as watching:
        model(1000 * mg.ones(2, 3))  # recorded, but not what the step is made of
        train(model, optimizer, 1)
        with mg.no_grad():
            model(1000 * mg.ones(2, 3))
        train(model, optimizer, 1)
    assert all(s.max < 100 for s in watching.history["activations"]["0"])


def test_a_layer_that_is_called_more_than_once() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.relu = nn.Linear(3, 3), nn.ReLU()

        def forward(self, x: Any) -> Any:
            for _ in range(6):
                x = self.relu(self.layer(x))
            return x

    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer) as watching:
        train(model, optimizer, 1)
    assert [name for name in watching.history["activations"] if name.startswith("layer")] == [
        "layer", "layer (call 2)", "layer (call 3)", "layer (call 4)"]


def test_chosen_layers() -> None:
    model = new_model()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer, layers="2") as watching:
        train(model, optimizer, 1)
    assert list(watching.history["activations"]) == ["2"]
    with pytest.raises(TypeError, match=r"'nine' is no path of a module in Sequential; there are '0', '1', '2'"):
        viz.watch(model, layers=["nine"])


# ---------------------------------------------------------------------------------------------------- dead units, NaN

class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4 * 3 * 3, 2)

    def forward(self, x: Any) -> Any:
        return self.head(nn.functional.max_pool2d(nn.functional.relu(self.conv(x)), 2).flatten(1))


@pytest.mark.parametrize("functional", [False, True])
def test_dead_units_are_counted(functional: bool) -> None:
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 2)]
    model: Any = Functional() if functional else nn.Sequential(*layers)
    conv = model.conv if functional else model[0]
    with mg.no_grad():
        conv.bias.copy_(mg.tensor([-100.0, 100.0, 100.0, 100.0]))
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    with viz.watch(model, optimizer) as watching:
        model(mg.randn(3, 1, 8, 8)).sum().backward()
        optimizer.step()
    assert watching.history["dead"] == {"relu before head" if functional else "1": [0.25]}


def test_dead_units_of_the_last_dimension_in_transformers() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    with mg.no_grad():
        model[0].bias.copy_(mg.tensor([-100.0, 100.0, -100.0, 100.0]))
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    with viz.watch(model, optimizer) as watching:
        model(mg.randn(3, 7, 2)).sum().backward()
        optimizer.step()
    assert watching.history["dead"] == {"1": [0.5]}
    assert "1: 50% of its units were dead at step 1." in watching.findings()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_where_nan_begins_is_said_and_marked(bad: float, tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 20_000), nn.Linear(20_000, 1))
    optimizer = optim.SGD(model.parameters(), lr=1e-6)
    with viz.watch(model, optimizer) as watching:
        for k in range(4):
            x = mg.ones(1, 3)
            if k == 2:
                x[0, 0] = bad
            optimizer.zero_grad()
            loss = model(x).sum()
            loss.backward()
            optimizer.step()
            watching.log(loss=loss)
    assert watching.findings()[0] == "The first NaN or infinity was seen at step 3 in the activations of 0."
    assert watching.history["activations"]["0"][2].nonfinite == 20_000
    assert "NaN or infinity from 3" in watching.html()


def test_nan_is_not_dead() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer) as watching:
        model(mg.full((4, 2), math.nan)).sum().backward()
        optimizer.step()
    assert watching.history["dead"] == {"1": [0.0]}


def test_a_single_nan_among_many_is_found() -> None:
    from minigrad.viz.watching import sample
    array = np.ones(1_000_003, np.float32)
    array[123_456] = np.nan
    assert sample(array).nonfinite == 1
    assert sample(np.full(100_000, 3e38, np.float32)).nonfinite == 0, "a sum that overflows is not an infinite element"
    assert sample(np.arange(100_000.0)).mean == pytest.approx(49_999.5, rel=0.01)


# ---------------------------------------------------------------------------------------------------- what is logged

def test_numbers_are_logged_at_their_steps() -> None:
    model = new_model()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer) as watching:
        for _ in range(2):
            loss = model(mg.ones(2, 3)).sum()
            watching.log(before=loss)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            watching.log(after=1)
        with pytest.raises(ValueError, match=r"log\(\): argument 'loss' must be one number, got 2 of shape \[2\]"):
            watching.log(loss=mg.ones(2))
    assert [step for step, _ in watching.scalars["before"]] == [step for step, _ in watching.scalars["after"]] == [1, 2]


@pytest.mark.parametrize(("arguments", "error", "said"), [
    ({"model": 3}, TypeError, "'model' must be a Module, not int"),
    ({"optimizer": 0.1}, TypeError, r"'optimizer' must be an Optimizer, not float; .* call step\(\)"),
    ({"every": 0}, ValueError, "'every' must be a whole number of at least 1, got 0"),
    ({"keep": 1.5}, ValueError, "'keep' must be a whole number of at least 1, got 1.5")])
def test_bad_arguments_are_named(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        viz.watch(**{"model": new_model(), **arguments})


# ---------------------------------------------------------------------------------------------------- showing

def watched() -> Any:
    model = new_model()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer) as watching:
        train(model, optimizer, 6, watching)
    return watching


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asked += [str(value) for name, value in attrs if name in ("src", "href") and not str(value).startswith("data:")]


def test_the_page_is_whole_and_asks_for_nothing(tmp_path: Path) -> None:
    watching = watched()
    path = tmp_path / "new" / "training.html"
    assert watching.save(path) == str(path)
    page = path.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert not tags.asked and tags.tags.count("script") == 1
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|@import|url\((?!#)|WebSocket", page)
    for said in ("Training of Sequential", "Dead units", "Updates over weights", "0.001, the customary",
                 "Histograms of the weights"):
        assert said in page
    assert page.count('class="series') == 1 + 3 + 1 + 3 + 4 + 4 + 4, "the loss, and for each kind its layers or parameters"
    with pytest.raises(ValueError, match=r"one of \.html; got"):
        watching.save(tmp_path / "training.png")
    assert "iframe" in watching._repr_html_()
    assert "0.weight" in str(watching) and "6 steps" in repr(watching)


def test_a_watch_before_its_first_step_shows_itself() -> None:
    watching = viz.watch(new_model())
    watching.close()
    assert "No step has ended yet." in watching.html() and "no step" in str(watching)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_can_be_shown(name: str, tmp_path: Path) -> None:
    model = nn.Sequential()
    model.add_module(name.replace(".", "") or "x", nn.Linear(2, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer) as watching:
        model(mg.ones(1, 2)).sum().backward()
        optimizer.step()
        watching.log(**{name: 1.0})
    tags = Tags()
    watching.save(tmp_path / "page.html")
    tags.feed((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert tags.tags.count("script") == 1 and "b" not in tags.tags


def test_a_copy_of_the_model_is_not_watched() -> None:
    model = new_model()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer) as watching:
        model(mg.ones(1, 3)).sum().backward()
        copy.deepcopy(model)(1000 * mg.ones(1, 3))
        optimizer.step()
    assert watching.history["activations"]["0"][0].max < 100 and watching.history["flow"]["0"][0].rms > 0


def test_scales_have_round_numbers() -> None:
    assert [text for _, text in scale_of([0.0, 1.0]).ticks()] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert [text for _, text in scale_of([1e-6, 1.0]).ticks()] == ["1e-06", "1e-05", "0.0001", "0.001", "0.01", "0.1", "1"]
    assert "90" in [text for _, text in scale_of([70.0, 99.0]).ticks()]
    for values in ([], [5.0], [0.0], [-3.0, -3.0], [1e-30, 1e30], [math.ulp(0.0)]):
        for log in (None, False, True):
            made = scale_of(values, log)
            assert all(math.isfinite(place) for place, _ in made.ticks()), (values, log)


def test_a_point_without_neighbours_is_seen() -> None:
    plot = line_plot("t", [1, 2, 3], [Line("a", [None, 2.0, None], [])])
    assert "<circle" in plot


def test_tensorboard_gets_the_same_numbers(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed")
    written: list[tuple[str, float, int]] = []
    histograms: list[str] = []

    class Writer:
        def add_scalar(self, tag: str, value: float, step: int) -> None:
            written.append((tag, value, step))

        def add_histogram_raw(self, tag: str, *args: Any) -> None:
            histograms.append(tag)

        def flush(self) -> None:
            pass

    watching = watched()
    watching.to_tensorboard(Writer())
    found = {(tag, step): value for tag, value, step in written}
    assert found["weights/0.weight", 6] == watching.history["weights"]["0.weight"][5].rms
    assert found["ratios/2.weight", 2] == watching.history["ratios"]["2.weight"][1]
    assert found["loss", 6] == watching.scalars["loss"][-1][1]
    assert "activations/0/histogram" in histograms
    watching.to_tensorboard(tmp_path / "board")
    assert [p.stat().st_size > 1000 for p in (tmp_path / "board").iterdir()] == [True]


def test_complex_half_and_integer_layers() -> None:
    model = nn.Sequential(nn.Embedding(5, 4, dtype=mg.bfloat16), nn.Linear(4, 2, dtype=mg.bfloat16))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer) as watching:
        model(mg.tensor([1, 2])).float().sum().backward()
        optimizer.step()
    assert all(isinstance(s, Statistics) for values in watching.history["weights"].values() for s in values)
    assert watching.history["ratios"]["1.weight"][0] > 0


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium here")
def test_a_browser_draws_the_page_and_answers(tmp_path: Path) -> None:
    page = watched().html().replace("</body>", """<script>
      const plot = document.querySelectorAll(".plot[data-plot]")[1], box = plot.querySelector("svg").getBoundingClientRect();
      const at = { clientX: box.right - 3, clientY: box.top + 20, bubbles: true };
      plot.querySelector("svg").dispatchEvent(new MouseEvent("mousemove", at));
      document.title = plot.querySelector(".said").textContent.replace("\\n", " | ");
    </script></body>""")
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                           f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "page.html").as_uri()],
                          capture_output=True, text=True, timeout=120)
    assert re.search(r"<title>[012] \| step 6: [0-9.]+</title>", done.stdout), done.stderr[-500:]


def test_layers_that_are_made_or_trained_later() -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.Linear(3, 2))
    model[1].weight.requires_grad_(False)
    with viz.watch(model) as watching:
        assert "No step" in watching.html()
        model(mg.ones(1, 2))
        train_on = optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            train_on.zero_grad()
            model(mg.ones(1, 2)).sum().backward()
            train_on.step()
            model[1].weight.requires_grad_(True)
    weights = watching.history["weights"]
    assert set(weights) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert weights["1.weight"][0] is None and weights["1.weight"][1]


def test_who_draws_imports_no_optimizers() -> None:
    script = """
import sys, minigrad as mg
mg.viz.draw
print([m for m in ("minigrad.optim", "minigrad.utils", "minigrad.viz.watching") if m in sys.modules])
mg.viz.watch, mg.viz.filters
from minigrad.viz import *
print("landscape" in dir(mg.viz), watch)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True <class 'minigrad.viz.watching.watch'>"]


def test_arrays_of_another_library_are_seen_as_those_of_numpy() -> None:
    from tests import standin
    assert standin
    seen = []
    for device in ("cpu", "standin:2"):
        mg.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 2)).to(device)
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        x = mg.linspace(-1, 1, 40 * 3 * 100).reshape(40, 3, 10, 10).to(device)
        with viz.watch(model, optimizer) as watching:
            model(x).sum().backward()
            optimizer.step()
        pictures = [g.values for made in (viz.filters(model), viz.activations(model, x)) for g in made.grids]
        hills = viz.landscape(lambda model=model, x=x: model(x).mean(), [model[3].bias], points=3)
        seen.append((watching.history, pictures, hills.values))
    (host, pictures, hills), (there, same_pictures, same_hills) = seen
    for kind, names in host.items():
        for name, (found,) in names.items():
            assert (found.rms if isinstance(found, Statistics) else found) == pytest.approx(
                there[kind][name][0].rms if isinstance(found, Statistics) else there[kind][name][0], rel=1e-4)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(pictures, same_pictures))
    assert np.allclose(hills, same_hills, rtol=1e-4)
