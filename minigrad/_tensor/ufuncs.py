"""NumPy's functions on tensors: ``np.exp(t)`` is ``minigrad.exp(t)``, recorded like any other call; ``np.concatenate`` and its
kind take and give values."""

from __future__ import annotations

from typing import Any

from minigrad._types.tensor_base import TensorBase
from minigrad.errors import GraphError
from minigrad.ops import creation
from minigrad.ops.linear_algebra import products
from minigrad.ops.pointwise import arithmetic, comparison, elementary
from minigrad.recording.clock import ledger
from minigrad.recording.inplace import refuse_read_only

__all__ = ["ForNumPy", "call_function"]

RENAMED = {"conjugate": "conj", "equal": "eq", "invert": "bitwise_not", "left_shift": "bitwise_left_shift", "power": "pow",
           "right_shift": "bitwise_right_shift"}
# NumPy's functions that call the method of their name.
ASKING_METHODS = frozenset(("all", "amax", "amin", "any", "argmax", "argmin", "clip", "cumprod", "cumsum", "max", "mean", "min",
                            "ndim", "nonzero", "prod", "real", "round", "shape", "squeeze", "sum", "swapaxes"))

# Those through which no gradient could flow: answers about arrays, and what lays them out for a plot or a file.
WITHOUT_GRADIENT = frozenset((
    "allclose", "argsort", "argwhere", "array2string", "array_equal", "array_equiv", "array_repr", "array_str",
    "broadcast_arrays", "can_cast", "count_nonzero", "digitize", "flatnonzero", "histogram", "histogram2d", "histogram_bin_edges",
    "histogramdd", "iscomplexobj", "isclose", "isrealobj", "lexsort", "may_share_memory", "result_type", "save", "savetxt",
    "savez", "savez_compressed", "searchsorted", "shares_memory", "size"))


def apply(self: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """What NumPy calls where an operand of `ufunc` is a tensor.

    A function without a counterpart here, ``ufunc.reduce`` and its like, and ``out=`` compute on arrays: then an operand that
    requires grad is refused, as by :meth:`Tensor.numpy`.
    """
    name = RENAMED.get(ufunc.__name__, ufunc.__name__)
    families = (products,) if name == "matmul" else (arithmetic, comparison, elementary)
    function = next((getattr(family, name) for family in families if hasattr(family, name)), None)
    if method == "__call__" and not options and function is not None:
        return function(*inputs)
    arrays = [x.numpy() if isinstance(x, TensorBase) else x for x in inputs]  # type: ignore[attr-defined]
    if "out" in options:
        written = options["out"]
        for x in written:
            if isinstance(x, TensorBase):
                refuse_read_only(x.array, f"np.{ufunc.__name__}(out=)")
        options["out"] = tuple([x.numpy() if isinstance(x, TensorBase) else x for x in written])  # type: ignore[attr-defined]
        getattr(ufunc, method)(*arrays, **options)
        ledger.record_all([x.array for x in written if isinstance(x, TensorBase)], f"np.{ufunc.__name__}(out=)")
        return written[0] if len(written) == 1 else written
    result = getattr(ufunc, method)(*arrays, **options)
    return tuple([creation.tensor(r) for r in result]) if isinstance(result, tuple) else creation.tensor(result)


def call_function(self: Any, function: Any, types: Any, args: Any, options: Any) -> Any:
    """What NumPy calls for those of its functions that are no universal ones where they are given tensors.

    Some, such as ``np.sum``, ask the tensor's own method, which is recorded. The others, such as ``np.concatenate``, compute on
    the tensors' arrays, and give arrays.

    Raises ``RuntimeError`` where a tensor requires grad, as by :meth:`Tensor.numpy`: its gradient would be lost without a word.
    That does not concern functions that have none.
    """
    if function.__name__ in ASKING_METHODS and args and isinstance(args[0], TensorBase):
        return function.__wrapped__(*args, **options)
    known = function.__name__ in WITHOUT_GRADIENT
    try:
        args, options = to_arrays(args, known), to_arrays(options, known)
    except GraphError:
        raise GraphError(f"np.{function.__name__} computes outside of the graph, and one of the tensors it was given requires "
                         "grad; use minigrad's function of that kind, or give x.detach()") from None
    return function(*args, **options)


def to_arrays(x: Any, force: bool = False) -> Any:
    """`x`, which may be nested, with arrays in the places of tensors; with `force` also of those that require grad."""
    if isinstance(x, TensorBase):
        return x.numpy(force=force)  # type: ignore[attr-defined]
    if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
        return type(x)([to_arrays(v, force) for v in x])
    return {k: to_arrays(v, force) for k, v in x.items()} if isinstance(x, dict) else x


class ForNumPy:
    """``Tensor.__array_ufunc__``: NumPy, which asks the class, finds :func:`apply`.

    CuPy asks the instance and finds None, which has its operators hand over to the tensor's.
    """

    def __get__(self, instance: Any, owner: Any) -> Any:
        return apply if instance is None else None
