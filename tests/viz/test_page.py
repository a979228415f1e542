"""The page in a browser: it shows what the fold has, by pointer and by keyboard, and asks for nothing from anywhere."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.nn import functional as F
from minigrad.vision.models import resnet18
from minigrad.viz import Drawing
from minigrad.viz.colours import contrast
from minigrad.viz.folding import drawn, make_fold
from minigrad.viz.layout import Layout, Rectangle, lay_out
from tests.viz.models import GPT, PROGRAMS, Recurrent
from tests.viz.test_fold import assert_clear, assert_no_arrow_is_lost
from tests.viz.test_outputs import HOSTILE

browsers = pytest.importorskip("playwright.sync_api", reason="Playwright, which drives a browser, is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]

OpenPage = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsers.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[OpenPage]:
    """Opens a drawing, and at the end has seen no message, no error and no request of the page's."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def opened(drawing: Drawing, width: int = 1400, height: int = 900, **options: Any) -> Any:
        path = Path(drawing.save(tmp_path / f"page{len(contexts)}.html"))
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints



def box(page: Any, begins: str) -> Any:
    """The box whose title begins so."""
    return page.locator(f'.box[aria-label^="{begins}"]')


# ---------------------------------------------------------------------------------------------------- what is shown to users

class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Adversaries(nn.Module):
    """A small DCGAN's two models."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(
            nn.ConvTranspose2d(8, 16, 4, 1, 0, bias=False), nn.BatchNorm2d(16), nn.ReLU(True),
            nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(True),
            nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False), nn.Tanh())
        self.discriminator = nn.Sequential(
            nn.Conv2d(1, 8, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), nn.Conv2d(8, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16),
            nn.LeakyReLU(0.2), nn.Conv2d(16, 1, 4, 1, 0, bias=False))


def classify(model: Any, x: Any, classes: int) -> Drawing:
    """A recording of a classifier's step."""
    with viz.record(model) as r:
        F.cross_entropy(model(x), mg.arange(len(x)) % classes).backward()
    return r.draw()


def mlp() -> Drawing:
    return classify(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)), mg.randn(5, 8), 3)


def lenet() -> Drawing:
    return classify(LeNet(), mg.randn(4, 1, 28, 28), 10)


def resnet() -> Drawing:
    return classify(resnet18(num_classes=10), mg.randn(2, 3, 32, 32), 10)


def lstm() -> Drawing:
    model = Recurrent(5)
    with viz.record(model) as r:
        model(mg.randn(5, 2, 3)).sum().backward()
    return r.draw()


def gpt(layers: int) -> Drawing:
    model, ids = GPT(layers), mg.randint(0, 17, (2, 6))
    with viz.record(model) as r:
        F.cross_entropy(model(ids).flatten(0, 1), ids.flatten()).backward()
    return r.draw()


def adversaries() -> Drawing:
    both, real, noise = Adversaries(), mg.randn(4, 1, 16, 16), mg.randn(4, 8, 1, 1)
    lose = F.binary_cross_entropy_with_logits
    with viz.record(both) as r:
        fake = both.generator(noise)
        of_real, of_fake = both.discriminator(real).flatten(), both.discriminator(fake.detach()).flatten()
        (lose(of_real, mg.ones(4)) + lose(of_fake, mg.zeros(4))).backward()
        lose(both.discriminator(fake).flatten(), mg.ones(4)).backward()
    return r.draw()


def penalty() -> Drawing:
    w, x = mg.randn(3, requires_grad=True), mg.randn(4, 3, requires_grad=True)
    with viz.record() as r:
        gradient, = mg.autograd.grad((x @ w).tanh().sum(), x, create_graph=True)
        (gradient.norm(2, 1) - 1).pow(2).mean().backward()
    return r.draw()


def scalars() -> Drawing:
    a, b = mg.tensor(2.0, requires_grad=True), mg.tensor(-3.0, requires_grad=True)
    with viz.record() as r:
        (a * b + a).pow(2).backward()
    return r.draw()


