"""bfloat16 is stored, and float32 is computed with.

NumPy moves elements of bfloat16, but adds and multiplies them badly or not at all. So a forward is given float32 in their
place, and its result is rounded, once; and so is a rule in a plain backward pass. The graph, the views and what is saved are
those of the bfloat16 arrays. Until bfloat16 is first used, nothing of this is in the call paths.
"""

from __future__ import annotations

from typing import Any, Callable

from minigrad import _arrays
from minigrad._types import dtypes

FLOAT32 = dtypes.float32.numpy


def is_bfloat16(x: Any) -> bool:
    """Whether the array `x`, or anything that has a dtype, is of bfloat16."""
    return getattr(x.dtype, "kind", None) == "V"


def is_loaded() -> bool:
    """Whether this process has used bfloat16."""
    return len(dtypes.FROM_NUMPY) == len(dtypes.ALL)


def widen(x: Any) -> Any:
    """`x`, an array, None, or a tuple of such, with float32 in the place of bfloat16."""
    if isinstance(x, tuple):
        return type(x)([widen(part) for part in x])
    return x.astype(FLOAT32) if x is not None and is_bfloat16(x) else x


def narrow(x: Any) -> Any:
    """The result `x` of a forward, or each of several, as bfloat16 where it is float32."""
    if isinstance(x, (tuple, list)):
        return tuple([narrow(part) for part in x])
    x = _arrays.as_array(x)
    return x.astype(dtypes.bfloat16.numpy) if x.dtype is FLOAT32 else x


def forward_in_float32(info: Any) -> Callable[..., Any]:
    """The forward of an operation for arrays of which some are of bfloat16, and for ``dtype=bfloat16``.

    The results are of bfloat16 if that setting says so, or else the arguments that are brought to one dtype, beside which Python
    numbers are float32; or else the first that is no integer.
    """
    forward = info.forward

    def in_float32(*arrays: Any, **settings: Any) -> Any:
        given = settings.get("dtype")
        kinds = [x.dtype.kind for x in arrays if x is not None and x.dtype.kind in dtypes.DIFFERENTIABLE]
        rounds = given is dtypes.bfloat16 or given is None and "V" in (kinds if info.alike else kinds[:1])
        if given is dtypes.bfloat16:
            settings["dtype"] = dtypes.float32
        result = forward(*widen(arrays), **settings)
        return narrow(result) if rounds else result
    return in_float32


def forward_of(info: Any, arrays: Any, settings: dict[str, Any]) -> Callable[..., Any]:
    """The function that computes a call with `arrays`: the forward, or :func:`forward_in_float32`."""
    if info.bfloat16 or not is_loaded():
        return info.forward  # type: ignore[no-any-return]
    narrow_operands = any([x is not None and is_bfloat16(x) for x in arrays])
    return forward_in_float32(info) if narrow_operands or settings.get("dtype") is dtypes.bfloat16 else info.forward


def forward_source(info: Any, array: str) -> str:
    """The same as the source of a call path has it, where ``array.format(name)`` is the array of an argument."""
    if info.bfloat16 or not is_loaded():
        return "forward"
    tests = []
    for a in info.arguments:
        if a not in (*info.discrete, *info.alike[1:]):  # which are of the same dtype as the first
            test = f"{array.format(a)}.dtype is bfloat16"
            tests.append(f"{array.format(a)} is not None and {test}" if a in info.optional else test)
    tests += ["dtype is narrow"] if "dtype" in info.settings else []
    return f"(forward_in_float32 if {' or '.join(tests)} else forward)" if tests else "forward"


def names(info: Any) -> dict[str, Any]:
    """What that source refers to."""
    if not is_loaded():
        return {}
    return {"forward_in_float32": forward_in_float32(info), "bfloat16": dtypes.bfloat16.numpy, "narrow": dtypes.bfloat16}


def apply_in_float32(apply: Callable[..., Any], node: Any, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """The gradients that ``apply(node, g, saved)`` gives, computed in float32, each in the dtype of its input.

    That is bfloat16, unless the rule was told the input's dtype or its saved values tell it.
    """
    grads, info = apply(node, widen(g), widen(saved)), node.info
    known = {info.arguments[k]: a.dtype for k, a in zip(node.saved_from, saved) if k >= 0 and a is not None} \
        if not info.variadic else {}
    known.update({n[:-6]: d for n, d in zip(info.kept_values, node.settings) if n.endswith("_dtype") and not info.variadic})
    given = info.arguments * len(grads) if info.variadic else info.arguments
    return tuple([None if grad is None else narrow(grad) if known.get(name, dtypes.bfloat16.numpy).kind == "V" else grad
                  for name, grad in zip(given, grads)])
