"""Writing what TensorBoard shows, through tensorboardX: ``pip install "minigrad-numpy[tensorboard]"``.

tensorboardX is at https://github.com/lanpa/tensorboardX.
"""

from __future__ import annotations

import importlib
from typing import Any

from minigrad import _arrays, _pytree
from minigrad._tensor import Tensor
from minigrad.autograd import enable_grad
from minigrad.errors import ArgumentError, missing_extra
from minigrad.recording.clock import owning_modules
from minigrad.recording.graph import Node, Port, edge_of

__all__ = ["SummaryWriter"]


def tensorboardx(module: str = "") -> Any:
    """A module of tensorboardX. Raises ``ImportError`` that names the extra which installs it."""
    try:
        return importlib.import_module(f"tensorboardX{module}")
    except ModuleNotFoundError as error:
        raise missing_extra("SummaryWriter", str(error.name), "tensorboard") from None


def as_array(x: Any) -> Any:
    """A tensor as an array of the host, in a dtype that TensorBoard's files have."""
    x = x.detach()
    return _arrays.to_numpy((x.float() if x.is_floating_point() and x.dtype.itemsize < 4 else x).array)


class SummaryWriter:
    """Writes scalars, histograms, images, figures, text and graphs for TensorBoard into a folder.

    ``add_scalars``, ``add_histogram``, ``add_image``, ``add_images``, ``add_figure``, ``add_text``, ``add_audio``, ``add_video``,
    ``add_embedding``, ``add_pr_curve``, ``add_mesh``, ``flush``, ``close`` and others are tensorboardX's, and take tensors and
    arrays.

    Args:
        log_dir: the folder; by default a new one in ``runs``, with the time and the host in its name.
        comment: what is appended to the name of that.
        purge_step: hide what was written for this step and later ones, after a crash.
        max_queue: how many records are kept before they are written.
        flush_secs: how often they are written at the latest, in seconds.
        filename_suffix: what is appended to the names of files.

    >>> import tempfile
    >>> import minigrad as mg
    >>> with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
    ...     writer.add_scalar("loss", mg.tensor(0.5), 1)
    ...     writer.add_histogram("weights", mg.randn(100), 1)
    """

    def __init__(self, log_dir: Any = None, comment: str = "", purge_step: int | None = None, max_queue: int = 10,
                 flush_secs: int = 120, filename_suffix: str = "") -> None:
        self._writer = tensorboardx().SummaryWriter(
            None if log_dir is None else str(log_dir), comment=comment, purge_step=purge_step, max_queue=max_queue,
            flush_secs=flush_secs, filename_suffix=filename_suffix)
        self.log_dir: str = self._writer.logdir

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"'SummaryWriter' object has no attribute {name!r}")
        method = getattr(self._writer, name)

        def with_arrays(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = _pytree.tree_map_only(Tensor, as_array, (args, kwargs))
            return method(*args, **kwargs)

        with_arrays.__name__, with_arrays.__doc__ = name, method.__doc__
        return with_arrays

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self._writer.close()

    def get_logdir(self) -> str:
        """The folder in which the files are."""
        return self.log_dir

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None, walltime: float | None = None,
                   new_style: bool = False, double_precision: bool = False) -> None:
        """Write one number; `new_style` and `double_precision` are accepted."""
        value = scalar_value.item() if isinstance(scalar_value, Tensor) else scalar_value
        self._writer.add_scalar(tag, value, global_step, walltime)

    def add_hparams(self, hparam_dict: dict[str, Any], metric_dict: dict[str, Any], hparam_domain_discrete: Any = None,
                    run_name: str | None = None, global_step: int | None = None) -> None:
        """Write the settings of a run beside what came of it; `hparam_domain_discrete` is accepted."""
        numbers = [{key: value.item() if isinstance(value, Tensor) else value for key, value in table.items()}
                   for table in (hparam_dict, metric_dict)]
        self._writer.add_hparams(*numbers, name=run_name, global_step=global_step)

    def add_graph(self, model: Any, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True) -> None:
        """Write the graph of ``model(*input_to_model)``: the operations that lead from parameters to the result, by module.

        The model is run once. Operations on what requires no grad are not recorded, and so not shown. Raises ``TypeError``
        without an input.
        """
        if input_to_model is None:
            raise ArgumentError("add_graph: input_to_model is needed, a tensor or several: the model is run to see its graph")
        inputs = input_to_model if isinstance(input_to_model, (tuple, list)) else (input_to_model,)
        with enable_grad():
            outputs = [t for t in _pytree.tree_leaves(model(*inputs)) if isinstance(t, Tensor)]
        graph = graph_def(outputs, dict(model.named_modules()), dict(model.named_parameters()), type(model).__name__)
        if verbose:
            print(graph)
        event = tensorboardx(".proto.event_pb2").Event(graph_def=graph.SerializeToString())
        self._writer._get_file_writer().add_event(event)


def graph_def(outputs: list[Any], modules: dict[str, Any], parameters: dict[str, Any], title: str) -> Any:
    """What was recorded below `outputs` as TensorFlow's GraphDef, which TensorBoard draws: a node for each operation and leaf, in
    the scope of its module."""
    NodeDef = tensorboardx(".proto.node_def_pb2").NodeDef
    names_of_leaves = {id(p): name for name, p in parameters.items()}
    found: dict[Any, str] = {}
    order: list[Any] = []
    waiting = [target_of(edge_of(t)) for t in reversed(outputs)]
    while waiting:
        target = waiting.pop()
        if target is not None and target not in found:
            found[target] = ""
            order.append(target)
            if isinstance(target, Node):
                waiting += [target_of(edge) for edge in reversed(target.inputs)]
    owners = owning_modules([target.stamp for target in order if isinstance(target, Node)], modules)
    for k, target in enumerate(order):
        if isinstance(target, Node):
            path, name = owners[target.stamp], f"{target.op_name}_{k}"
        else:
            path, _, name = names_of_leaves.get(id(target), f"input_{k}").rpartition(".")
        found[target] = "/".join([title, *(path.split(".") if path else ()), name])
    nodes = []
    for target in order:
        if isinstance(target, Node):
            below = [target_of(edge) for edge in target.inputs]
            nodes.append(NodeDef(name=found[target], op=target.name(), input=[found[x] for x in below if x is not None]))
        else:
            nodes.append(NodeDef(name=found[target], op="Parameter" if id(target) in names_of_leaves else "Input"))
    for k, t in enumerate(outputs):
        below = target_of(edge_of(t))
        nodes.append(NodeDef(name=f"output_{k}", op="Output", input=[] if below is None else [found[below]]))
    return tensorboardx(".proto.graph_pb2").GraphDef(node=nodes)


def target_of(edge: Any) -> Any:
    """The node or leaf that an edge leads to; None where it leads nowhere."""
    return edge.grad_fn if isinstance(edge, Port) else edge
