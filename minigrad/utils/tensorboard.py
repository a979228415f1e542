"""Writing what TensorBoard shows, through tensorboardX: ``pip install "minigrad-numpy[tensorboard]"``.

tensorboardX is at https://github.com/lanpa/tensorboardX.
"""

from __future__ import annotations

import importlib
import inspect
import io
import math
import os
import time
import wave
from typing import Any

import numpy as np

from minigrad import _arrays, _pytree
from minigrad._tensor import Tensor
from minigrad.autograd import enable_grad
from minigrad.errors import ArgumentError, InvalidValueError, ShapeError, missing_extra
from minigrad.recording.clock import owning_modules
from minigrad.recording.graph import Node, Port, edge_of
from minigrad.recording.hints import warn_user

__all__ = ["SummaryWriter"]
__path__: list[str] = []  # `tensorboard.writer` lies below, by minigrad._paths

MESH_PARTS = {1: "VERTEX", 2: "FACE", 3: "COLOR"}  # what tensorboardX numbers, by TensorBoard's names


def tensorboardx(module: str = "") -> Any:
    """A module of tensorboardX. Raises ``ImportError`` that names the extra which installs it."""
    try:
        return importlib.import_module(f"tensorboardX{module}")
    except ModuleNotFoundError as error:
        raise missing_extra("SummaryWriter", str(error.name), "tensorboard") from None


def pillow_image() -> Any:
    """Pillow's module ``Image``. Raises ``ImportError`` that names the extra which installs it."""
    try:
        return importlib.import_module("PIL.Image")
    except ModuleNotFoundError:
        raise missing_extra("add_video", "Pillow", "tensorboard") from None


def as_array(x: Any) -> Any:
    """A tensor as an array of the host, in a dtype that TensorBoard's files have."""
    x = x.detach()
    return _arrays.to_numpy((x.float() if x.is_floating_point() and x.dtype.itemsize < 4 else x).array)


def as_number(called: str, x: Any) -> float:
    """One number from a tensor or an array of one element, or a number. Raises ``ValueError`` for anything else."""
    if np.size(x) != 1:
        raise InvalidValueError(f"{called}: expected one number, got {np.size(x)} of shape {list(np.shape(x))}; index one of "
                                "them, or give their mean()")
    return float(x.item() if hasattr(x, "item") else x)


def as_image(called: str, x: Any, dataformats: str) -> Any:
    """Images as an array. Raises ``ValueError`` where the dimensions are not those that `dataformats` names."""
    array = as_array(x) if isinstance(x, Tensor) else np.asarray(x)
    shape, formats = list(array.shape), dataformats.upper()
    if array.ndim != len(formats) or "C" in formats and not 1 <= shape[formats.index("C")] <= 4:
        raise InvalidValueError(f"{called}: expected dimensions {formats}, with 1 to 4 channels C, got shape {shape}; say with "
                                "dataformats='HWC', 'HW' and the like which they are")
    return array


def as_setting(name: str, x: Any) -> Any:
    """A setting of a run: a number, a truth value, a string or None. Raises ``ValueError`` for anything else."""
    if x is None or isinstance(x, (bool, int, float, str)):
        return x
    if hasattr(x, "item") and np.size(x) == 1:
        return x.item()
    raise InvalidValueError(f"add_hparams: '{name}' should be one of int, float, str, bool, or a tensor of one number, not "
                            f"{type(x).__name__}; give str(...) of others")


def tensor_value(tag: str, plugin: str, tensor: dict[str, Any]) -> Any:
    """The value of a step as a tensor, for the part of TensorBoard called `plugin`."""
    messages = tensorboardx(".proto.summary_pb2")
    metadata = messages.SummaryMetadata(plugin_data=messages.SummaryMetadata.PluginData(plugin_name=plugin))
    return messages.Summary.Value(tag=tag, metadata=metadata, tensor=tensorboardx(".proto.tensor_pb2").TensorProto(**tensor))


def add_domains(summary: Any, domains: dict[str, list[Any]], settings: dict[str, Any]) -> None:
    """Put into the message that describes the settings of a run what values of each were tried. Raises ``TypeError`` for those of
    another type than the setting."""
    described = tensorboardx(".proto.plugin_hparams_pb2").HParamsPluginData
    place = summary.value[0].metadata.plugin_data
    content = described.FromString(place.content)
    for info in content.experiment.hparam_infos:
        values = domains.get(info.name)
        if values is not None:
            if not isinstance(values, list) or not all([type(v) is type(settings[info.name]) for v in values]):
                raise ArgumentError(f"parameter: hparam_domain_discrete[{info.name}] should be a list of same type as "
                                    f"hparam_dict[{info.name}].")
            info.domain_discrete.extend(values)
    place.content = content.SerializeToString()


