"""Trees of containers, with the names of ``torch.utils._pytree``: leaves taken out, worked on, and put back.

Tuples, named tuples, lists, dictionaries of the standard library and deques are containers, and whatever a user registers.
Everything else, None among it, is a leaf.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict, deque, namedtuple
from types import UnionType
from typing import Any, Callable, Iterable, Iterator, NamedTuple

from minigrad.errors import ArgumentError, InvalidValueError

__all__ = ["GetAttrKey", "LeafSpec", "MappingKey", "SequenceKey", "TreeSpec", "arg_tree_leaves", "is_constant_class",
           "is_namedtuple", "is_namedtuple_class", "is_namedtuple_instance", "key_get", "keystr", "register_constant",
           "register_dataclass", "register_pytree_node", "tree_all", "tree_all_only", "tree_any", "tree_any_only",
           "tree_flatten", "tree_flatten_with_path", "tree_is_leaf", "tree_iter", "tree_leaves", "tree_leaves_with_path",
           "tree_map", "tree_map_", "tree_map_only", "tree_map_only_", "tree_map_with_path", "tree_structure", "tree_unflatten",
           "treespec_pprint"]

PyTree = Any
Context = Any
IsLeaf = Callable[[Any], bool]
Types = type[Any] | tuple[type[Any], ...] | UnionType


# ---------------------------------------------------------------------------------------------------- ways to a child

@dataclasses.dataclass(frozen=True)
class SequenceKey:
    """The way to a child by its place: ``[0]``."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        """The child of `sequence`."""
        return sequence[self.idx]


@dataclasses.dataclass(frozen=True)
class MappingKey:
    """The way to a child by its key: ``['name']``."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        """The child of `mapping`."""
        return mapping[self.key]


@dataclasses.dataclass(frozen=True)
class GetAttrKey:
    """The way to a child by its name: ``.name``."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        """The child of `obj`."""
        return getattr(obj, self.name)


def keystr(kp: Iterable[Any]) -> str:
    """The way to a leaf, as one writes it: ``['a'][1].x``."""
    return "".join(map(str, kp))


def key_get(obj: Any, kp: Iterable[Any]) -> Any:
    """What the way `kp` leads to, from `obj`."""
    for key in kp:
        obj = key.get(obj)
    return obj


# ---------------------------------------------------------------------------------------------------- kinds of containers

class Kind(NamedTuple):
    """What there is to know of a class of containers."""

    flatten: Callable[[Any], tuple[Iterable[Any], Any]]  # the children, and what else the container holds: its context
    unflatten: Callable[[Any, Any], Any]  # from children and context
    keys: Callable[[Any, Any], Iterable[Any]]  # the way to each child, of container and context


def places(container: Any, context: Any) -> list[Any]:
    """The ways to the children of a sequence."""
    return [SequenceKey(k) for k in range(len(container))]


def mapping_keys(container: Any, context: Any) -> list[Any]:
    """The ways to the children of a mapping."""
    return [MappingKey(key) for key in container]


# By class; the function that makes them stands for the classes of all named tuples, whose context is the class.
KINDS: dict[Any, Kind] = {
    tuple: Kind(lambda t: (t, None), lambda children, _: tuple(children), places),
    list: Kind(lambda t: (t, None), lambda children, _: list(children), places),
    deque: Kind(lambda t: (t, t.maxlen), lambda children, maxlen: deque(children, maxlen), places),
    dict: Kind(lambda t: (t.values(), list(t)), lambda children, keys: dict(zip(keys, children)), mapping_keys),
    OrderedDict: Kind(lambda t: (t.values(), list(t)), lambda children, keys: OrderedDict(zip(keys, children)), mapping_keys),
    defaultdict: Kind(lambda t: (t.values(), [t.default_factory, list(t)]),
                      lambda children, context: defaultdict(context[0], zip(context[1], children)), mapping_keys),
    namedtuple: Kind(lambda t: (t, type(t)), lambda children, cls: cls(*children), lambda t, cls: map(GetAttrKey, cls._fields)),
}
MAPPINGS = (dict, OrderedDict, defaultdict)


def register_pytree_node(cls: type[Any], flatten_fn: Callable[[Any], tuple[Iterable[Any], Any]],
                         unflatten_fn: Callable[[Any, Any], Any], *, serialized_type_name: str | None = None,
                         to_dumpable_context: Callable[[Any], Any] | None = None,
                         from_dumpable_context: Callable[[Any], Any] | None = None,
                         flatten_with_keys_fn: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]] | None = None) -> None:
    """Let instances of `cls` be containers.

    Args:
        flatten_fn: from an instance to its children and its context, which is anything that compares.
        unflatten_fn: from children and context to an instance.
        flatten_with_keys_fn: as `flatten_fn`, with pairs of the way to a child and the child; without it, the ways are places.
        serialized_type_name, to_dumpable_context, from_dumpable_context: accepted; specs are not written to files here.

    Raises ``ValueError`` where `cls` is registered already.
    """
    if cls in KINDS:
        raise InvalidValueError(f"{cls} is already registered as pytree node.")
    def keys(container: Any, context: Any) -> Iterable[Any]:
        if flatten_with_keys_fn is None:
            return map(SequenceKey, range(len(list(flatten_fn(container)[0]))))
        return [key for key, _ in flatten_with_keys_fn(container)[0]]
    KINDS[cls] = Kind(flatten_fn, unflatten_fn, keys)


def register_dataclass(cls: type[Any], *, field_names: list[str] | None = None, drop_field_names: list[str] | None = None,
                       serialized_type_name: str | None = None) -> None:
    """Let instances of a dataclass be containers of their fields, but for those in `drop_field_names`; a field that is None
    is left out, and is None again where the tree is put together."""
    if field_names is None:
        if not dataclasses.is_dataclass(cls):
            raise InvalidValueError("field_names must be specified with a list of all fields used to initialize the class if it "
                                    "is not a dataclass.")
        field_names = [field.name for field in dataclasses.fields(cls) if field.init]
    names = [name for name in field_names if name not in (drop_field_names or ())]

    def there(instance: Any) -> list[str]:
        return [name for name in names if getattr(instance, name) is not None]

    def flatten(instance: Any) -> tuple[list[Any], Any]:
        full = there(instance)
        return [getattr(instance, name) for name in full], [full, [name for name in names if name not in full]]

    def unflatten(children: Any, context: Any) -> Any:
        return cls(**dict(zip(context[0], children)), **dict.fromkeys(context[1]))

    register_pytree_node(cls, flatten, unflatten, flatten_with_keys_fn=lambda instance: (
        [(GetAttrKey(name), getattr(instance, name)) for name in there(instance)], flatten(instance)[1]))


def register_constant(cls: type[Any]) -> None:
    """Let instances of `cls` be containers without children, which go through unchanged."""
    register_pytree_node(cls, constant_children, lambda _, instance: instance)


def is_constant_class(cls: type[Any]) -> bool:
    """Whether `cls` was given to :func:`register_constant`.

    >>> class Mode: pass
    >>> register_constant(Mode)
    >>> is_constant_class(Mode), is_constant_class(list)
    (True, False)
    """
    return cls in KINDS and KINDS[cls].flatten is constant_children


def constant_children(instance: Any) -> tuple[list[Any], Any]:
    """The children of a container that has none, and itself."""
    return [], instance


def is_namedtuple_class(cls: type) -> bool:
    """Whether `cls` was made by ``namedtuple`` or ``NamedTuple``, or derives from such a class."""
    fields = getattr(cls, "_fields", None) if isinstance(cls, type) and issubclass(cls, tuple) else None
    return isinstance(fields, tuple) and all([isinstance(field, str) for field in fields])


def is_namedtuple_instance(obj: Any) -> bool:
    """Whether `obj` is a named tuple."""
    return is_namedtuple_class(type(obj))


def is_namedtuple(obj: Any) -> bool:
    """Whether `obj` is a named tuple, or the class of one."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def kind_of(tree: Any) -> Any:
    """The key in :data:`KINDS` of the class of `tree`; None for a leaf."""
    cls = type(tree)
    return cls if cls in KINDS else namedtuple if is_namedtuple_class(cls) else None


