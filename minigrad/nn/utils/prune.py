"""Pruning: setting a share of a parameter's elements to zero, and keeping them there.

A pruned parameter ``weight`` is taken apart into the parameter ``weight_orig`` and the buffer ``weight_mask`` of zeros and ones.
Before each forward a hook puts their product in the place of ``weight``, so gradients reach the elements that are left. Pruning
again takes from those, and :func:`remove` makes what is left the parameter.

>>> import minigrad as mg
>>> layer = mg.nn.Linear(2, 1)
>>> _ = layer.weight.data.copy_(mg.tensor([[1.0, -3.0]]))
>>> l1_unstructured(layer, "weight", amount=1).weight
tensor([[ 0., -3.]], grad_fn=<MulBackward0>)
>>> sorted(layer.state_dict())
['bias', 'weight_mask', 'weight_orig']
"""

from __future__ import annotations

import abc
import numbers
from typing import TYPE_CHECKING, Any, Iterator

from minigrad.errors import ArgumentError, DimensionError, InvalidValueError
from minigrad.nn.utils.convert_parameters import parameters_to_vector
from minigrad.ops.creation import ones_like, zeros_like
from minigrad.ops.reducing.ordering import topk
from minigrad.ops.sampling import rand, rand_like
from minigrad.ops.statistics import norm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minigrad._tensor import Tensor
    from minigrad.nn.modules.module import Module

__all__ = ["BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
           "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
           "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove"]


# ---------------------------------------------------------------------------------------------------- methods

class BasePruningMethod(abc.ABC):
    """A way to choose what is pruned, and the hook that keeps it pruned.

    A subclass defines :meth:`compute_mask`, and says in ``PRUNING_TYPE`` what it looks at where something is pruned already:
    ``"unstructured"`` at the elements that are left, ``"structured"`` at the slices along its ``dim`` that have an element left,
    ``"global"`` at everything.
    """

    _tensor_name: str
    PRUNING_TYPE = "unstructured"

    def __call__(self, module: Module, inputs: Any) -> None:
        """The hook: put the pruned value in the place of the parameter."""
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abc.abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask, of zeros and ones, for the importance `t` of each element; 0 where `default_mask` is 0."""

    def apply_mask(self, module: Module) -> Tensor:
        """The parameter of `module` with its mask."""
        assert getattr(self, "_tensor_name", None) is not None, f"Module {module} has to be pruned"
        original = getattr(module, self._tensor_name + "_orig")
        mask = getattr(module, self._tensor_name + "_mask")
        return mask.to(dtype=original.dtype) * original  # type: ignore[no-any-return]

    @classmethod
    def apply(cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any) -> Any:
        """Prune the parameter `name` of `module` by a method made of the other arguments, beside what pruned it before.

        `importance_scores`, of the parameter's shape, are looked at in the place of its values. Returns the hook.
        """
        method: Any = cls(*args, **kwargs)
        method._tensor_name = name
        before = hook_of(module, name)
        original = getattr(module, name)
        if importance_scores is None:
            importance_scores = original
        assert importance_scores.shape == original.shape, \
            f"importance_scores should have the same shape as parameter {name} of {module}"
        if before is None:
            mask = method.compute_mask(importance_scores, ones_like(original))
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
        else:
            container = before if isinstance(before, PruningContainer) else PruningContainer(before)
            container.add_pruning_method(method)
            mask = container.compute_mask(importance_scores, getattr(module, name + "_mask").detach().clone())
            method = container
            for key in [k for k, hook in module._forward_pre_hooks.items() if hook is before]:
                del module._forward_pre_hooks[key]
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """The tensor `t` pruned, without any module.

        >>> import minigrad as mg
        >>> L1Unstructured(amount=2).prune(mg.tensor([3.0, -1.0, 2.0]))
        tensor([3., -0., 0.])
        """
        scores = t if importance_scores is None else importance_scores
        assert scores.shape == t.shape, "importance_scores should have the same shape as tensor t"
        return t * self.compute_mask(scores, ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruned value the parameter of `module`, as :func:`remove` does."""
        value, name = self.apply_mask(module), self._tensor_name
        if hasattr(module, name):
            delattr(module, name)
        original: Any = module._parameters.pop(name + "_orig")
        original.data = value.data
        del module._buffers[name + "_mask"]
        module.register_parameter(name, original)


