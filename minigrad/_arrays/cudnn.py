"""Convolutions by NVIDIA's cuDNN, where its Python package ``cudnn`` (nvidia-cudnn-frontend) is installed.

To cuDNN a convolution is a graph of one node, for which its heuristics propose plans, the most promising first. A plan is
built once for each kind of convolution (shapes, steps, dtype, precision) and kept.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import importlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad import _settings as settings

__all__ = ["Cudnn", "Switches", "module", "switches"]

KINDS = {"float16": ("HALF", "FLOAT"), "float32": ("FLOAT", "FLOAT"), "float64": ("DOUBLE", "DOUBLE")}  # of elements, of sums
WORKSPACE = 1 << 30  # bytes; plans that want more are passed over
KEPT = 1000  # plans of a session
ALIGNMENT = 16  # bytes, which cuDNN's kernels take for granted


class Switches:
    """What :mod:`minigrad.backends.cudnn` shows."""

    def __init__(self) -> None:
        self.enabled = True
        self.benchmark = False
        self.benchmark_limit = 10
        self.deterministic = False
        self.allow_tf32 = True


switches = Switches()


@functools.cache
def module() -> Any:
    """The package ``cudnn``, or None where it or cuDNN itself is not installed; looked for at the first use."""
    try:
        cudnn = importlib.import_module("cudnn")
        cudnn.backend_version()
    # No package; no library, as the several versions of the package say it; something else of that name, such as a folder.
    except (ImportError, OSError, RuntimeError, AttributeError):
        return None
    return cudnn


class Plan(NamedTuple):
    """One way to compute a graph: the graph, which of its plans, and the bytes that it needs for itself."""

    graph: Any
    number: int
    workspace: int


class Geometry(NamedTuple):
    """What tells one convolution from another. All shapes have two or three dimensions of positions."""

    x: tuple[int, ...]
    weight: tuple[int, ...]
    y: tuple[int, ...]
    wanted: int  # which of the three is computed
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    dtype: str


class Cudnn:
    """cuDNN by the module `cudnn`, for arrays of the module `cupy`."""

    def __init__(self, cudnn: Any, cupy: Any) -> None:
        self._cudnn, self._cupy = cudnn, cupy
        self._idle: Any = collections.defaultdict(list)  # sessions, by GPU

    def convolve(self, x: Any, weight: Any, y: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        """As :meth:`minigrad._arrays.kernels.Kernels.convolve`, without a bias."""
        sides = [x, weight, y]
        wanted = [isinstance(side, tuple) for side in sides].index(True)
        given = sides[wanted - 1]
        geometry = geometry_of(sides, wanted, stride, padding, dilation, given.dtype.name)
        if geometry is None:
            return None
        with given.device, self.session(given.device.id) as session:
            plan = session.plan(geometry)
            if plan is None:
                return None
            sides[wanted] = self._cupy.empty(sides[wanted], dtype=given.dtype)
            session.execute(plan, [align(side) for side in sides])
        return sides[wanted]

    @contextlib.contextmanager
    def session(self, gpu: int) -> Iterator[Session]:
        """A session on `gpu`, the current one, that no other thread has: one for each thread that is at work on it."""
        idle = self._idle[gpu]
        try:
            session = idle.pop()
        except IndexError:
            session = Session(self._cudnn, self._cupy)
        try:
            session.follow()
            yield session
        finally:
            idle.append(session)


class Session:
    """A handle of cuDNN's on the current GPU, and the plans made with it. For one thread at a time, as cuDNN asks of both."""

    def __init__(self, cudnn: Any, cupy: Any) -> None:
        self._cudnn, self._cupy = cudnn, cupy
        self._handle = cudnn.create_handle()
        self._plans: dict[Any, Plan | None] = {}  # by geometry and switches; None: cuDNN has none

    def follow(self) -> None:
        """Put what is executed from now on into the current stream."""
        self._cudnn.set_stream(handle=self._handle, stream=self._cupy.cuda.get_current_stream().ptr)

    def execute(self, plan: Plan, arrays: Any) -> None:
        # Its workspace is given back before it is used: to the pool of this stream, where all that may take it comes later.
        workspace = self._cupy.empty(max(1, plan.workspace), dtype=np.uint8)
        plan.graph.execute_plan_at_index({uid: a.data.ptr for uid, a in enumerate(arrays)}, workspace.data.ptr, plan.number,
                                         handle=self._handle)

    def plan(self, geometry: Geometry) -> Plan | None:
        """The plan for this geometry and the present switches; None where cuDNN has none."""
        deterministic = switches.deterministic or settings.are_deterministic_algorithms_enabled()
        exact = geometry.dtype == "float32" and not switches.allow_tf32
        limit = switches.benchmark_limit if switches.benchmark else None
        key = geometry, deterministic, exact, limit
        if key not in self._plans:
            if len(self._plans) >= KEPT:
                del self._plans[next(iter(self._plans))]
            self._plans[key] = self.choose(*key)
        return self._plans[key]

    def choose(self, geometry: Geometry, deterministic: bool, exact: bool, limit: int | None) -> Plan | None:
        """The first plan that can be built; with a `limit`, the fastest of the first that many, or of all if it is 0."""
        notes, unsupported = self._cudnn.numerical_note, self._cudnn.cudnnGraphNotSupportedError
        try:
            graph = self.graph(geometry)
            graph.validate()
            graph.build_operation_graph()
            graph.create_execution_plans([self._cudnn.heur_mode.A, self._cudnn.heur_mode.FALLBACK])
        except unsupported:
            return None
        # Of float32 the tensor cores take the leading bits only, whatever the format that they are rounded to is called.
        graph.deselect_numeric_notes([*[notes.NONDETERMINISTIC] * deterministic,
                                      *[notes.TENSOR_CORE, notes.DOWN_CONVERT_INPUTS] * exact])
        graph.deselect_workspace_greater_than(WORKSPACE)
        built: list[Plan] = []
        for number in range(graph.get_execution_plan_count()):
            try:
                graph.build_plan_at_index(number)
            except unsupported:  # or deselected
                continue
            built.append(Plan(graph, number, graph.get_workspace_size_plan_at_index(number)))
            if len(built) == (1 if limit is None else limit):
                break
        if len(built) < 2:
            return built[0] if built else None
        arrays = [self._cupy.zeros(shape, dtype=geometry.dtype) for shape in (geometry.x, geometry.weight, geometry.y)]
        times = [self.milliseconds(plan, arrays) for plan in built]
        return built[times.index(min(times))]

    def milliseconds(self, plan: Plan, arrays: Any) -> float:
        """What a plan takes, after a first run that loads its kernels."""
        start, end = self._cupy.cuda.Event(), self._cupy.cuda.Event()
        self.execute(plan, arrays)
        start.record()
        self.execute(plan, arrays)
        end.record()
        end.synchronize()
        return float(self._cupy.cuda.get_elapsed_time(start, end))

    def graph(self, geometry: Geometry) -> Any:
        """The graph of one convolution; x, weight and y have the uids 0, 1 and 2."""
        element, total = [getattr(self._cudnn.data_type, name) for name in KINDS[geometry.dtype]]
        graph = self._cudnn.pygraph(io_data_type=element, intermediate_data_type=total, compute_data_type=total,
                                    handle=self._handle)
        shapes = geometry.x, geometry.weight, geometry.y
        x, weight, y = [graph.tensor(dim=list(shape), stride=row_major(shape), data_type=element, uid=uid)
                        if uid != geometry.wanted else None for uid, shape in enumerate(shapes)]
        options = {"pre_padding": list(geometry.before), "post_padding": list(geometry.after), "stride": list(geometry.stride),
                   "dilation": list(geometry.dilation), "compute_data_type": total}
        if x is None:
            made = graph.conv_dgrad(loss=y, filter=weight, **options)
        elif weight is None:
            made = graph.conv_wgrad(image=x, loss=y, **options)
        else:
            made = graph.conv_fprop(image=x, weight=weight, **options)
        shape = shapes[geometry.wanted]
        made.set_uid(geometry.wanted).set_dim(list(shape)).set_stride(row_major(shape)).set_data_type(element).set_output(True)
        return graph