SHOWN: dict[str, Callable[[], Drawing]] = {
    "mlp": mlp, "lenet": lenet, "resnet": resnet, "lstm": lstm, "gpt4": lambda: gpt(4), "gpt12": lambda: gpt(12),
    "adversaries": adversaries, "penalty": penalty}


@pytest.mark.parametrize("name", SHOWN)
def test_models_are_readable_on_a_screen(name: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(SHOWN[name]())
    scale = page.evaluate("state.view.scale")
    assert 8 <= 10.5 * scale <= 16  # pixels of text
    room, size = page.evaluate("[room().width, room().height]"), page.evaluate("[picture.width, picture.height]")
    assert all(side * scale <= space + 1 for side, space in zip(size, room))  # all of it
    assert not page.locator("#map").is_visible()
    boxes = page.locator(".box")
    for k in range(boxes.count()):
        place = boxes.nth(k).bounding_box()
        assert 0 <= place["x"] and place["x"] + place["width"] <= room[0]
        text, rect = (boxes.nth(k).locator(part).first.bounding_box() for part in ("text.name", "rect"))
        assert rect["x"] <= text["x"] and text["x"] + text["width"] <= rect["x"] + rect["width"]  # text stays in its box
    assert len(page.screenshot()) > 20_000


# ---------------------------------------------------------------------------------------------------- the fold and the layout

def assert_as_python(page: Any, drawing: Drawing, backward: bool) -> None:
    """The page shows the fold of what is open, in the places that our layout gives to boxes of these sizes, and no arrow crosses
    a foreign box."""
    open_groups, boxes, frames, arrows, sizes = page.evaluate(
        "[[...state.open], [...picture.boxes], [...picture.frames],"
        " picture.arrows.map(([a, points]) => [[a.source, a.target, a.returns], points]),"
        " Object.fromEntries([...picture.boxes.keys(), ...picture.frames.keys()].map(id => [id, sizeOf(id)]))]")
    made = make_fold(drawing.graph, {"", *open_groups})
    assert_no_arrow_is_lost(made)
    assert [id for id, _ in boxes] and {id for id, _ in boxes} == set(made.boxes)
    assert {id for id, _ in frames} == {id for id in made.open if drawing.graph.groups[id].parent not in made.open
                                        or drawn(drawing.graph, drawing.graph.groups[id].parent) != id}
    by_ends = {(a.source, a.target, a.returns): a for a in made.arrows}
    assert sorted(tuple(ends) for ends, _ in arrows) == sorted(by_ends)
    shown = Layout(boxes={id: Rectangle(**place) for id, place in boxes}, frames={id: Rectangle(**place) for id, place in frames},
                   arrows=[(by_ends[tuple(ends)], [(x, y) for x, y in points]) for ends, points in arrows])
    assert_clear(made, shown)
    ours = lay_out(made, lambda id: (sizes[id]["width"], sizes[id]["height"]), backward)
    for id, place in {**shown.boxes, **shown.frames}.items():
        same = ours.boxes.get(id) or ours.frames[id]
        assert (place.x, place.y, place.width, place.height) == pytest.approx((same.x, same.y, same.width, same.height), abs=0.01)
    drawn_paths = page.locator(".arrow")
    assert drawn_paths.count() == len(made.arrows)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_whatever_is_open_every_arrow_is_drawn_and_none_crosses_a_box(name: str, backward: bool, open_page: OpenPage) -> None:
    model, loss = PROGRAMS[name]()
    drawing = viz.draw(loss, model=model, direction="backward" if backward else "forward")
    page = open_page(drawing)
    assert_as_python(page, drawing, backward)
    chance = random.Random(0)
    for _ in range(12):
        groups = page.evaluate("[...picture.boxes.keys()].filter(groupOf).concat([...picture.frames.keys()])")
        if not groups:
            break
        page.evaluate("toggle", chance.choice(groups))
        assert_as_python(page, drawing, backward)


def test_groups_open_and_close_by_pointer(open_page: OpenPage) -> None:
    drawing = gpt(4)
    page = open_page(drawing)
    before = page.locator(".box").count()
    box(page, "attn · Attention").dblclick()
    assert box(page, "softmax").count() == 1
    assert_as_python(page, drawing, False)
    assert page.locator("#map").is_visible()
    page.locator(".title", has_text="attn · Attention").click()
    assert page.locator(".box").count() == before
    page.click("#unfold")
    assert page.locator(".box").count() > before
    page.click("#refold")
    assert page.locator(".box").count() == before
    box(page, "ln1").click()
    names = [name.bounding_box() for name in page.locator("#panel th button").all()]
    assert len(names) >= 2 and all(place["width"] > place["height"] for place in names)  # each on one line
    page.locator("#panel button.main", has_text="open").click()  # a whole layer, on demand
    assert box(page, "blocks.0.ln1.weight").count() == 1
    assert page.locator("#panel button.main", has_text="close").count() == 1
    assert_as_python(page, drawing, False)


def test_the_picture_moves_zooms_and_turns(open_page: OpenPage) -> None:
    page = open_page(gpt(4))
    box(page, "attn · Attention").dblclick()
    view = page.evaluate("({...state.view})")
    page.mouse.move(200, 400)
    page.mouse.wheel(0, -300)
    assert page.evaluate("state.view.scale") > view["scale"]
    page.mouse.down()
    page.mouse.move(260, 330)
    page.mouse.up()
    dragged = page.evaluate("({...state.view})")
    page.mouse.move(300, 300)
    assert page.evaluate("state.view.x") == dragged["x"]
    page.locator("#map").click(position={"x": 20, "y": 170})
    assert page.evaluate("state.view.y") < dragged["y"]
    page.click("#fit")
    assert not page.locator("#map").is_visible()
    heights = "[...picture.boxes].filter(([id]) => parentOf(id) === '').map(([id, place]) => [boxOf(id).title, place.y])"
    down = dict(page.evaluate(heights))
    page.click("#turn")
    up = dict(page.evaluate(heights))
    assert down["cross_entropy"] > down["ids"] and up["cross_entropy"] < up["ids"]


# ---------------------------------------------------------------------------------------------------- what is known

def test_a_click_shows_numbers_histogram_line_and_rule(open_page: OpenPage) -> None:
    page = open_page(mlp())
    box(page, "0.weight").click()
    panel = page.locator("#panel")
    assert panel.locator("h3").all_inner_texts()[:2] == ["VALUE", "GRADIENT"]
    assert panel.locator(".bars").count() == 2 and panel.locator(".bars").first.locator("rect").count() == 24
    box(page, "cross_entropy").click()
    text = panel.inner_text()
    assert "test_page.py:" in text and "F.cross_entropy(model(x)" in text
    assert "def cross_entropy_of_classes(" in text and "g_loss, probabilities, target" in text and "DERIVATIVE BY INPUT" in text
    panel.locator("button.part", has_text="linear").click()
    assert page.evaluate("boxOf(state.chosen).title") == "linear"
    assert page.locator(".box.chosen").count() == 1


def test_of_a_run_each_member_has_its_numbers(open_page: OpenPage) -> None:
    drawing = gpt(4)
    page = open_page(drawing)
    page.fill("#search", "blocks.2.mlp.0.weight")
    page.keyboard.press("Enter")
    slider = page.locator("#panel .choice input")
    assert page.locator("#panel .choice").inner_text().startswith("1 of 4 alike")
    means = []
    for k in range(4):
        slider.fill(str(k))
        assert page.locator("#panel .choice").inner_text().startswith(f"{k + 1} of 4 alike")
        text = page.locator("#panel .numbers").inner_text()
        assert f"blocks.{k}.mlp.0.weight" in text
        means.append(text.split("mean")[1].split()[0])
    expected = [leaf.value.mean for k in range(4) for leaf in drawing.graph.leaves.values()
                if leaf.names == [f"blocks.{k}.mlp.0.weight"] and leaf.value is not None]
    assert [float(mean.replace("−", "-")) for mean in means] == pytest.approx(expected, rel=1e-3)


def test_search_finds_what_is_closed_and_opens_it(open_page: OpenPage) -> None:
    page = open_page(gpt(4))
    page.fill("#search", "softmax")
    assert page.locator("#found button").count() == 1
    page.keyboard.press("Enter")
    assert page.evaluate("boxOf(state.chosen).title") == "softmax" and not page.locator("#found").is_visible()
    place, room = page.locator(".box.chosen").bounding_box(), page.locator("#view").bounding_box()
    assert place["y"] >= room["y"] and place["y"] + place["height"] <= room["y"] + room["height"]
    page.fill("#search", "nothing of that name")
    assert page.locator("#found").inner_text() == "nothing found"
    page.fill("#search", "models.py:")  # lines
    assert page.locator("#found button").count() > 10
    page.keyboard.press("Escape")
    assert not page.locator("#found").is_visible()


# ---------------------------------------------------------------------------------------------------- the backward pass

def test_the_backward_pass_is_gone_through_with_its_numbers(open_page: OpenPage) -> None:
    page = open_page(scalars())  # (a b + a)^2 at a = 2, b = -3
    said = page.locator("#said")
    assert said.inner_text().startswith("backward pass: 3 steps, ") and page.locator(".arrow.lit").count() == 0
    page.click("#next")
    assert page.evaluate("boxOf(steps[0].id).title") == "pow"
    assert page.locator(".box.running").count() == 1 and page.locator(".sent").all_text_contents() == ["−8"]
    text = page.locator("#panel .step").inner_text()
    assert "receives g = 1" in text and "sends −8 to add" in text and "input = −4" in text and "def pow_" in text
    page.click("#next")
    assert page.locator(".sent").all_text_contents() == ["−8", "−8"] and page.locator(".arrow.lit").count() == 2
    page.keyboard.press(".")
    text = page.locator("#panel .step").inner_text()
    assert "sends 24 to a" in text and "sends −16 to b" in text and "other = −3" in text and "frees" in text
    assert said.inner_text().startswith("step 3 of 3: mul · 0 B of ")
    page.click("#next")
    assert said.inner_text().startswith("step 3 of 3")
    page.locator("#step").fill("1")
    assert said.inner_text().startswith("step 1 of 3: pow")
    page.click("#back")
    assert said.inner_text().startswith("backward pass") and page.locator(".box.running").count() == 0


def test_boxes_are_coloured_as_the_backward_pass_reaches_them(open_page: OpenPage) -> None:
    page = open_page(scalars())
    fills = ("Object.fromEntries([...picture.boxes.keys()].map(id => [boxOf(id).title,"
             " document.querySelector(`#box-${id} rect`).getAttribute('fill')]))")
    after = page.evaluate(fills)
    page.click("#next")
    first = page.evaluate(fills)
    assert all((first[name] == after[name]) == (name in ("pow", "add")) for name in after)
    page.locator("#step").fill("3")
    assert page.evaluate(fills) == after


def test_a_step_in_a_closed_group_opens_it_on_demand(open_page: OpenPage) -> None:
    page = open_page(gpt(4))
    page.evaluate("step(steps.findIndex(s => boxOf(s.id).title === 'softmax') + 1)")
    running = page.locator(".box.running text.name")
    assert running.text_content().startswith("attn") and page.locator(".sent").count() == 0
    page.locator("#panel .step button.main", has_text="open attn").click()
    assert running.text_content().startswith("softmax") and page.locator(".sent").count() == 1
    assert "4 of 4 alike" in page.locator("#panel .step").inner_text()  # the last block comes first


def test_what_is_kept_falls_to_nothing(open_page: OpenPage) -> None:
    page = open_page(lenet())
    left, peak = page.evaluate("[left, data.peak]")
    assert left[0] == peak > 0 == left[-1] and left == sorted(left, reverse=True)
    assert page.locator("#kept path").get_attribute("d").startswith("M0,20 L0,")


def test_play_goes_through_all_steps_and_pauses(open_page: OpenPage) -> None:
    page = open_page(scalars())
    page.clock.install()
    page.click("#play")
    assert page.locator("#play").inner_text() == "pause"
    page.clock.run_for(2000)
    assert page.evaluate("state.step") == 1
    page.clock.run_for(10_000)
    assert page.evaluate("state.step") == 3 and page.locator("#play").inner_text() == "play"


def test_without_a_backward_pass_there_are_no_steps(open_page: OpenPage) -> None:
    page = open_page(viz.draw(mg.ones(2) * 2))
    assert page.locator("#said").inner_text() == "no backward pass" and page.locator("#next").is_disabled()


# ---------------------------------------------------------------------------------------------------- what went wrong

def test_a_failure_is_said_with_its_line(open_page: OpenPage) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 1))
    with pytest.raises(RuntimeError), viz.record(model) as r:
        model(mg.ones(2, 3))
    page = open_page(r.draw(budget=1000))
    assert "2x4 and 5x1" in page.locator("#failure").inner_text()
    failed = page.locator(".box.failure")
    assert page.locator("#said").inner_text() == "no backward pass"
    assert failed.count() == 1 and "failed" in (failed.text_content() or "")
    failed.click()
    assert "2x4 and 5x1" in page.locator("#panel .bad").first.inner_text()