# ---------------------------------------------------------------------------------------------------- taking trees apart

class TreeSpec:
    """What a tree is, without its leaves: the kind of container, its context, and the specs of its children."""

    def __init__(self, type: Any, context: Any, children: list[TreeSpec]) -> None:
        self.type, self.context, self._children = type, context, children
        self.num_children = len(children)
        self.num_leaves: int = sum([child.num_leaves for child in children])
        self.num_nodes: int = 1 + sum([child.num_nodes for child in children])

    @property
    def children_specs(self) -> list[TreeSpec]:
        """The specs of the children."""
        return self._children

    def children(self) -> list[TreeSpec]:
        """The specs of the children."""
        return list(self._children)

    def child(self, index: int) -> TreeSpec:
        """The spec of one child."""
        return self._children[index]

    def is_leaf(self) -> bool:
        """Whether this is the spec of a leaf."""
        return self.type is None

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree with these leaves. Raises ``ValueError`` where they are too few or too many."""
        leaves = list(leaves)
        if len(leaves) != self.num_leaves:
            raise InvalidValueError(f"treespec.unflatten(leaves): `leaves` has length {len(leaves)} but the spec refers to a "
                                    f"pytree that holds {self.num_leaves} items ({self}).")
        return self.build(iter(leaves))

    def build(self, leaves: Iterator[Any]) -> Any:
        """The tree with the next leaves that an iterator gives."""
        if self.type is None:
            return next(leaves)
        return KINDS[self.type].unflatten([child.build(leaves) for child in self._children], self.context)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The parts of `tree` that stand where this spec has leaves. Raises ``ValueError`` where its upper part is another."""
        return list(self._parts(tree))

    def _parts(self, tree: Any) -> Iterator[Any]:
        if self.type is None:
            yield tree
            return
        found, mappings = kind_of(tree), self.type in MAPPINGS
        if found is not self.type and not (mappings and found in MAPPINGS):
            raise InvalidValueError(f"Node type mismatch; expected {self.type!r}, but got {type(tree)!r}.")
        children, context = KINDS[found].flatten(tree)
        if len(children := list(children)) != self.num_children:
            raise InvalidValueError(f"Node arity mismatch; expected {self.num_children}, but got {len(children)}.")
        if mappings:
            keys = self.context[1] if self.type is defaultdict else self.context
            if set(keys) != set(tree):
                raise InvalidValueError(f"Node keys mismatch; missing key(s): {set(keys) - set(tree)}; extra key(s): "
                                        f"{set(tree) - set(keys)}.")
            children = [tree[key] for key in keys]
        elif found is not deque and context != self.context:
            raise InvalidValueError(f"Node context mismatch for {self.type!r}; expected {self.context!r}, but got {context!r}.")
        for child, part in zip(self._children, children):
            yield from child._parts(part)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and (self.type, self.context, self._children) == (
            other.type, other.context, other._children)

    def __hash__(self) -> int:
        return hash((self.type, repr(self.context), tuple(self._children)))

    def __repr__(self) -> str:
        if self.type is None:
            return "*"
        children = ",\n".join([repr(child) for child in self._children]).replace("\n", "\n  ")
        return f"TreeSpec({self.type.__name__}, {self.context}, [{children}])"


