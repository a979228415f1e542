"""Trees of containers: what ``utils._pytree`` takes apart, works on and puts together."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.utils import _pytree as pytree

Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Pair:
    a: Any
    b: Any = None


class Box:
    def __init__(self, *inside: Any) -> None:
        self.inside = inside


pytree.register_dataclass(Pair)
pytree.register_pytree_node(Box, lambda box: (list(box.inside), None), lambda children, _: Box(*children))

TREES = st.recursive(st.integers() | st.none() | st.text(max_size=2), lambda below: st.lists(below, max_size=3) | st.tuples(below)
                     | st.dictionaries(st.text(max_size=2), below, max_size=3) | st.builds(Point, below, below)
                     | st.builds(collections.OrderedDict, st.dictionaries(st.integers(0, 9), below, max_size=2))
                     | st.builds(lambda items: collections.deque(items, 5), st.lists(below, max_size=3))
                     | st.builds(lambda a: Pair(a), below))


@given(TREES)
def test_what_is_taken_apart_comes_together_again(tree: Any) -> None:
    leaves, spec = pytree.tree_flatten(tree)
    again = spec.unflatten(leaves)
    assert again == tree and type(again) is type(tree) and spec.num_leaves == len(leaves)
    assert pytree.tree_structure(again) == spec and pytree.tree_structure([tree]) != spec
    assert [pytree.key_get(tree, way) for way, _ in pytree.tree_leaves_with_path(tree)] == leaves
    assert pytree.tree_leaves(pytree.tree_map(lambda a, b: (a, b), tree, tree), is_leaf=lambda t: isinstance(t, tuple) and t in [
        (leaf, leaf) for leaf in leaves]) == [(leaf, leaf) for leaf in leaves]


def test_kinds_of_containers_keep_what_they_hold_beside_children() -> None:
    counts = collections.defaultdict(list, a=1)
    assert pytree.tree_map(lambda x: x + 1, counts).default_factory is list
    assert pytree.tree_map(lambda x: x, collections.deque([1], 3)).maxlen == 3
    assert pytree.tree_map(lambda x: 2 * x, Pair(1, [2])) == Pair(2, [4])
    assert pytree.tree_map(lambda x: 2 * x, Box(1, (2,))).inside == (2, (4,))
    assert repr(pytree.tree_structure({"a": [1, (2,)]})) == (
        "TreeSpec(dict, ['a'], [TreeSpec(list, None, [*,\n    TreeSpec(tuple, None, [*])])])")


def test_mappings_are_matched_by_key() -> None:
    assert pytree.tree_map(lambda a, b: (a, b), {"a": 1, "b": 2}, {"b": 3, "a": 4}) == {"a": (1, 4), "b": (2, 3)}


@pytest.mark.parametrize(("tree", "other", "message"), [
    ([1, 2], [1], "Node arity mismatch; expected 2, but got 1"), ([1], (1,), "Node type mismatch; expected <class 'list'>"),
    ({"a": 1}, {"b": 1}, r"Node keys mismatch; missing key\(s\): {'a'}; extra key\(s\): {'b'}")])
def test_trees_that_do_not_match_are_named(tree: Any, other: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pytree.tree_map(lambda a, b: a, tree, other)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="`leaves` has length 1 but the spec refers to a pytree that holds 2 items"):
        pytree.tree_unflatten([1], pytree.tree_structure([1, 2]))
    with pytest.raises(TypeError, match="Expected `treespec` to be an instance of TreeSpec"):
        pytree.tree_unflatten([1], 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="already registered as pytree node"):
        pytree.register_dataclass(Pair)
    with pytest.raises(TypeError, match="Argument must be a type"):
        pytree.tree_map_only(3, abs, [1])  # type: ignore[arg-type]


def test_a_leaf_stands_for_the_part_in_its_place() -> None:
    def spread(tree: Any, like: Any) -> Any:
        return pytree._broadcast_to_and_flatten(tree, pytree.tree_structure(like))
    assert spread(1, [2, (3,)]) == [1, 1] and spread([1, 2], [0, (0, 0)]) == [1, 2, 2]
    assert spread({"a": 1}, {"a": [0, 0]}) == [1, 1]
    assert spread([1, 2], (0, 0)) is spread([1], [0, 0]) is spread([1, [2]], [0, (0,)]) is spread({"a": 1}, {"b": 0}) is None
    assert spread([None, 1], [0, [0, 0]]) == [None, 1, 1] and spread((), ()) == []


def test_leaves_of_a_call_and_constants() -> None:
    assert pytree.arg_tree_leaves(1, [2], a=(3,)) == [1, 2, 3]

    class Fixed:
        pass

    pytree.register_constant(Fixed)
    fixed = Fixed()
    assert pytree.is_constant_class(Fixed) and not pytree.is_constant_class(Pair) and not pytree.is_constant_class(int)
    assert pytree.tree_leaves([fixed, 1]) == [1] and pytree.tree_map(str, [fixed, 1]) == [fixed, "1"]


def test_leaves_of_some_types() -> None:
    batch = {"images": mg.ones(2), "names": ["a", "b"]}
    moved = pytree.tree_map_only(mg.Tensor, lambda t: t * 2, batch)
    assert moved["images"].tolist() == [2, 2] and moved["names"] == ["a", "b"]
    assert pytree.tree_map_only(lambda leaf: leaf == "a", str.upper, batch["names"]) == ["A", "b"]


@pytest.mark.parity
def test_specs_and_ways_are_pytorchs() -> None:
    pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    theirs = pytest.importorskip("torch.utils._pytree")
    for tree in ({"b": 1, "a": [2, (3,)]}, 3, None, Point(1, [2]), collections.deque([1, 2], 3), (), [], {},
                 collections.OrderedDict(a=1), collections.defaultdict(list, a=1), (((),), [])):
        assert repr(pytree.tree_flatten(tree)) == repr(theirs.tree_flatten(tree))
        assert repr(pytree.tree_flatten_with_path(tree)) == repr(theirs.tree_flatten_with_path(tree))
        assert pytree.treespec_pprint(pytree.tree_structure(tree)) == theirs.treespec_pprint(theirs.tree_structure(tree))