def test_a_fault_in_place_shows_both_lines(open_page: OpenPage) -> None:
    x = mg.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError), viz.record() as r:
        y = x.exp()
        y += 1
        y.sum().backward()
    page = open_page(r.draw())
    assert page.locator(".box.failure").count() == 2
    lines = [op.line for op in r.graph.operations.values() if op.failure]
    for failed, line in zip(page.locator(".box.failure").all(), lines):
        assert line.rpartition("/")[2] in (failed.text_content() or "")
    assert int(lines[1].rpartition(":")[2]) == int(lines[0].rpartition(":")[2]) + 1
    assert "changes what this kept" in page.locator(".label").all_text_contents()


def test_the_first_nan_is_ringed(open_page: OpenPage) -> None:
    x = mg.tensor([1.0, -1.0], requires_grad=True)
    with viz.record() as r:
        (x.log() * 2).sum().backward()
    page = open_page(r.draw())
    assert page.locator(".box.nonfinite").count() == 1
    assert "first value that is not finite" in page.locator(".box.nonfinite text.why").all_text_contents()
    box(page, "log").click()
    assert "1 of 2" in page.locator("#panel .bad").first.inner_text()


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_is_shown_as_text(name: str, open_page: OpenPage) -> None:
    x = mg.ones(2, requires_grad=True)
    page = open_page(viz.draw((x * 2).sum(), params={name: x}))
    begin = name.encode("utf-8", "replace").decode()[:4].replace("\0", "\ufffd")
    leaf = page.locator(".box", has_text="leaf")
    assert begin.split("\n")[0] in (leaf.locator("text.name").text_content() or "").replace("\0", "\ufffd")
    leaf.click()
    place, room = page.locator("#panel").bounding_box(), page.viewport_size
    assert place["width"] <= 341 and place["x"] + place["width"] <= room["width"]
    assert page.evaluate("document.scripts.length") == 2


