"""Ensembles of modules."""

from __future__ import annotations

from typing import Any

from minigrad.errors import RuntimeValueError
from minigrad.nn.modules.module import Module
from minigrad.nn.modules.normalization import BatchNorm
from minigrad.ops.shaping.slicing import stack


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of equal modules, each stacked along a new first dimension.

    :func:`vmap` over both, with :func:`functional_call`, runs the ensemble. Raises ``RuntimeError`` for no modules, and for
    modules that differ in their class, in ``training``, or in which parameters require grad.
    """
    models = list(models)
    if not models:
        raise RuntimeValueError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeValueError("stack_module_state: Expected all models to have the same training/eval mode; call .train() or "
                                ".eval() on each")
    if len({type(m) for m in models}) > 1:
        raise RuntimeValueError("stack_module_state: Expected all models to be of the same class, got "
                                f"{sorted({type(m).__name__ for m in models})}")
    return (stack_tables([dict(m.named_parameters()) for m in models]), stack_tables([dict(m.named_buffers()) for m in models]))


def stack_tables(tables: list[dict[str, Any]]) -> dict[str, Any]:
    """For each name, the tensors that the `tables` have under it, stacked: leaves that require grad where those do."""
    stacked = {}
    for name, first in tables[0].items():
        tensors = [table[name] for table in tables]
        if len({t.requires_grad for t in tensors}) > 1:
            raise RuntimeValueError(f"stack_module_state: Expected {name} from each model to have the same .requires_grad")
        stacked[name] = stack(tensors).detach().requires_grad_(first.requires_grad)
    return stacked


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """`root` itself, after its batch norms were told to keep no running statistics: :func:`vmap` cannot write to these.

    >>> import minigrad as mg
    >>> model = mg.func.replace_all_batch_norm_modules_(mg.nn.Sequential(mg.nn.BatchNorm1d(2)))
    >>> model[0].track_running_stats, model[0].running_mean
    (False, None)
    """
    for module in root.modules():
        if isinstance(module, BatchNorm):
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None
    return root