class LeafSpec(TreeSpec):
    """The spec of a leaf."""

    def __init__(self) -> None:
        super().__init__(None, None, [])
        self.num_leaves = 1


LEAF = LeafSpec()


def tree_is_leaf(tree: PyTree, is_leaf: IsLeaf | None = None) -> bool:
    """Whether `tree` is no container, or `is_leaf` says that it is to be taken as a leaf."""
    return is_leaf is not None and is_leaf(tree) or kind_of(tree) is None


def walk(tree: Any, is_leaf: IsLeaf | None, way: tuple[Any, ...] | None, found: list[Any]) -> TreeSpec:
    """The spec of `tree`, whose leaves are appended to `found`: with the way to each, unless `way` is None."""
    if tree_is_leaf(tree, is_leaf):
        found.append(tree if way is None else (way, tree))
        return LEAF
    kind = kind_of(tree)
    children, context = KINDS[kind].flatten(tree)
    if way is None:
        return TreeSpec(kind, context, [walk(child, is_leaf, None, found) for child in children])
    ways = [(*way, key) for key in KINDS[kind].keys(tree, context)]
    return TreeSpec(kind, context, [walk(child, is_leaf, step, found) for child, step in zip(children, ways)])


def tree_flatten(tree: PyTree, is_leaf: IsLeaf | None = None) -> tuple[list[Any], TreeSpec]:
    """The leaves of `tree`, in order, and what puts them together again; `is_leaf` says of what else is to be a leaf.

    >>> leaves, spec = tree_flatten({"a": 1, "b": [2, (3,)]})
    >>> leaves, spec.unflatten([10, 20, 30])
    ([1, 2, 3], {'a': 10, 'b': [20, (30,)]})
    """
    leaves: list[Any] = []
    spec = walk(tree, is_leaf, None, leaves)
    return leaves, spec


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """The tree with these leaves. Raises ``ValueError`` where they are too few or too many."""
    if not isinstance(treespec, TreeSpec):
        raise ArgumentError("tree_unflatten(leaves, treespec): Expected `treespec` to be an instance of TreeSpec but got item of "
                            f"type {type(treespec)}.")
    return treespec.unflatten(leaves)