# ---------------------------------------------------------------------------------------------------- for everyone

def test_by_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page(gpt(4))
    focus = "document.activeElement.dataset.id ? boxOf(document.activeElement.dataset.id).title : document.activeElement.id"
    page.keyboard.press("/")
    assert page.evaluate(focus) == "search"
    page.keyboard.type("attention")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate(focus).startswith("attn") and page.evaluate("boxOf(state.chosen).title").startswith("attn")
    page.keyboard.press("Enter")
    assert page.locator(".title", has_text="attn · Attention").count() == 1
    page.keyboard.press("ArrowDown")
    inside = page.evaluate(focus)
    assert inside and not inside.startswith("attn")
    page.keyboard.press("Shift+ArrowDown")
    scale = page.evaluate("state.view.scale")
    page.keyboard.press("+")
    assert page.evaluate("state.view.scale") > scale
    page.keyboard.press("0")
    assert not page.locator("#map").is_visible()
    seen = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(focus))
    assert {"picture", "panel", "step", "next", "play", "theme", "turn"} <= seen and any("softmax" in name for name in seen)


def test_everything_that_acts_has_a_name(open_page: OpenPage) -> None:
    page = open_page(gpt(4))
    page.click("#next")
    unnamed = page.evaluate("""[...document.querySelectorAll("button, input, [role=button], svg[role], aside")].filter(e =>
        !(e.textContent.trim() || e.getAttribute("aria-label") || e.closest("label"))).map(e => e.outerHTML.slice(0, 80))""")
    assert unnamed == []
    assert page.locator(".box[aria-expanded=false]").count() > 0 and page.locator(".title[aria-expanded=true]").count() > 0


