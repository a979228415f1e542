"""Nested tuples, lists and dictionaries, which arguments and results may be: their leaves, and the same of other leaves."""

from __future__ import annotations

from typing import Any, Callable, Iterator

from minigrad import _pytree
from minigrad._tensor import Tensor
from minigrad.errors import InvalidValueError, RuntimeValueError
from minigrad.recording.call import constant

leaves_of = _pytree.tree_leaves


def rebuild_tree(tree: Any, leaves: Iterator[Any]) -> Any:
    """`tree` with its leaves replaced by the next ones that the iterator `leaves` gives."""
    return _pytree.tree_structure(tree).build(leaves)


def map_tree(function: Callable[[Any], Any], tree: Any) -> Any:
    """`tree` with its leaves replaced by what `function` makes of them."""
    return rebuild_tree(tree, iter([function(leaf) for leaf in leaves_of(tree)]))


def structure_of(tree: Any) -> str:
    """How `tree` is nested, with a star for each leaf: equal for trees of one structure, and fit for errors."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key!r}: {structure_of(tree[key])}" for key in sorted(tree, key=repr)) + "}"
    if isinstance(tree, (tuple, list)):
        inside = ", ".join(map(structure_of, tree))
        return f"[{inside}]" if isinstance(tree, list) else f"({inside})"
    return "*"


def spread(values: Any, tree: Any) -> list[Any] | None:
    """A value for each leaf of `tree`: those of `values`, which has the structure of `tree`, but that a single value in the place
    of a part stands for all of it. None if it has another structure."""
    if not isinstance(values, (dict, tuple, list)):
        return [values] * len(leaves_of(tree))
    if isinstance(values, dict):
        pairs = [(values[key], tree[key]) for key in tree] if isinstance(tree, dict) and values.keys() == tree.keys() else None
    else:
        alike = isinstance(tree, list if isinstance(values, list) else tuple) and len(values) == len(tree)
        pairs = list(zip(values, tree)) if alike else None
    if pairs is None:
        return None
    found: list[Any] = []
    for value, part in pairs:
        spread_part = spread(value, part)
        if spread_part is None:
            return None
        found += spread_part
    return found


def tensors_to_transform(tree: Any) -> list[Any]:
    """The tensors of `tree`. Raises ``ValueError`` if there is anything else in it."""
    found = leaves_of(tree)
    for leaf in found:
        if not isinstance(leaf, Tensor):
            raise InvalidValueError(f"Thing passed to transform API must be Tensor, got {type(leaf)}; what is no tensor belongs "
                                    "into an argument that nothing is differentiated with respect to")
    return found


def tensors_returned(caller: str, output: Any) -> list[Any]:
    """The tensors that a function returned. Raises ``RuntimeError`` if there are none, or anything else."""
    found = leaves_of(output)
    if not found or output is None:
        raise RuntimeValueError(f"{caller}: Expected f to be a function that has non-empty output (got output = {output})")
    for leaf in found:
        if not isinstance(leaf, Tensor):
            raise RuntimeValueError(f"{caller}: expected f(*primals) to return only tensors, got unsupported type {type(leaf)}")
    return found


def split_aux(caller: str, output: Any, has_aux: bool) -> tuple[Any, Any]:
    """The value and, if `has_aux`, the auxiliary tensors that a function returned."""
    if not has_aux:
        return output, None
    if not (isinstance(output, tuple) and len(output) == 2):
        got = f"{len(output)} values" if isinstance(output, tuple) else type(output).__name__
        raise RuntimeValueError(f"{caller}: output of function f should be a tuple: (output, aux) if has_aux is True, got {got}")
    for leaf in leaves_of(output[1]):
        if not isinstance(leaf, Tensor):
            raise RuntimeValueError(f"{caller}: Expected tensors, got unsupported type {type(leaf)} in aux")
    return output


def detach_tree(tree: Any, keep: bool) -> Any:
    """`tree` cut from the graph, unless an outer transform needs it."""
    return tree if keep else map_tree(lambda t: constant(t.array, t) if isinstance(t, Tensor) else t, tree)
