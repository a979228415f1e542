"""Folding and layout: no arrow is lost, what repeats is drawn once, and no arrow crosses a box that it does not belong to."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn
from minigrad.viz import draw, record
from minigrad.viz.folding import Fold, crosses, fold
from minigrad.viz.graph import Graph
from minigrad.viz.layout import Layout, Point, Rectangle
from minigrad.viz.reading import Names, read
from minigrad.viz.sheet import Sheet
from tests.viz.models import PROGRAMS


def graph_of(name: str) -> Graph:
    model, loss = PROGRAMS[name]()
    return read([loss], Names(model))


@st.composite
def programs(draw: Any) -> Graph:
    """The graph of a random program: operations on earlier values, loops that repeat a body."""
    values = [mg.ones(2, requires_grad=True), mg.ones(2, requires_grad=True)]

    def body(plan: list[tuple[int, int, int]]) -> None:
        for kind, i, j in plan:
            a, b = values[i % len(values)], values[-1 - j % min(len(values), 3)]
            values.append([a * b, a + b, b.tanh(), mg.stack([a, b]).sum(0)][kind])

    for _ in range(draw(st.integers(1, 3))):
        plan = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=4))
        for _ in range(draw(st.integers(1, 5))):
            body(plan)
    return read([values[-1].sum(), values[len(values) // 2].sum()], Names(None))


def assert_no_arrow_is_lost(made: Fold) -> None:
    drawn = {(a.source, a.target, a.returns) for a in made.arrows}
    assert sum(len(a.arrows) for a in made.arrows) <= len(made.graph.arrows)
    boxes = set(made.boxes)
    assert {made.holder[id] for id in [*made.graph.operations, *made.graph.leaves]} == boxes
    for arrow in made.graph.arrows:
        source, target = made.holder[arrow.source], made.holder[arrow.target]
        returns = crosses(made, arrow)
        assert source == target and not returns or (source, target, returns) in drawn
    place = {id: k for k, id in enumerate(made.boxes)}
    assert all(place[a.source] < place[a.target] for a in made.arrows if not a.returns)  # only those of a run lead back


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_arrow_survives_folding(name: str) -> None:
    graph = graph_of(name)
    for options in ({}, {"depth": 0}, {"depth": 1}, {"depth": 9}, {"budget": 5}, {"budget": 10_000}):
        assert_no_arrow_is_lost(fold(graph, **options))


@given(programs(), st.sampled_from([1, 8, 40, 1000]))
def test_every_arrow_of_any_program_survives_folding(graph: Graph, budget: int) -> None:
    assert_no_arrow_is_lost(fold(graph, budget))


def curve(points: list[Point]) -> list[Point]:
    """Points along the path that is drawn: straight within layers, curved between them."""
    found = [points[0]]
    for k, (a, b) in enumerate(points[1:], 1):
        x, y = points[k - 1]
        for s in [n / 12 for n in range(1, 13)]:
            if k % 2:
                found.append((x + (a - x) * s, y + (b - y) * s))
            else:
                ease = 3 * s * s - 2 * s ** 3
                found.append((x + (a - x) * ease, y + (b - y) * (1.5 * s * (1 - s) + s ** 3) if y != b else y))
    return found


def inside(p: Point, box: Rectangle) -> bool:
    return box.x + 0.5 < p[0] < box.x + box.width - 0.5 and box.y + 0.5 < p[1] < box.y + box.height - 0.5


def assert_clear(made: Fold, layout: Layout) -> None:
    """Boxes stand apart, frames hold their boxes, and arrows touch only the boxes at their ends."""
    boxes = list(layout.boxes.items())
    assert {id for id, _ in boxes} == set(made.boxes)
    for k, (_, a) in enumerate(boxes):
        for _, b in boxes[k + 1:]:
            assert a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
    for id, box in boxes:
        for frame in made.graph.ancestors(id):
            if frame in layout.frames:
                f = layout.frames[frame]
                assert f.x <= box.x and box.x + box.width <= f.x + f.width
                assert f.y <= box.y and box.y + box.height <= f.y + f.height
    for arrow, points in layout.arrows:
        own = {arrow.source, arrow.target}
        if len(points) < 3 or arrow.source == arrow.target:
            continue
        for p in curve(points):
            crossed = [id for id, box in boxes if id not in own and inside(p, box)]
            assert not crossed, (arrow.source, arrow.target, crossed)
    assert len(layout.arrows) == len(made.arrows)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_arrow_crosses_a_box_that_it_does_not_belong_to(name: str, backward: bool) -> None:
    graph = graph_of(name)
    for options in ({}, {"depth": 9}, {"budget": 10_000}):
        made = fold(graph, **options)
        assert_clear(made, Sheet(made, backward).layout)


@given(programs(), st.sampled_from([8, 40, 1000]), st.booleans())
def test_no_arrow_of_any_program_crosses_a_foreign_box(graph: Graph, budget: int, backward: bool) -> None:
    made = fold(graph, budget)
    assert_clear(made, Sheet(made, backward).layout)


def test_equal_blocks_are_drawn_once_with_their_residual_arrows() -> None:
    made = fold(graph_of("gpt"))
    run = next(g for g in made.graph.groups.values() if g.kind == "run")
    assert (run.title, run.type, run.repeats) == ("blocks.0–3", "Block", 4)
    assert run.id in made.open and len(made.boxes) <= 40
    adds = [id for id in made.boxes if id in made.graph.operations and made.graph[id].name == "add"]
    assert len(adds) == 3  # of the embeddings, and two in the block
    into = {(a.source, a.returns) for a in made.arrows if a.target == adds[1]}
    assert (adds[0], False) in into and (adds[2], True) in into  # the residual of the first block, and of the others


def test_equal_members_side_by_side_are_drawn_once() -> None:
    made = fold(graph_of("heads"))
    run = next(g for g in made.graph.groups.values() if g.kind == "run")
    assert run.repeats == 6
    assert not any(a.returns for a in made.arrows)


@pytest.mark.parametrize("steps", [10, 10_000])
def test_a_chain_is_three_boxes(steps: int) -> None:
    w = mg.ones(3, requires_grad=True)
    h = w
    for _ in range(steps):
        h = h * 2
    made = draw(h.sum()).fold
    assert [made.graph[id].kind if id in made.graph.groups else id[0] for id in made.boxes] == ["l", "run", "o", "l"]
    assert f"×{steps:,}" in draw(h.sum()).text()


def test_a_loop_is_folded_from_its_first_line() -> None:
    w = mg.ones(3, requires_grad=True)
    h = mg.tanh(w)
    for _ in range(7):
        h = h * w
        h = h + 1
        h = mg.tanh(h)
    graph = draw(h.sum()).graph
    run = next(g for g in graph.groups.values() if g.kind == "run")
    assert run.repeats == 7
    assert [graph.operations[o].name for o in graph.groups[run.members[0]].members] == ["mul", "add", "tanh"]


def test_many_different_lines_are_grouped_by_line() -> None:
    values: dict[str, Any] = {"mg": mg, "x": mg.ones(2, requires_grad=True)}
    names = ("sin", "cos", "exp", "tanh", "sigmoid", "sqrt", "square")
    source = "\n".join(f"x = mg.{names[k * k % 7]}(x) + mg.{names[k * (k + 1) % 5]}(x) * {k}" for k in range(150))
    exec(compile(source, "many.py", "exec"), values)
    made = draw(values["x"]).fold
    assert len(made.boxes) <= 42
    assert_no_arrow_is_lost(made)


def test_the_same_graph_gives_the_same_drawing() -> None:
    model, loss = PROGRAMS["resnet"]()
    assert draw(loss, model=model).svg() == draw(loss, model=model).svg()


def test_a_hundred_thousand_operations_are_read_without_recursion() -> None:
    h = mg.ones(1, requires_grad=True)
    for _ in range(50_000):
        h = h * 1.0 + 0.5
    begun = time.process_time()
    drawing = draw(h)
    assert len(drawing.graph.operations) == 100_000 and len(drawing.fold.boxes) < 10
    assert time.process_time() - begun < 120  # a quadratic walk would take hours


def test_runs_within_runs_fold_at_every_budget() -> None:
    graph = draw(PROGRAMS["loops"]()[1]).graph
    for budget in range(1, 80):
        made = fold(graph, budget)
        assert set(graph.operations) <= set(made.holder) and set(made.holder.values()) <= set(made.boxes)


def test_leaves_that_a_whole_loop_reads_do_not_part_its_steps() -> None:
    model, x = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)), mg.ones(5, 3)
    with record(model) as r:
        for _ in range(7):
            model(x).mean().backward()
    assert [g.repeats for g in r.graph.groups.values() if g.kind == "run"] == [7]
