"""Calling a module with other tensors in the place of its parameters."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, Mapping

from minigrad._tensor import Tensor
from minigrad.errors import ArgumentError, InvalidValueError, RuntimeValueError

__all__ = ["functional_call"]


def functional_call(module: Any, parameters_and_buffers: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
                    tie_weights: bool = True, strict: bool = False) -> Any:
    """``module(*args, **kwargs)`` computed with the tensors of `parameters_and_buffers`, by dotted name, instead of its own.

    Args:
        parameters_and_buffers: a dictionary, or several in a sequence.
        args: the positional arguments; a single one need not be in a tuple.
        tie_weights: a tensor given for one name of a shared parameter is used for its other names too.
        strict: raise ``RuntimeError`` unless exactly the module's names are given.

    >>> import minigrad as mg
    >>> layer = mg.nn.Linear(2, 1, bias=False)
    >>> functional_call(layer, {"weight": mg.tensor([[1.0, 2.0]])}, mg.tensor([3.0, 4.0]))
    tensor([11.])
    """
    if isinstance(parameters_and_buffers, Mapping):
        given = dict(parameters_and_buffers)
    elif isinstance(parameters_and_buffers, (list, tuple)) and all(isinstance(d, Mapping) for d in parameters_and_buffers):
        given = {}
        for d in parameters_and_buffers:
            repeated = given.keys() & d.keys()
            if repeated:
                raise InvalidValueError(f"{sorted(repeated)[0]} appears in multiple dictionaries; behavior of functional call is "
                                        f"ambiguous")
            given.update(d)
    else:
        raise InvalidValueError("Expected parameters_and_buffers to be a dict, or a list/tuple of dicts, but got "
                                f"{type(parameters_and_buffers)}")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with replace_tensors(module, given, tie_weights, strict):
        return module(*args, **({} if kwargs is None else kwargs))


@contextlib.contextmanager
def replace_tensors(module: Any, given: dict[str, Any], tie_weights: bool, strict: bool) -> Iterator[None]:
    """Let `module` have the `given` tensors under their names inside the block. What it changed in them is written back to
    `given`."""
    places: dict[str, tuple[dict[str, Any], str]] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        for store in (part._parameters, part._buffers):
            for name, t in store.items():
                if t is not None:
                    places[f"{path}.{name}" if path else name] = (store, name)
    unknown = [name for name in given if name not in places]
    if strict and (unknown or len(given) < len(places)):
        missing = [name for name in places if name not in given]
        raise RuntimeValueError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\tMissing key(s): {missing}.\n\t"
                                f"Unexpected key(s): {unknown}.")
    if unknown:
        raise KeyError(f"functional_call: the module has no parameter or buffer {unknown[0]!r}")
    for name, t in given.items():
        if not isinstance(t, Tensor):
            raise ArgumentError(f"functional_call: {name!r} is not a Tensor but {type(t).__name__}")
    new = dict(given)
    if tie_weights:
        same = {id(places[name][0][places[name][1]]): name for name in given}
        for name, (store, key) in places.items():
            if name not in new and id(store[key]) in same:
                new[name] = given[same[id(store[key])]]
    old = {name: places[name][0][places[name][1]] for name in new}
    try:
        for name, t in new.items():
            store, key = places[name]
            store[key] = t
        yield
    finally:
        for name, t in old.items():
            store, key = places[name]
            if name in given and store[key] is not given[name] and isinstance(given, dict):
                given[name] = store[key]
            store[key] = t
