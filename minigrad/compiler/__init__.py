"""``compile``, under PyTorch's names: a call is recorded once, and replayed from then on without what is around its arithmetic.

`recording` writes down what a call does with arrays, as the lines of a `tape`; `guards` are the conditions under which a replay
does the same; `compiled` is the function that chooses between the two, and `module` the module that computes so. `replay` makes
the function that runs the lines; `segments` are runs of them that one call does where numba is, `translating` says how. Nothing
is computed differently: a replay calls the same functions, or their loops, on the same arrays, and its results are the same bits.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable, TypeVar

from minigrad.compiler import compiled
from minigrad.compiler.compiled import Compiled
from minigrad.compiler.module import OptimizedModule
from minigrad.compiler.recording import recorder_now
from minigrad.errors import ArgumentError, InvalidValueError, RuntimeValueError
from minigrad.nn.modules.module import Module

__all__ = ["allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable", "is_compiling",
           "is_dynamo_compiling", "is_exporting", "list_backends", "nested_compile_region", "reset", "set_stance",
           "substitute_in_graph", "wrap_numpy"]

F = TypeVar("F")

# PyTorch's backends that compute as without compile.
AS_THEY_ARE = ("eager", "eager_noexcept", "aot_eager", "pre_dispatch_eager")


def compile(model: Callable[..., Any] | None = None, *, fullgraph: bool = False, dynamic: bool | None = None,
            backend: str | Callable[..., Any] = "inductor", mode: str | None = None, options: dict[str, Any] | None = None,
            disable: bool = False) -> Any:
    """`model`, a function or module, in a form whose calls are recorded and replayed. Without it, a decorator that makes this.

    A call that is like none before runs as it is, and what it does with arrays is written down. Once a second one has done the
    same, calls like it are replayed as straight-line Python, with the same results to the last bit: 2 to 4 times as fast where
    the tensors are small, about as fast where the arithmetic takes the time. It pays most for a whole step of a training, with
    the backward pass and the optimizer in it. Where numba is, runs of lines on small arrays become one call, which makes them 4
    to 20 times as fast, still with the same bits. ``compiled.source`` shows what is replayed.

    Calls are alike whose tensors agree in shape, dtype and strides and whose other arguments are equal, as long as the
    parameters, the settings of modules and the other things that the function finds by its names are what they were. What a
    replay could not do, such as ``loss.item()`` or a branch on values, makes the function run as it is, with a warning that names
    the line.
    What a function does beside computing, such as counting its calls, is done when it is recorded only.

    Args:
        fullgraph: raise ``RuntimeError`` instead of that warning.
        backend: with ``"eager"``, or a function, nothing is recorded.
        dynamic, mode, options: accepted as in PyTorch; they change nothing.
        disable: nothing is recorded.

    >>> import minigrad as mg
    >>> w = mg.ones(3, requires_grad=True)
    >>> optimizer = mg.optim.SGD([w], lr=0.1)
    >>> @mg.compile
    ... def step(x):
    ...     optimizer.zero_grad()
    ...     loss = (w * x).sum().exp()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> losses = [step(mg.tensor([1.0, 2.0, 3.0])).item() for _ in range(3)]
    >>> print(step.source.rstrip())
    def replay(t0):
        x0 = t0.array
        Optimizer_zero_grad(sgd_0)
        v0 = multiply(w0, x0)
        v1 = add.reduce(v0, None)
        v2 = asarray(v1)
        v3 = exp(v2)
        v4 = asarray(v3)
        g0 = multiply(c0, v4)
        g1 = sum_wrt_input(g0, (3,), float32dtype_0, None, None)
        g2 = multiply(g1, x0)
        tensor_w0._grad = tensor(g2)
        Optimizer_step(sgd_0)
        return tensor_with(v4, node_0.node, None)
    """
    if mode is not None and options is not None:
        raise RuntimeValueError("Either mode or options can be specified, but both can't be specified at the same time.")
    if model is None:
        return functools.partial(compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode, options=options,
                                 disable=disable)
    if not callable(model):
        raise ArgumentError(f"compile: a callable function is expected, but {type(model)} is provided.")
    if isinstance(model, (Compiled, OptimizedModule)):
        return model
    as_it_is = disable or backend in AS_THEY_ARE or callable(backend)
    if isinstance(model, Module):
        return OptimizedModule(model, model if as_it_is else Compiled(model, fullgraph))
    return model if as_it_is else Compiled(model, fullgraph)


def is_compiling() -> bool:
    """Whether a call is being recorded now."""
    return recorder_now() is not None


def is_dynamo_compiling() -> bool:
    """Whether a call is being recorded now."""
    return is_compiling()


def is_exporting() -> bool:
    """Whether the program is being exported now: False."""
    return False


def list_backends(exclude_tags: tuple[str, ...] = ("debug", "experimental")) -> list[str]:
    """The backends there are: PyTorch's usual one, whose name stands for replays."""
    return ["inductor"]


def reset() -> None:
    """Forget all recordings of all functions."""
    for function in list(compiled.living):
        function.reset()


def cudagraph_mark_step_begin() -> None:
    """There are no graphs of CUDA to begin a step of."""


def allow_in_graph(fn: F) -> F:
    """`fn` itself, a function or a list of them."""
    return fn


def assume_constant_result(fn: F) -> F:
    """`fn` itself."""
    return fn


def nested_compile_region(fn: F) -> F:
    """`fn` itself."""
    return fn


def wrap_numpy(fn: F) -> F:
    """`fn` itself."""
    return fn


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """`fn` in a form that is never replayed, nor anything that calls it; without it, a decorator that makes this.

    >>> import minigrad as mg
    >>> @mg.compiler.disable
    ... def log(x):
    ...     print(x.item())
    >>> log(mg.tensor(2.0))
    2.0
    """
    if fn is None:
        return functools.partial(disable, recursive=recursive, reason=reason)
    if isinstance(fn, Compiled):
        return fn.function
    if isinstance(fn, OptimizedModule):
        return fn._orig_mod

    @functools.wraps(fn, updated=())
    def as_it_is(*args: Any, **kwargs: Any) -> Any:
        if (recorder := recorder_now()) is not None:
            recorder.refuse(f"{getattr(fn, '__name__', type(fn).__name__)} is disabled" + (f": {reason}" if reason else ""))
        return fn(*args, **kwargs)
    return as_it_is


def substitute_in_graph(original_fn: Callable[..., Any], *, can_constant_fold_through: bool = False,
                        skip_signature_check: bool = False) -> Callable[[F], F]:
    """A decorator that changes nothing."""
    return allow_in_graph


class set_stance(contextlib.ContextDecorator):
    """How compiled functions behave from now on, or in a block, or in a function.

    Args:
        stance: ``"default"``; ``"force_eager"``: they run as they are; ``"eager_on_recompile"``: so they do where there is no
            recording to replay; ``"fail_on_recompile"``: there they raise ``RuntimeError``.
    """

    def __init__(self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None) -> None:
        if stance not in compiled.STANCES:
            raise InvalidValueError(f"set_stance: invalid torch.compile stance {stance!r}; there are "
                                    f"{', '.join(compiled.STANCES)}")
        self.stance, self.before = stance, compiled.stance.get()
        compiled.stance.set(stance)

    def __enter__(self) -> None:
        compiled.stance.set(self.stance)

    def __exit__(self, *exc: object) -> None:
        compiled.stance.set(self.before)

    def __call__(self, function: Any) -> Any:
        compiled.stance.set(self.before)
        return super().__call__(function)