class SummaryWriter:
    """Writes scalars, histograms, images, figures, text and graphs for TensorBoard into a folder.

    ``add_histogram_raw``, ``add_image_with_boxes``, ``add_figure``, ``add_text``, ``add_embedding``, ``add_pr_curve``,
    ``add_custom_scalars``, ``flush``, ``close`` and others are tensorboardX's, with PyTorch's arguments, and take arrays, and
    tensors of every dtype and device.

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
        self._settings = max_queue, flush_secs, filename_suffix

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

    def _write(self, values: list[Any], global_step: int | None, walltime: float | None = None, folder: str = "") -> None:
        """Write the values of one step, to this run or to the one in a folder below it, which has files of its own."""
        summary = tensorboardx(".proto.summary_pb2").Summary(value=values)
        self._files(folder).add_summary(summary, global_step, walltime)

    def _files(self, folder: str = "") -> Any:
        """What writes into the folder of this run, or into one below it."""
        own = self._writer._get_file_writer()
        if not folder:
            return own
        path = os.path.join(self.log_dir, folder)
        writers = self._writer.all_writers  # which are flushed and closed together
        if path not in writers:
            writers[path] = tensorboardx(".writer").FileWriter(path, *self._settings)
        return writers[path]

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None, walltime: float | None = None,
                   new_style: bool = False, double_precision: bool = False) -> None:
        """Write one number.

        With `new_style` it is written as a tensor, which TensorBoard loads faster, and with `double_precision` too in 64 bits.
        Raises ``ValueError`` for what is not one number.
        """
        number = as_number("add_scalar", scalar_value)
        if not new_style:
            self._writer.add_scalar(tag, number, global_step, walltime)
            return
        kind, field = ("DT_DOUBLE", "double_val") if double_precision else ("DT_FLOAT", "float_val")
        self._write([tensor_value(tag, "scalars", {"dtype": kind, field: [number]})], global_step, walltime)

    def add_scalars(self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: int | None = None,
                    walltime: float | None = None) -> None:
        """Write several numbers to be drawn in one chart. Each has a run of its own, in the folder ``<main_tag>_<its tag>``."""
        scalar = tensorboardx(".summary").scalar
        for tag, value in tag_scalar_dict.items():
            files = self._files(f"{main_tag.replace('/', '_')}_{tag}")
            files.add_summary(scalar(main_tag, as_number("add_scalars", value)), global_step, walltime)

    def add_image(self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None,
                  dataformats: str = "CHW") -> None:
        """Write an image: uint8 from 0 to 255, or floating numbers from 0 to 1. Raises ``ValueError`` for another shape than
        `dataformats` names."""
        array = as_image("add_image", img_tensor, dataformats)
        self._writer.add_image(tag, array, global_step, walltime, dataformats)

    def add_images(self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None,
                   dataformats: str = "NCHW") -> None:
        """Write several images as one, side by side, as :meth:`add_image` does."""
        array = as_image("add_images", img_tensor, dataformats)
        self._writer.add_images(tag, array, global_step, walltime, dataformats)

    def add_histogram(self, tag: str, values: Any, global_step: int | None = None, bins: Any = "tensorflow",
                      walltime: float | None = None, max_bins: int | None = None) -> None:
        """Write how numbers are distributed. NaN and infinite ones are left out; ``ValueError`` is raised where there are no
        others."""
        array = as_array(values) if isinstance(values, Tensor) else np.asarray(values)
        if not np.isfinite(array).any():
            raise InvalidValueError(f"add_histogram: '{tag}' has no finite number: shape {list(array.shape)}, "
                                    f"{np.isnan(array).sum()} of them NaN")
        self._writer.add_histogram(tag, array, global_step, bins, walltime, max_bins)

    def add_tensor(self, tag: str, tensor: Any, global_step: int | None = None, walltime: float | None = None) -> None:
        """Write all numbers of a tensor, of a floating dtype, which TensorBoard keeps but does not draw."""
        array = np.asarray(as_array(tensor) if isinstance(tensor, Tensor) else tensor)
        shape = {"dim": [{"size": n} for n in array.shape]}
        numbers = {"dtype": "DT_DOUBLE", "double_val": array.ravel()} if array.dtype == np.float64 else \
            {"dtype": "DT_FLOAT", "float_val": array.astype(np.float32).ravel()}
        self._write([tensor_value(tag, "tensor", {**numbers, "tensor_shape": shape})], global_step, walltime)

    def add_audio(self, tag: str, snd_tensor: Any, global_step: int | None = None, sample_rate: int = 44100,
                  walltime: float | None = None) -> None:
        """Write a sound: numbers between -1 and 1, of shape (1, L) or (L,), of which there are `sample_rate` a second."""
        array = np.asarray(as_array(snd_tensor) if isinstance(snd_tensor, Tensor) else snd_tensor).squeeze()
        if array.ndim != 1:
            raise ShapeError(f"add_audio: expected a sound of shape (1, L), got {list(np.shape(snd_tensor))}")
        if np.abs(array).max(initial=0) > 1:
            warn_user("add_audio: amplitudes beyond -1 and 1 are cut off")
        file = io.BytesIO()
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(sample_rate)
            sound.writeframes((array.clip(-1, 1) * 32767).astype("<i2").tobytes())
        Summary = tensorboardx(".proto.summary_pb2").Summary
        audio = Summary.Audio(sample_rate=sample_rate, num_channels=1, length_frames=len(array), content_type="audio/wav",
                              encoded_audio_string=file.getvalue())
        self._write([Summary.Value(tag=tag, audio=audio)], global_step, walltime)

    def add_video(self, tag: str, vid_tensor: Any, global_step: int | None = None, fps: float = 4,
                  walltime: float | None = None) -> None:
        """Write films, of shape (N, T, C, H, W) with values between 0 and 1 or of uint8, side by side, `fps` frames a second."""
        array = np.asarray(as_array(vid_tensor) if isinstance(vid_tensor, Tensor) else vid_tensor)
        if array.ndim != 5 or array.shape[2] not in (1, 3):
            raise ShapeError(f"add_video: expected films of shape (N, T, C, H, W) with 1 or 3 colours, got {list(array.shape)}")
        n, frames, colors, height, width = array.shape
        if array.dtype != np.uint8:
            array = (array * 255).clip(0, 255).astype(np.uint8)
        rows = 2 ** int(math.log2(n) / 2)
        columns = -(-n // rows)
        grid = np.zeros((rows * columns, *array.shape[1:]), np.uint8)
        grid[:n] = array
        grid = grid.reshape(rows, columns, frames, colors, height, width).transpose(2, 0, 4, 1, 5, 3)
        shown = grid.reshape(frames, rows * height, columns * width, colors)
        images = [pillow_image().fromarray(frame.repeat(3 // colors, axis=-1)) for frame in shown]
        file = io.BytesIO()
        images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=1000 / fps, loop=0)
        Summary = tensorboardx(".proto.summary_pb2").Summary
        image = Summary.Image(height=shown.shape[1], width=shown.shape[2], colorspace=colors,
                              encoded_image_string=file.getvalue())
        self._write([Summary.Value(tag=tag, image=image)], global_step, walltime)

    def add_mesh(self, tag: str, vertices: Any, colors: Any = None, faces: Any = None, config_dict: dict[str, Any] | None = None,
                 global_step: int | None = None, walltime: float | None = None) -> None:
        """Write points in space, of shape (N, V, 3), or triangles between them.

        Args:
            colors: of each point, from 0 to 255, of the shape of `vertices`.
            faces: the numbers of the points of each triangle, of shape (N, F, 3).
            config_dict: what TensorBoard's scene is given: camera, material and so on.
        """
        arrays = [as_array(x) if isinstance(x, Tensor) else x for x in (vertices, colors, faces)]
        summary = tensorboardx(".summary").mesh(tag, *arrays, config_dict or {})
        kinds = [int(value.tag.rpartition("_")[2]) for value in summary.value]
        for kind, value in zip(kinds, summary.value):
            value.tag = f"{tag}_{MESH_PARTS[kind]}"
            # What parts there are: the field of number 7, which tensorboardX's form of the message does not have.
            value.metadata.plugin_data.content += bytes((7 << 3, sum([1 << k for k in kinds])))
        self._files().add_summary(summary, global_step, walltime)

    def add_hparams(self, hparam_dict: dict[str, Any], metric_dict: dict[str, Any],
                    hparam_domain_discrete: dict[str, list[Any]] | None = None, run_name: str | None = None,
                    global_step: int | None = None) -> None:
        """Write the settings of a run beside what came of it.

        Args:
            hparam_dict: numbers, truth values and strings by their names.
            metric_dict: the numbers that came of them.
            hparam_domain_discrete: for some of the settings all values that were tried.
            run_name: the folder below this run to write into; the time by default.

        Raises ``TypeError`` where these are no dictionaries, ``ValueError`` for a setting or a result of another kind.
        """
        if not (isinstance(hparam_dict, dict) and isinstance(metric_dict, dict)):
            raise ArgumentError("hparam_dict and metric_dict should be dictionary.")
        settings = {name: as_setting(name, value) for name, value in hparam_dict.items()}
        results = {name: as_number("add_hparams", value) for name, value in metric_dict.items()}
        summaries = tensorboardx(".summary").hparams(settings, results)
        if hparam_domain_discrete:
            add_domains(summaries[0], hparam_domain_discrete, settings)
        files = self._files(str(time.time()) if run_name is None else run_name)
        for summary in summaries:
            files.add_summary(summary, global_step)
        for name, value in results.items():
            files.add_summary(tensorboardx(".summary").scalar(name, value), global_step)

    def add_graph(self, model: Any, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True) -> None:
        """Write the graph of ``model(*input_to_model)``: the operations that lead from inputs and parameters to the result, each
        in the place of the module that computed it, with shapes.

        The model is run once. Operations on nothing but integers, which are not recorded, are not shown. Raises ``TypeError``
        without an input.
        """
        if input_to_model is None:
            raise ArgumentError("add_graph: input_to_model is needed, a tensor or several: the model is run to see its graph")
        inputs = input_to_model if isinstance(input_to_model, (tuple, list)) else (input_to_model,)
        inputs = _pytree.tree_map_only(Tensor, as_leaf, tuple(inputs))
        with enable_grad():
            outputs = [t for t in _pytree.tree_leaves(model(*inputs)) if isinstance(t, Tensor)]
        graph = graph_def(outputs, model, inputs)
        if verbose:
            print(graph)
        event = tensorboardx(".proto.event_pb2").Event(graph_def=graph.SerializeToString())
        self._files().add_event(event)


def as_leaf(x: Any) -> Any:
    """`x` as what a graph begins with, so that operations on it are recorded."""
    return x.detach().requires_grad_() if x.is_floating_point() or x.is_complex() else x


def graph_def(outputs: list[Any], model: Any, inputs: tuple[Any, ...]) -> Any:
    """What was recorded below `outputs` as TensorFlow's GraphDef, which TensorBoard draws: a node for each operation and leaf, in
    the scope of its module."""
    modules = dict(model.named_modules())
    order: dict[Any, None] = {}
    waiting = [target_of(edge_of(t)) for t in reversed(outputs)]
    while waiting:
        target = waiting.pop()
        if target is not None and target not in order:
            order[target] = None
            if isinstance(target, Node):
                waiting += [target_of(edge) for edge in reversed(target.inputs)]
    owners = owning_modules([target.stamp for target in order if isinstance(target, Node)], modules)
    leaves = {id(p): scope_of(path, modules) for path, p in model.named_parameters()}
    called = [*inspect.signature(model.forward).parameters]
    for x, name in zip(inputs, called + [f"input_{k}" for k in range(len(called), len(inputs))]):
        parts = [t for t in _pytree.tree_leaves(x) if isinstance(t, Tensor)]
        leaves.update({id(t): f"input/{name}" + (f".{part}" if len(parts) > 1 else "") for part, t in enumerate(parts)})
    names = {target: f"{scope_of(owners[target.stamp], modules)}/{target.op_name}_{k}" if isinstance(target, Node) else
             leaves.get(id(target), f"constant/{k}") for k, target in enumerate(order)}
    nodes = []
    for target in order:
        if isinstance(target, Node):
            below = [names[x] for edge in target.inputs if (x := target_of(edge)) is not None]
            nodes.append(node_def(names[target], target.name(), target.shape, below))
        else:
            kind = "IO Node" if names[target].startswith("input/") else "Parameter"
            nodes.append(node_def(names[target], kind, target.shape, []))
    for k, t in enumerate(outputs):
        found = target_of(edge_of(t))
        nodes.append(node_def(f"output/output_{k}", "IO Node", t.shape, [] if found is None else [names[found]]))
    return tensorboardx(".proto.graph_pb2").GraphDef(node=nodes)


def node_def(name: str, kind: str, shape: Any, inputs: list[str]) -> Any:
    """One node of the graph, with the shape of its result, which TensorBoard writes on the edges."""
    dims = tensorboardx(".proto.tensor_shape_pb2").TensorShapeProto(dim=[{"size": n} for n in shape])
    values = tensorboardx(".proto.attr_value_pb2").AttrValue
    return tensorboardx(".proto.node_def_pb2").NodeDef(
        name=name, op=kind, input=inputs, attr={"_output_shapes": values(list=values.ListValue(shape=[dims]))})


def scope_of(path: str, modules: dict[str, Any]) -> str:
    """The place of a module, or of a parameter, in TensorBoard's tree: the class and the name of each module on the way to it."""
    steps, scope = path.split(".") if path else [], [type(modules[""]).__name__]
    for depth, step in enumerate(steps, 1):
        module = modules.get(".".join(steps[:depth]))
        scope.append(step if module is None else f"{type(module).__name__}[{step}]")
    return "/".join(scope)


def target_of(edge: Any) -> Any:
    """The node or leaf that an edge leads to; None where it leads nowhere."""
    return edge.grad_fn if isinstance(edge, Port) else edge