class PruningContainer(BasePruningMethod):
    """Several methods that have pruned one parameter, one after the other."""

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add a method for the same parameter. Raises ``TypeError`` for anything else, ``ValueError`` for another parameter."""
        if not isinstance(method, BasePruningMethod):
            if method is None:
                return
            raise ArgumentError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._tensor_name != method._tensor_name:
            raise InvalidValueError(f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to "
                                    f"PruningContainer {self}. Found '{method._tensor_name}'")
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, k: int) -> BasePruningMethod:
        return self._pruning_methods[k]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """`default_mask` with what the last method takes from what that has left."""
        method: Any = self._pruning_methods[-1]
        mask = default_mask.clone().to(dtype=t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            part: Any = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            along = dimension(t, method.dim)
            alive = default_mask.sum(dim=tuple(d for d in range(t.dim()) if d != along)) != 0
            part = (*[slice(None)] * along, alive)
        elif method.PRUNING_TYPE == "global":
            part = (slice(None),) * t.dim()
        else:
            raise InvalidValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask[part] = method.compute_mask(t[part], default_mask=default_mask[part]).to(dtype=mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing, but takes the parameter apart as the others do."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Prunes elements at random: `amount` of them, or that share of them."""

    def __init__(self, amount: float) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return without_least(rand_like(default_mask.float()), default_mask, self.amount)


class L1Unstructured(BasePruningMethod):
    """Prunes the elements of smallest magnitude: `amount` of them, or that share of them."""

    def __init__(self, amount: float) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return without_least(t.abs(), default_mask, self.amount)


class RandomStructured(BasePruningMethod):
    """Prunes whole slices along `dim` at random: `amount` of them, or that share of them."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        _validate_pruning_amount_init(amount)
        self.amount, self.dim = amount, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        return without_least_slices(rand(t.shape[self.dim]), default_mask, self.amount, self.dim)


class LnStructured(BasePruningMethod):
    """Prunes the slices along `dim` of smallest `n`-norm: `amount` of them, or that share of them."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, n: float | str, dim: int = -1) -> None:
        _validate_pruning_amount_init(amount)
        self.amount, self.n, self.dim = amount, n, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        return without_least_slices(_compute_norm(t, self.n, self.dim), default_mask, self.amount, self.dim)


class CustomFromMask(BasePruningMethod):
    """Prunes where `mask` is 0."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        assert default_mask.shape == self.mask.shape
        return default_mask * self.mask.to(dtype=default_mask.dtype)


# ---------------------------------------------------------------------------------------------------- functions

def identity(module: Module, name: str) -> Module:
    """Take the parameter apart without pruning anything. Returns the module, as all of these do."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune elements of the parameter `name` at random: `amount` of them, or, if it is a ``float``, that share of them."""
    RandomUnstructured.apply(module, name, amount=amount)
    return module


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> Module:
    """Prune the elements of smallest magnitude, of the parameter or of `importance_scores` of its shape."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune slices along `dim` at random."""
    RandomStructured.apply(module, name, amount=amount, dim=dim)
    return module


