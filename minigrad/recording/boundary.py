"""The boundary between users and the library: what goes wrong for want of a tensor is said of the argument that is none.

A declared operation refuses what is no tensor by itself (:mod:`minigrad.recording.call`). A function composed of operations
would say what it stumbled over: that a list has no `shape`, or that the 'other' of some operation inside must be a Tensor. So
the public namespaces (``minigrad``, ``nn.functional``, ``linalg``, the methods of ``Tensor``) hold each such function in a form
that looks at its arguments when it has failed, and only then. Calls inside the library do not pass through here.
"""

from __future__ import annotations

import functools
import inspect
from types import FunctionType
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad.errors import ArgumentError, MinigradError
from minigrad.recording.argument_errors import names_its_function, not_a_sequence, not_a_tensor
from minigrad.recording.call import SCALARS
from minigrad.recording.graph import TensorBase

# The parameters that take a tensor (some a number too), or a sequence of tensors, wherever a public function has them.
TENSORS = frozenset((
    "A", "B", "L", "LD", "LU", "LU_data", "LU_pivots", "M", "X", "a", "anchor", "append", "attn_mask", "aweights", "b",
    "batch1", "batch2", "bias", "bias_k", "bias_v", "boundaries", "condition", "count", "elements", "exponent", "fweights",
    "grid", "iK", "imag", "in_proj_bias", "in_proj_weight", "index", "indices", "input", "input1", "input2",
    "input_lengths", "k_proj_weight", "key", "key_padding_mask", "linear_bias", "linear_weight", "log_probs", "logits",
    "mask", "mat", "mat1", "mat2", "negative", "offsets", "other", "out_proj_bias", "out_proj_weight", "per_sample_weights",
    "pivots", "pos_weight", "positive", "prepend", "prob", "q_proj_weight", "query", "real", "running_mean", "running_var",
    "self", "sorted_sequence", "sorter", "source", "src", "static_k", "static_v", "target", "target_lengths", "targets",
    "tau", "tensor", "tensor1", "tensor2", "test_elements", "theta", "v_proj_weight", "value", "values", "var", "vec",
    "vec1", "vec2", "weight", "weights", "window", "x", "x1", "x2", "y"))
SEQUENCES = frozenset(("matrices", "tensors"))
# Where such a name is another thing: a dimension, a dtype, a number, a sequence.
SPECIAL = {**dict.fromkeys((("movedim", "source"), ("moveaxis", "source"), ("promote_types", "a"), ("promote_types", "b"),
                            ("gumbel_softmax", "tau"), ("pad", "value"), ("threshold", "value"), ("select_scatter", "index"),
                            ("can_cast", "source"), ("frombuffer", "count"))),
           **dict.fromkeys((("index_put", "indices"), ("index_put_", "indices")), "tensors")}


def parameter_kind(called: str, name: str) -> str | None:
    """What the parameter `name` of the public function `called` takes: ``"tensor"``, ``"tensors"`` for a sequence of them, or
    None."""
    return SPECIAL.get((called, name), "tensor" if name in TENSORS else "tensors" if name in SEQUENCES else None)


def publish(namespace: dict[str, Any]) -> None:
    """Put the public form of each composed function in its place in a module's `namespace`. If the module has ``__all__``, only
    those in it are replaced."""
    module = namespace["__name__"]
    part = module.removeprefix("minigrad").removeprefix(".nn.functional").lstrip(".")
    for name in list(namespace.get("__all__", namespace)):
        found = namespace[name]
        if is_composed(name, found):
            namespace[name] = public(found, f"{part}.{name}" if part else name, module, name)


def publish_methods(cls: type) -> None:
    """Replace the methods of `cls` that take a tensor beside their own by their public forms."""
    for name, found in list(vars(cls).items()):
        if is_composed(name, found, beside=1):
            setattr(cls, name, public(found, name, cls.__module__, f"{cls.__name__}.{name}"))