def tree_iter(tree: PyTree, is_leaf: IsLeaf | None = None) -> Iterator[Any]:
    """The leaves of `tree`, in order."""
    return iter(tree_leaves(tree, is_leaf))


def tree_leaves(tree: PyTree, is_leaf: IsLeaf | None = None) -> list[Any]:
    """The leaves of `tree`, in order, as a list."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: PyTree, is_leaf: IsLeaf | None = None) -> TreeSpec:
    """What `tree` is, without its leaves."""
    return tree_flatten(tree, is_leaf)[1]


def tree_flatten_with_path(tree: PyTree, is_leaf: IsLeaf | None = None) -> tuple[list[tuple[tuple[Any, ...], Any]], TreeSpec]:
    """As :func:`tree_flatten`, with pairs of the way to a leaf and the leaf."""
    found: list[Any] = []
    spec = walk(tree, is_leaf, (), found)
    return found, spec


def tree_leaves_with_path(tree: PyTree, is_leaf: IsLeaf | None = None) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs of the way to a leaf and the leaf."""
    return tree_flatten_with_path(tree, is_leaf)[0]


def arg_tree_leaves(*args: PyTree, **kwargs: PyTree) -> list[Any]:
    """The leaves of the arguments of a call, in order.

    >>> arg_tree_leaves(1, [2], key=(3,))
    [1, 2, 3]
    """
    return tree_leaves((args, kwargs))


def _broadcast_to_and_flatten(tree: PyTree, treespec: TreeSpec, is_leaf: IsLeaf | None = None) -> list[Any] | None:
    """A value for each leaf of `treespec`: a leaf of `tree` stands for all of those in its place. None if they do not fit."""
    if tree_is_leaf(tree, is_leaf):
        return [tree] * treespec.num_leaves
    kind = kind_of(tree)
    children, context = KINDS[kind].flatten(tree)
    if kind is not treespec.type or context != treespec.context or len(children := list(children)) != treespec.num_children:
        return None
    parts = [_broadcast_to_and_flatten(child, spec, is_leaf) for child, spec in zip(children, treespec.children_specs)]
    return None if None in parts else [value for part in parts for value in part or ()]