def ln_structured(module: Module, name: str, amount: float, n: float | str, dim: int,
                  importance_scores: Tensor | None = None) -> Module:
    """Prune the slices along `dim` of smallest `n`-norm, of the parameter or of `importance_scores` of its shape.

    >>> import minigrad as mg
    >>> layer = mg.nn.Linear(2, 3)
    >>> _ = layer.weight.data.copy_(mg.tensor([[3.0, 4.0], [1.0, 0.0], [0.0, 2.0]]))
    >>> ln_structured(layer, "weight", amount=2, n=2, dim=0).weight_mask
    tensor([[1., 1.],
            [0., 0.],
            [0., 0.]])
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune where `mask`, of the parameter's shape, is 0."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Iterable[tuple[Module, str]], pruning_method: Any,
                        importance_scores: dict[tuple[Module, str], Tensor] | None = None, **kwargs: Any) -> None:
    """Prune several parameters as if they were one vector, so that each loses as much as its elements deserve.

    Args:
        parameters: pairs of a module and the name of its parameter.
        pruning_method: a class that chooses elements, such as :class:`L1Unstructured`; `kwargs` go to it.
        importance_scores: for some of the pairs, what is looked at in the place of the values.

    Raises ``TypeError`` for a method that chooses anything but elements.

    >>> import minigrad as mg
    >>> a, b = mg.nn.Linear(1, 1, bias=False), mg.nn.Linear(2, 1, bias=False)
    >>> _ = a.weight.data.fill_(5), b.weight.data.copy_(mg.tensor([[1.0, 2.0]]))
    >>> global_unstructured([(a, "weight"), (b, "weight")], L1Unstructured, amount=2)
    >>> a.weight_mask.tolist(), b.weight_mask.tolist()
    ([[1.0]], [[0.0, 0.0]])
    """
    try:
        pairs = [(module, name) for module, name in parameters]
    except (TypeError, ValueError):
        raise ArgumentError("global_unstructured(): parameters argument should be an iterable of pairs (module, name)") from None
    if importance_scores is not None and not isinstance(importance_scores, dict):
        raise ArgumentError("global_unstructured(): importance_scores must be of type dict")
    scores = importance_scores or {}
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise ArgumentError('Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
                            f"{pruning_method} of type {method.PRUNING_TYPE}")
    values = [getattr(module, name) for module, name in pairs]
    importance = parameters_to_vector([scores.get(pair, value) for pair, value in zip(pairs, values)])
    before = parameters_to_vector([getattr(module, name + "_mask", ones_like(value))
                                   for (module, name), value in zip(pairs, values)])
    container = PruningContainer(method)
    mask = container.compute_mask(importance, before)
    start = 0
    for (module, name), value in zip(pairs, values):
        custom_from_mask(module, name, mask[start:start + value.numel()].view_as(value))
        start += value.numel()


def remove(module: Module, name: str) -> Module:
    """Make the pruned value of the parameter `name` the parameter: what was pruned stays zero, but trains again.

    Raises ``ValueError`` for a parameter that is not pruned.

    >>> import minigrad as mg
    >>> layer = l1_unstructured(mg.nn.Linear(2, 1), "weight", 0.5)
    >>> sorted(remove(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    hook = hook_of(module, name)
    if hook is None:
        raise InvalidValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    hook.remove(module)
    for key in [k for k, h in module._forward_pre_hooks.items() if h is hook]:
        del module._forward_pre_hooks[key]
    return module


def is_pruned(module: Module) -> bool:
    """Whether a parameter of `module`, or of a module in it, is pruned.

    >>> import minigrad as mg
    >>> is_pruned(mg.nn.Sequential(identity(mg.nn.Linear(1, 1), "bias")))
    True
    """
    return any(isinstance(hook, BasePruningMethod) for m in module.modules() for hook in m._forward_pre_hooks.values())


# ---------------------------------------------------------------------------------------------------- the parts

def hook_of(module: Module, name: str) -> Any:
    """The hook that keeps the parameter `name` of `module` pruned, or None."""
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return hook
    return None


def dimension(t: Tensor, dim: int) -> int:
    """`dim` counted from the front. Raises ``IndexError`` for one that `t` has not."""
    if not -t.dim() <= dim < t.dim():
        raise DimensionError(f"Index is out of bounds for tensor with dimensions {t.dim()}: dim={dim}")
    return dim % t.dim()


def without_least(importance: Tensor, mask: Tensor, amount: float) -> Tensor:
    """`mask` with 0 for the `amount` elements of least importance."""
    size = importance.nelement()
    count = _compute_nparams_toprune(amount, size)
    _validate_pruning_amount(count, size)
    result = mask.clone()
    if count:
        result.view(-1)[topk(importance.reshape(-1), k=count, largest=False).indices] = 0
    return result


def without_least_slices(importance: Tensor, mask: Tensor, amount: float, dim: int) -> Tensor:
    """`mask` with 0 in the `amount` slices along `dim` of least importance."""
    size = mask.shape[dim]
    count = _compute_nparams_toprune(amount, size)
    _validate_pruning_amount(count, size)
    if not count:
        return mask
    kept = zeros_like(mask).transpose(0, dim)
    kept[topk(importance, k=size - count, largest=True).indices] = 1
    return mask * kept.transpose(0, dim)


def _validate_pruning_amount_init(amount: Any) -> None:
    """Raise if `amount` is neither a number of elements nor a share of them."""
    if not isinstance(amount, numbers.Real):
        raise ArgumentError(f"Invalid type for amount: {amount}. Must be int or float.")
    if float(amount) < 0 or not isinstance(amount, numbers.Integral) and float(amount) > 1:
        raise InvalidValueError(f"amount={amount} should either be a float in the range [0.0, 1.0] or a non-negative integer")


def _validate_pruning_amount(amount: float, tensor_size: int) -> None:
    """Raise if `amount` is a number of elements beyond those there are."""
    if isinstance(amount, numbers.Integral) and amount > tensor_size:
        raise InvalidValueError(f"amount={amount} should be smaller than the number of parameters to prune={tensor_size}")


def _validate_structured_pruning(t: Tensor) -> None:
    """Raise if `t` is no more than a vector, in which a slice is an element."""
    if t.dim() <= 1:
        raise InvalidValueError("Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                                f"{list(t.shape)} with {t.dim()} dims")


def _validate_pruning_dim(t: Tensor, dim: int) -> None:
    """Raise ``IndexError`` for a dimension that `t` has not."""
    dimension(t, dim)


def _compute_nparams_toprune(amount: float, tensor_size: int) -> int:
    """How many of `tensor_size` elements `amount`, a number or a share of them, is."""
    return int(amount) if isinstance(amount, numbers.Integral) else round(amount * tensor_size)


def _compute_norm(t: Tensor, n: float | str, dim: int) -> Tensor:
    """The `n`-norm of each slice of `t` along `dim`."""
    along = dimension(t, dim)
    return norm(t, p=n, dim=tuple(d for d in range(t.dim()) if d != along))