def geometry_of(sides: Any, wanted: int, stride: Any, padding: Any, dilation: Any, dtype: str) -> Geometry | None:
    """What cuDNN has to know; None for what it cannot do."""
    shapes = [side if k == wanted else side.shape for k, side in enumerate(sides)]
    ndim = len(stride)
    if dtype not in KINDS or not 1 <= ndim <= 3 or not all(map(math.prod, shapes)):
        return None
    extra = (1,) if ndim == 1 else ()  # it wants two dimensions at least
    before = [pair[0] for pair in padding]
    after = [zeros_after(pair, step) for pair, step in zip(padding, stride)]
    if min(before) < 0 or min(after) < 0:
        return None
    x, weight, y = [(*shape[:2], *extra, *shape[2:]) for shape in shapes]
    nothing = tuple([0 for _ in extra])
    return Geometry(x, weight, y, wanted, (*extra, *stride), (*extra, *dilation), (*nothing, *before), (*nothing, *after), dtype)


def zeros_after(pair: tuple[int, int], step: int) -> int:
    """How many zeros to say there are behind, so that there are as many positions as with exactly ``pair[1]``.

    cuDNN rounds the number of positions down; so there may be up to ``step - 1`` more, and as many as in front is best: its
    fastest kernels are for that. Negative where even with these the last elements would have to be cropped.
    """
    before, least = pair
    most = least + step - 1
    return before if least <= before <= most else max(least, min(0, most))


def row_major(shape: tuple[int, ...]) -> list[int]:
    """The steps from element to element of a contiguous array, in elements."""
    return [math.prod(shape[dim + 1:]) for dim in range(len(shape))]


def align(x: Any) -> Any:
    """`x` as a contiguous array that starts where cuDNN's kernels expect it."""
    return x if x.flags.c_contiguous and x.data.ptr % ALIGNMENT == 0 else x.copy()