SEEN = """[...document.querySelectorAll("h1, h2, h3, p, td, th, pre, button, label, span, small, li, .box text, .title text,"
    + " .label, .sent text")].filter(e => e.textContent.trim() && e.getClientRects().length && !e.disabled).map(e => {
  const svgText = e.tagName === "text", style = getComputedStyle(e);
  let under = null;
  const layers = [];
  if (svgText && e.parentNode.querySelector("rect")) layers.push(getComputedStyle(e.parentNode.querySelector("rect")));
  for (let p = e; p; p = p.parentElement) layers.push(getComputedStyle(p));
  const inBox = svgText && e.parentNode.id !== "stage" && !e.classList.contains("why");
  const colours = layers.map((s, k) => k === 0 && inBox ? s.fill : s.backgroundColor);
  return [svgText ? style.fill : style.color, colours, e.textContent.slice(0, 40)];
})"""


def opaque(colours: list[str]) -> str:
    """The first colour that hides what is under it, as ``#rrggbb``."""
    for colour in colours:
        parts = [float(x) for x in colour[colour.index("(") + 1:-1].split(",")]
        if len(parts) == 3 or parts[3] > 0.5:
            return "#" + "".join(f"{int(x):02x}" for x in parts[:3])
    raise AssertionError(f"nothing is opaque in {colours}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_light_and_dark(scheme: str, open_page: OpenPage) -> None:
    page = open_page(gpt(4), color_scheme=scheme)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(24, 24, 27)")
    for act in (lambda: page.click("#next"), lambda: box(page, "tok").click(),
                lambda: page.fill("#search", "linear")):
        act()
        poor = [(text, ink, under) for ink, under, text in
                ((opaque([ink]), opaque(under), text) for ink, under, text in page.evaluate(SEEN)) if contrast(ink, under) < 4.5]
        assert not poor
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != paper


def test_the_legend_says_what_the_colours_mean(open_page: OpenPage) -> None:
    page = open_page(mlp())
    text = page.locator("#legend").inner_text()
    assert all(name in text for name in ("negative", "mixed", "positive", "zero", "NaN or infinity", "1e"))
    x = mg.ones(2, requires_grad=True)
    assert open_page(viz.draw((x * 2).sum())).locator("#legend").inner_text() == ""


def test_reduced_motion_stops_what_moves(open_page: OpenPage) -> None:
    animated = "getComputedStyle(document.querySelector('.arrow.lit')).animationName"
    page = open_page(scalars())
    page.click("#next")
    assert page.evaluate(animated) == "flow"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(animated) == "none"


def test_a_small_screen_has_room_for_all(open_page: OpenPage) -> None:
    page = open_page(gpt(4), width=390, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part, tall in (("#view", 200), ("#panel", 150), ("footer", 20)):
        place = page.locator(part).bounding_box()
        assert place["height"] >= tall and place["x"] >= 0 and place["y"] + place["height"] <= 801


def test_paper_has_all_of_the_picture(open_page: OpenPage) -> None:
    page = open_page(gpt(4), color_scheme="dark")
    page.evaluate("zoom(4)")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not page.locator("footer").is_visible() and not page.locator("#search").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.set_viewport_size({"width": 794, "height": 1123})  # which is paper's
    paper = page.locator("#picture").bounding_box()
    for shown in page.locator(".box").all():
        place = shown.bounding_box()
        assert paper["x"] <= place["x"] and place["x"] + place["width"] <= paper["x"] + paper["width"]
        assert paper["y"] <= place["y"] and place["y"] + place["height"] <= paper["y"] + paper["height"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.evaluate("svg.getAttribute('viewBox')") is None
    assert page.pdf().startswith(b"%PDF")


def test_a_notebook_holds_the_page_in_a_frame(browser: Any) -> None:
    shown = mlp().iframe(height=500)
    page = browser.new_page()
    page.set_content(f"<h1>a notebook</h1>{shown._repr_html_()}")
    inside = page.frame_locator("iframe")
    inside.locator(".box", has_text="cross_entropy").click()
    assert "def cross_entropy_of_classes(" in inside.locator("#panel").inner_text()
    assert page.locator("iframe").bounding_box()["height"] == pytest.approx(500, abs=3) and "notebook shows it" in repr(shown)
    page.close()


# ---------------------------------------------------------------------------------------------------- how much it can hold

def test_a_page_of_a_hundred_thousand_operations_opens(open_page: OpenPage, tmp_path: Path) -> None:
    h = mg.ones(1, requires_grad=True)
    for _ in range(50_000):
        h = h * 1.0 + 0.5
    drawing = viz.draw(h)
    assert len(drawing.graph.operations) == 100_000
    page = open_page(drawing)
    assert page.locator(".box").count() < 10
    page.click("#next")
    assert "of the first 20,000 of 100,000" in page.locator("#said").inner_text()
    assert len(drawing.html()) < 8_000_000


def test_a_crowd_is_not_opened_but_searched(open_page: OpenPage) -> None:
    values = [mg.ones(2, requires_grad=True)]
    for _ in range(2000):
        values.append(random.choice([mg.sin, mg.exp, mg.tanh])(random.choice(values)))
    page = open_page(viz.draw(mg.stack(values).sum()))
    before = page.locator(".box").count()
    crowd = page.evaluate("[...picture.boxes.keys()].find(id => groupOf(id) && membersOf(id).length > 1500)")
    page.evaluate("toggle", crowd)
    assert page.locator(".box").count() == before and "more than 1,500" in page.locator("#said").inner_text()
    page.fill("#search", "tanh")
    page.keyboard.press("Enter")
    assert page.evaluate("boxOf(state.chosen).title") == "tanh" and page.locator(".box").count() == before
    assert "def tanh(" in page.locator("#panel").inner_text()


def test_texts_and_numbers_are_in_the_page_once_and_short() -> None:
    page = gpt(12).html()
    data = json.loads(page.split('<script id="data" type="application/json">')[1].split("</script>")[0])
    assert len(set(data["words"])) == len(data["words"])
    assert not any(value in ("", None, [], {}, 0, False) for thing in data["details"].values() for name, value in thing.items()
                   if name not in ("node", "line", "code", "dtype"))
    assert len(page) < 300_000