def is_composed(name: str, found: Any, beside: int = 0) -> bool:
    """Whether `found` is a public function of the library that is no declared operation and takes tensors, `beside` some."""
    if name.startswith("_") or not isinstance(found, FunctionType) or hasattr(found, "info"):
        return False
    code = inspect.unwrap(found).__code__
    names = code.co_varnames[beside:code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)]
    return found.__module__.startswith("minigrad.") and not (TENSORS | SEQUENCES).isdisjoint(names)


def public(function: Any, called: str, module: str, qualname: str) -> Any:
    """`function` in its public form, which looks at the arguments if the call has failed. Its code is generated at the first
    call."""
    @functools.wraps(function)
    def checked(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except Exception as error:
            refuse(function, called, error, args, named)
            raise

    checked.__module__, checked.__qualname__ = module, qualname  # by which it can be pickled
    return checked


def refuse(function: Any, called: str, error: Exception, args: Any, named: dict[str, Any]) -> None:
    """Raise ``ArgumentError`` if the call stumbled over an argument that is no tensor, as `error` shows; else, if `error` is the
    library's own and names no function, raise it with the name."""
    least = suspicion_threshold(error)
    parameters = inspect.signature(function).parameters
    try:
        found = inspect.signature(function).bind(*args, **named)
    except TypeError:
        return  # Python's own error says which argument is missing, or one too many
    found.apply_defaults()
    suspects = []
    for name, value in found.arguments.items():
        if parameters[name].kind is inspect.Parameter.VAR_POSITIONAL and not (len(value) > 1 or value and is_tensor(value[0])):
            value = value[0] if value else value  # one sequence of tensors
        weight = suspicion(called, name, value, error)
        if weight >= least and not (value is None and parameters[name].default is None):
            suspects.append((weight, name, value))
    if suspects:
        _, name, value = max(suspects, key=lambda suspect: suspect[0])
        wrong = not_a_tensor_sequence if parameter_kind(called, name) == "tensors" else not_a_tensor
        raise wrong(called, "input" if name == "self" else name, value) from None
    if isinstance(error, MinigradError) and not names_its_function(error, called):
        raise type(error)(f"{called}: {error}") from None


def suspicion_threshold(error: Exception) -> int:
    """How likely an argument must be the cause of `error` for it to be named: 1 for Python's error for a wrong type, or that of
    an operation inside about an operand; more for others about arguments; out of reach for what was said on purpose."""
    if isinstance(error, MinigradError):
        about_operand = "must be a Tensor" in str(error) or "tuple of Tensors" in str(error)
        return 1 if about_operand else 3 if isinstance(error, ArgumentError) else 5
    return 1 if isinstance(error, (AttributeError, TypeError)) else 5


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor, or an array, which functions turn into one."""
    return isinstance(x, (TensorBase, np.generic, *_arrays.array_types))


def suspicion(called: str, name: str, value: Any, error: Exception) -> int:
    """How likely the argument is the one that `error` came of. None and numbers often serve in a tensor's place, and so does an
    array, but where an attribute of tensors was missed."""
    kind = parameter_kind(called, name)
    if kind is None or isinstance(value, TensorBase) and kind == "tensor":
        return 0
    if kind == "tensors":
        return 3 * (not isinstance(value, (tuple, list)) or not all(map(is_tensor, value)))
    if is_tensor(value):
        return int(isinstance(error, AttributeError))
    return 4 if getattr(error, "obj", error) is value else 2 if value is None or isinstance(value, SCALARS) else 3


def not_a_tensor_sequence(called: str, name: str, value: Any) -> ArgumentError:
    """The error for the argument `name`, which must be a sequence of tensors and is not."""
    if not isinstance(value, (tuple, list)):
        return not_a_sequence(called, name, value)
    k = next(k for k, x in enumerate(value) if not is_tensor(x))
    return ArgumentError(f"{called}(): argument '{name}' must be tuple of Tensors, but element {k} is of type "
                         f"{type(value[k]).__name__}; minigrad.tensor(...) makes a Tensor of it")