# ---------------------------------------------------------------------------------------------------- working on leaves

def tree_map(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf | None = None) -> PyTree:
    """The tree of what `func` gives for each leaf of `tree`, and for what stands in its place in each of `rests`.

    >>> tree_map(lambda a, b: a + b, {"x": 1, "y": [2]}, {"x": 10, "y": [20]})
    {'x': 11, 'y': [22]}
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    return spec.unflatten(map(func, leaves, *[spec.flatten_up_to(rest) for rest in rests]))


def tree_map_(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf | None = None) -> PyTree:
    """`tree`, after `func` was called for each leaf as by :func:`tree_map`: for functions that work in place."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_with_path(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf | None = None) -> PyTree:
    """As :func:`tree_map`, where `func` is given the way to the leaf first."""
    pairs, spec = tree_flatten_with_path(tree, is_leaf)
    ways, leaves = zip(*pairs) if pairs else ((), ())
    return spec.unflatten(map(func, ways, leaves, *[spec.flatten_up_to(rest) for rest in rests]))


def of_types(wanted: Types | Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether something is of these types; a function is taken as it is."""
    if isinstance(wanted, (type, tuple, UnionType)):
        return lambda leaf: isinstance(leaf, wanted)
    if callable(wanted):
        return wanted
    raise ArgumentError("Argument must be a type, a tuple of types, or a callable.")


def map_only(types: Types | Callable[[Any], bool], /, func: Callable[[Any], Any] | None = None) -> Callable[[Any], Any]:
    """A function that applies `func` to what is of these types and gives the rest back; without `func`, a decorator for it."""
    if func is None:
        return lambda function: map_only(types, function)
    chosen = of_types(types)
    return lambda leaf: func(leaf) if chosen(leaf) else leaf


def tree_map_only(types: Types | Callable[[Any], bool], /, func: Callable[[Any], Any], tree: PyTree,
                  is_leaf: IsLeaf | None = None) -> PyTree:
    """As :func:`tree_map`, for the leaves of these types alone; `types` may be a function that says so of a leaf."""
    return tree_map(map_only(types, func), tree, is_leaf=is_leaf)


def tree_map_only_(types: Types | Callable[[Any], bool], /, func: Callable[[Any], Any], tree: PyTree,
                   is_leaf: IsLeaf | None = None) -> PyTree:
    """`tree`, after `func` was called for each leaf of these types: for functions that work in place."""
    return tree_map_(map_only(types, func), tree, is_leaf=is_leaf)


def tree_all(pred: IsLeaf, tree: PyTree, is_leaf: IsLeaf | None = None) -> bool:
    """Whether `pred` holds of every leaf."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: IsLeaf, tree: PyTree, is_leaf: IsLeaf | None = None) -> bool:
    """Whether `pred` holds of a leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(types: Types, /, pred: IsLeaf, tree: PyTree, is_leaf: IsLeaf | None = None) -> bool:
    """Whether `pred` holds of every leaf of these types."""
    return all([pred(leaf) for leaf in tree_iter(tree, is_leaf) if isinstance(leaf, types)])


def tree_any_only(types: Types, /, pred: IsLeaf, tree: PyTree, is_leaf: IsLeaf | None = None) -> bool:
    """Whether `pred` holds of a leaf of these types."""
    return any([pred(leaf) for leaf in tree_iter(tree, is_leaf) if isinstance(leaf, types)])


def treespec_pprint(treespec: TreeSpec) -> str:
    """The tree of that spec, with a star for each leaf, as text."""
    return repr(treespec.unflatten([Star()] * treespec.num_leaves))


class Star:
    """Stands for a leaf."""

    def __repr__(self) -> str:
        return "*"
