"""Calling a module with other tensors in the place of its parameters."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, Mapping, Sequence

from minigrad._tensor import Tensor
from minigrad.errors import ArgumentError, InvalidValueError, RuntimeValueError
from minigrad.nn.parameter import Parameter

__all__ = ["functional_call"]


def functional_call(module: Any, parameters_and_buffers: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
                    tie_weights: bool = True, strict: bool = False) -> Any:
    """``module(*args, **kwargs)`` computed with the tensors of `parameters_and_buffers`, by dotted name, instead of its own.

    Args:
        parameters_and_buffers: a dictionary, or several in a sequence.
        args: the positional arguments; a single one need not be in a tuple.
        tie_weights: a tensor given for one name of a shared parameter is used for its other names too.
        strict: raise ``RuntimeError`` unless exactly the module's names are given; otherwise a name that the module has not is
            an attribute meanwhile.

    Raises: ``ValueError`` for a name that is given twice, or different tensors for one that is shared.

    >>> import minigrad as mg
    >>> layer = mg.nn.Linear(2, 1, bias=False)
    >>> functional_call(layer, {"weight": mg.tensor([[1.0, 2.0]])}, mg.tensor([3.0, 4.0]))
    tensor([11.])
    """
    if isinstance(parameters_and_buffers, Mapping):
        given = parameters_and_buffers
    elif isinstance(parameters_and_buffers, (list, tuple)):
        given = joined(parameters_and_buffers)
    else:
        raise InvalidValueError("functional_call: Expected parameters_and_buffers to be a dict, or a list/tuple of dicts, but "
                                f"got {type(parameters_and_buffers)}")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with replace_tensors(module, given, tie_weights, strict):
        return module(*args, **({} if kwargs is None else kwargs))


def joined(dicts: Sequence[Any]) -> dict[str, Any]:
    """What several dictionaries give. Raises ``ValueError`` for a name that two of them have."""
    given: dict[str, Any] = {}
    for d in dicts:
        if not isinstance(d, Mapping):
            raise InvalidValueError("functional_call: Expected all elements of parameter_and_buffer_dicts to be dictionaries, "
                                    f"but one is a {type(d).__name__}")
        if repeated := given.keys() & d.keys():
            raise InvalidValueError(f"functional_call: {sorted(repeated)} appeared in multiple dictionaries; behavior of "
                                    "functional call is ambiguous")
        given.update(d)
    return given


@contextlib.contextmanager
def replace_tensors(module: Any, given: Mapping[str, Any], tie_weights: bool, strict: bool) -> Iterator[None]:
    """Let `module` have the `given` tensors under their names inside the block. What it put in their place is written back to
    `given`."""
    own = tensors_of(module) if tie_weights or strict else {}  # modules may contain each other where nobody asks for all names
    new = {**given, **tied_tensors(own, given)} if tie_weights else dict(given)
    if strict and new.keys() != own.keys():
        problems = [f"{what} key(s): {', '.join(map(repr, sorted(names)))}." for what, names in (
            ("Unexpected", new.keys() - own.keys()), ("Missing", own.keys() - new.keys())) if names]
        head = f"functional_call: Error(s) in reparametrizing for {type(module).__name__}:"
        raise RuntimeValueError("\n\t".join([head, *problems]))
    for name, t in new.items():
        if t is not None and not isinstance(t, Tensor):
            raise ArgumentError(f"functional_call: {name!r}: {t!r} is not an instance of torch.Tensor")
    places = {name: place_of(module, name, t) for name, t in new.items()}
    old = {name: store.get(key, ABSENT) for name, (store, key) in places.items()}
    for name, before in old.items():
        if before is not ABSENT and before is not None and not isinstance(before, Tensor):
            raise ArgumentError(f"functional_call: attribute `{name}`: {before!r} is not an instance of torch.Tensor")
    try:
        for name, t in new.items():
            store, key = places[name]
            store[key] = t
        yield
    finally:
        for name, before in old.items():
            store, key = places[name]
            if isinstance(given, dict) and name in given and key in store:
                given[name] = store[key]
            if before is ABSENT:
                store.pop(key, None)
            else:
                store[key] = before


ABSENT = object()  # stands for an attribute that the module had not


def tensors_of(module: Any) -> dict[str, Any]:
    """All parameters and buffers of `module` by dotted name, under each name that they have."""
    return {f"{path}.{name}" if path else name: t for path, part in module.named_modules(remove_duplicate=False)
            for store in (part._parameters, part._buffers) for name, t in store.items() if t is not None}


def tied_tensors(own: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """For every name of a tensor that has several, one of which is in `given`, the tensor given. Raises ``ValueError`` where
    different ones are."""
    names: dict[int, list[str]] = {}
    for name, t in own.items():
        names.setdefault(id(t), []).append(name)
    found = {}
    for name in given:
        if name in own and len(twins := names[id(own[name])]) > 1:
            if any(twin in given and given[twin] is not given[name] for twin in twins):
                raise InvalidValueError(f"functional_call got multiple values for keys {sorted(twins)}, which are tied. Consider "
                                        "using tie_weights=False")
            found.update(dict.fromkeys(twins, given[name]))
    return found


def place_of(module: Any, name: str, t: Any) -> tuple[dict[str, Any], str]:
    """Where `module` keeps the tensor `t` of that dotted name: a dictionary, and the key in it. Under a name that it has not, a
    parameter is one meanwhile, and another tensor an attribute. Raises ``AttributeError`` where the path leads to no module."""
    path, _, key = name.rpartition(".")
    owner = module.get_submodule(path)
    for store in (owner._parameters, owner._buffers):
        if key in store:
            return store, key
    return (owner._parameters if isinstance(t, Parameter) and key not in owner.__dict__ else owner.__dict__), key
