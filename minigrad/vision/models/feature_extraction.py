"""What the modules inside of a model compute, by their names."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any, Mapping, Sequence

from minigrad import nn
from minigrad.errors import InvalidValueError

__all__ = ["create_feature_extractor", "get_graph_node_names"]


class _AllFound(Exception):
    """Everything that was asked for is computed."""


class FeatureExtractor(nn.Module):
    """A model that gives what modules inside of it compute, and is left when the last of them is done.

    It has the model's own modules, parameters and buffers, under the same names.
    """

    def __init__(self, model: nn.Module, nodes: Mapping[bool, Mapping[str, str]]) -> None:
        super().__init__()
        self.__dict__["model"] = model  # no module of its own, so that names stay what they are
        self._modules.update(model._modules)
        self._parameters.update(model._parameters)
        self._buffers.update(model._buffers)
        self.nodes = nodes
        self.training = model.training

    def forward(self, *args: Any, **kwargs: Any) -> OrderedDict[str, Any]:
        nodes = self.nodes[self.training]
        found: dict[str, Any] = {}

        def keep(name: str) -> Any:
            calls = 0

            def hook(module: nn.Module, inputs: Any, output: Any) -> None:
                nonlocal calls
                node, calls = f"{name}_{calls}" if calls else name, calls + 1
                if node in nodes:
                    found[node] = output
                    if len(found) == len(nodes):
                        raise _AllFound

            return hook

        modules = dict(self.model.named_modules())
        wanted = {module_of(node, modules) for node in nodes}
        handles = [modules[name].register_forward_hook(keep(name)) for name in wanted]
        before, self.model.training = self.model.training, self.training
        try:
            self.model(*args, **kwargs)
        except _AllFound:
            return OrderedDict((nodes[name], found[name]) for name in nodes)
        finally:
            self.model.training = before
            for handle in handles:
                handle.remove()
        raise InvalidValueError("create_feature_extractor: these modules were not called, or not so often: "
                                f"{[name for name in nodes if name not in found]}")


def module_of(node: str, modules: Mapping[str, nn.Module]) -> str:
    """The name of the module whose call `node` is. Raises ``ValueError`` where there is none."""
    again = re.fullmatch(r"(.+)_\d+", node)
    for name in (node, again[1] if again else node):
        if name and name in modules:
            return name
    raise InvalidValueError(f"create_feature_extractor: node: '{node}' is not present in model. Nodes are the names of modules, "
                            "as model.named_modules() has them, with _1 for the second call of one; what functions compute has "
                            f"no name. Here they begin with {list(modules)[1:6]}")


def create_feature_extractor(model: nn.Module, return_nodes: Sequence[str] | Mapping[str, str] | None = None,
                             train_return_nodes: Sequence[str] | Mapping[str, str] | None = None,
                             eval_return_nodes: Sequence[str] | Mapping[str, str] | None = None,
                             tracer_kwargs: dict[str, Any] | None = None, suppress_diff_warning: bool = False,
                             concrete_args: dict[str, Any] | None = None) -> nn.Module:
    """A module that gives what modules inside of `model` compute, as a dictionary.

    It shares the parameters of `model`, under the same names, and computes no more than is asked for.

    Args:
        return_nodes: the names of modules, as ``model.named_modules()`` has them, or for each its name in the dictionary. The
            second call of a module has ``_1`` after its name, the third ``_2``.
        train_return_nodes, eval_return_nodes: the same for training and evaluation, where they differ.
        tracer_kwargs, suppress_diff_warning, concrete_args: accepted; nothing is traced.

    Raises:
        ValueError: for names of no module, and when a module is not called.

    >>> import minigrad as mg
    >>> from minigrad.vision import models
    >>> features = create_feature_extractor(models.resnet18(), {"layer1.0.relu": "first", "layer2": "second"})
    >>> {name: tuple(value.shape) for name, value in features(mg.rand(1, 3, 32, 32)).items()}
    {'first': (1, 64, 8, 8), 'second': (1, 128, 4, 4)}
    """
    if (return_nodes is None) == (train_return_nodes is None and eval_return_nodes is None) or \
            (train_return_nodes is None) != (eval_return_nodes is None):
        raise InvalidValueError("create_feature_extractor: pass return_nodes, or both train_return_nodes and eval_return_nodes")
    nodes = {}
    modules = dict(model.named_modules())
    for training, asked in ((True, train_return_nodes), (False, eval_return_nodes)):
        asked = return_nodes if asked is None else asked
        assert asked is not None
        nodes[training] = {str(k): str(v) for k, v in asked.items()} if isinstance(asked, Mapping) else {k: k for k in asked}
        for node in nodes[training]:
            module_of(node, modules)
    return FeatureExtractor(model, nodes)


def get_graph_node_names(model: nn.Module, tracer_kwargs: dict[str, Any] | None = None, suppress_diff_warning: bool = False,
                         concrete_args: dict[str, Any] | None = None) -> tuple[list[str], list[str]]:
    """The names that :func:`create_feature_extractor` takes, for training and for evaluation: those of all modules.

    >>> from minigrad.vision import models
    >>> get_graph_node_names(models.LeNet())[1][:3]
    ['features', 'features.0', 'features.1']
    """
    names = [name for name, _ in model.named_modules() if name]
    return names, list(names)
