"""Trading time for memory: keep only the inputs of a part of the network, and compute the part again for its backward pass.

Chen et al., Training Deep Nets with Sublinear Memory Cost (2016), https://arxiv.org/abs/1604.06174
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Callable, Iterable, Iterator

import minigrad.random as rng
from minigrad import _pytree
from minigrad._arrays import as_device
from minigrad._tensor import Tensor
from minigrad.autograd.grad_mode import enable_grad
from minigrad.autograd.graph import saved_tensors_hooks
from minigrad.errors import ArgumentError, GraphError, InvalidValueError

__all__ = ["CheckpointError", "DefaultDeviceType", "GraphExecGroup", "checkpoint", "checkpoint_sequential", "get_device_states",
           "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop", "set_device_states"]


class CheckpointError(GraphError):
    """A checkpointed function did not repeat itself."""


def noop_context_fn() -> tuple[Any, Any]:
    """Two blocks that change nothing."""
    return nullcontext(), nullcontext()


def checkpoint(function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None,
               context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn, determinism_check: str = "default",
               debug: bool = False, early_stop: bool = True, preserve_rng_state: bool = True, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)``, of which nothing is kept but the arguments until its derivative is wanted.

    Args:
        function: computes the same when it is called again with the same arguments; what is random in it repeats if
            `preserve_rng_state`.
        use_reentrant: accepted for compatibility; this is the non-reentrant form, which works with every kind of backward pass.
        context_fn: gives two blocks (``with``), one for the forward pass and one for computing it again.
        determinism_check: ``"default"`` compares the shapes and dtypes of what is kept both times, ``"none"`` does not.
        debug, early_stop: accepted for compatibility.

    Raises: ``CheckpointError``, a ``RuntimeError``, in the backward pass if the function did not repeat itself.
    """
    if determinism_check not in ("default", "none"):
        raise InvalidValueError(f"checkpoint: determinism_check should be 'default' or 'none', not {determinism_check!r}")
    around, around_again = context_fn()
    tensors = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]
    states = rng.states(rng.used_generators(t.device for t in tensors)) if preserve_rng_state else []
    kept: list[tuple[Any, Any]] = []  # shape and dtype of what the forward pass would have kept
    count = 0
    recomputed: dict[int, Any] = {}

    def pack(t: Any) -> int:
        nonlocal count
        count += 1
        kept.append((tuple(t.shape), t.dtype))
        return count - 1

    def unpack(index: int) -> Any:
        if index not in recomputed:
            recompute()
        if index not in recomputed:
            raise CheckpointError("checkpoint: A different number of tensors was saved during the original forward and "
                                  f"recomputation: {count} and {len(recomputed)}; the function must do the same both times")
        t = recomputed.pop(index)
        if determinism_check == "default" and kept[index] != (tuple(t.shape), t.dtype):
            shape, dtype = kept[index]
            raise CheckpointError(f"checkpoint: Recomputed values have different metadata than in the forward pass: tensor "
                                  f"{index} was {dtype!r}{list(shape)}, computed again it is {t.dtype!r}{list(t.shape)}; the "
                                  "function must do the same both times")
        return t

    def recompute() -> None:
        recomputed.clear()

        def keep(t: Any) -> int:
            recomputed[len(recomputed)] = t
            return len(recomputed) - 1

        def refuse(index: int) -> Any:
            raise GraphError("checkpoint: the function differentiates inside itself, which cannot be computed again")

        with rng.fork_rng(enabled=preserve_rng_state):
            rng.restore(states)
            with enable_grad(), around_again, saved_tensors_hooks(keep, refuse):
                function(*[detach_leaf(a) for a in args], **{k: detach_leaf(v) for k, v in kwargs.items()})

    with around, saved_tensors_hooks(pack, unpack):
        return function(*args, **kwargs)


def detach_leaf(x: Any) -> Any:
    """A tensor as a leaf of its own, so that computing again leads nowhere else."""
    return x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: bool | None = None,
                          preserve_rng_state: bool = True) -> Any:
    """`input` through `functions` (a Sequential, or a list), in `segments` parts of which each but the last is checkpointed."""
    parts = list(functions.children()) if hasattr(functions, "children") else list(functions)
    if not 1 <= segments <= len(parts):
        raise ArgumentError(f"checkpoint_sequential: segments must be from 1 to the number of functions, {len(parts)}, got "
                            f"{segments}")
    size = len(parts) // segments

    def run(some: Iterable[Callable[[Any], Any]]) -> Callable[[Any], Any]:
        def through(x: Any) -> Any:
            for part in some:
                x = part(x)
            return x
        return through

    end = -1
    for start in range(0, size * (segments - 1), size):
        end = start + size - 1
        input = checkpoint(run(parts[start:end + 1]), input, preserve_rng_state=preserve_rng_state)
    return run(parts[end + 1:])(input)


# ---------------------------------------------------------------------------------------------------- PyTorch's switches

@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """A block in which computing again may stop as soon as all that is wanted is there, or not: it always goes to the end."""
    yield


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """A block in which PyTorch would tell more of functions that do not repeat themselves: errors always name what differs."""
    yield


class GraphExecGroup(AbstractContextManager["GraphExecGroup"]):
    """A block whose backward passes, over parts of a graph that do not overlap, compute a checkpointed function again once at
    most: so they do outside of such a block too, as what was computed is kept until it is used.

    >>> import minigrad as mg
    >>> x = mg.tensor([3.0], requires_grad=True)
    >>> y = mg.utils.checkpoint.checkpoint(lambda x: (x * x, x.exp()), x)
    >>> with mg.utils.checkpoint.GraphExecGroup():
    ...     y[0].backward()
    >>> x.grad
    tensor([6.])
    """

    def __exit__(self, *exc: object) -> None:
        """Nothing was changed."""


class DefaultDeviceType:
    """Of which kind of device random states are kept, where no tensor says so.

    >>> DefaultDeviceType.get_device_type()
    'cuda'
    """

    _default = "cuda"

    @staticmethod
    def set_device_type(device: str = "cuda") -> None:
        """Choose the kind."""
        DefaultDeviceType._default = device

    @staticmethod
    def get_device_type() -> str:
        """The kind that was chosen."""
        return DefaultDeviceType._default


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """The numbers of the GPUs that the tensors in `args`, and in containers among them, are on, and the states of their
    generators."""
    tensors = [t for t in _pytree.tree_leaves(args) if isinstance(t, Tensor)]
    devices = sorted({t.get_device() for t in tensors if t.device.type != "cpu"})
    kind = next((t.device.type for t in tensors if t.device.type != "cpu"), DefaultDeviceType.get_device_type())
    return devices, [rng.default_of(as_device(f"{kind}:{index}")).get_state() for index in devices]


def set_device_states(devices: Iterable[int], states: Iterable[Any], *, device_type: str | None = None) -> None:
    """Put the generators of these GPUs into these states, which :func:`get_device_states` gave."""
    kind = DefaultDeviceType.get_device_type() if device_type is None else device_type
    for index, state in zip(devices, states):
        rng.default_of(as_device(f"{kind}:{index}")).set_state(state)
