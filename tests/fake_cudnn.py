"""Stands in for ``cudnn``, cuDNN's Python package: graphs of one convolution, computed by NumPy in the memory they are given.

Names and parameters are those of the real package (``cudnn_surface.json``), the order of calls is enforced, and what cuDNN
refuses is refused: shapes that do not fit, zeros of negative number, fewer than two dimensions of positions, addresses that
are not aligned, of other GPUs or of memory that is nobody's, a handle of another GPU or another stream. Of the plans for a
graph the first rounds float32 as TF32 does, the next is marked as not deterministic, the next wants too much memory.

What it cannot show: whether cuDNN has a plan for a convolution, speed, and the rounding of other orders of summation.
"""

from __future__ import annotations

import ctypes
import functools
import inspect
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests import cudnn_surface, fake_cuda
from tests.op_cases.neural import convolution as cases

SURFACE = cudnn_surface.load()
ELEMENTS = {"HALF": np.float16, "FLOAT": np.float32, "DOUBLE": np.float64}
ENUMS = {name: SimpleNamespace(**{n: f"{name}.{n}" for n in members}) for name, members in SURFACE["enums"].items()}
executed: list[tuple[str, int]] = []  # kinds of nodes with the numbers of plans, as they were executed


class cudnnGraphNotSupportedError(RuntimeError):
    """Stands in for the exception of this name."""


def bound(what: str, accepted: list[str], args: Any, kwargs: Any) -> dict[str, Any]:
    """The arguments by name. Raises ``TypeError`` for what is not in the surface."""
    names = [p for p in accepted if not p.startswith("*") and p != "self"]
    unknown = set(kwargs) - {p.rstrip("=") for p in names}
    if unknown or len(args) > len(names):
        raise TypeError(f"{what}: unknown arguments {sorted(unknown) or args[len(names):]}")
    given = {**dict(zip([p.rstrip("=") for p in names], args)), **kwargs}
    missing = [p for p in names if not p.endswith("=") and p not in given]
    if missing:
        raise TypeError(f"{what}: missing {missing}")
    return given


class Strict:
    """A class whose public methods are in the surface, under ``part``, and called as there."""

    part: str

    def __init_subclass__(cls) -> None:
        for name, method in list(vars(cls).items()):
            if inspect.isfunction(method) and not name.startswith("_"):
                setattr(cls, name, strict(f"{cls.part}.{name}", SURFACE[cls.part][name], method))


def strict(what: str, accepted: list[str], method: Any) -> Any:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, *args, **kwargs) if "*args" in accepted else method(self, **bound(what, accepted, args, kwargs))
    return call


class Tensor(Strict):
    part = "tensor"

    def __init__(self, dim: Any = None, stride: Any = None, data_type: Any = None, uid: int | None = None) -> None:
        self.dim, self.stride, self.data_type, self.uid, self.output = dim, stride, data_type, uid, False

    def set_dim(self, dim: Any) -> Tensor:
        self.dim = dim
        return self

    def set_stride(self, stride: Any) -> Tensor:
        self.stride = stride
        return self

    def set_data_type(self, dtype: Any) -> Tensor:
        self.data_type = dtype
        return self

    def set_uid(self, uid: int) -> Tensor:
        self.uid = uid
        return self

    def set_output(self, value: bool) -> Tensor:
        self.output = value
        return self

    def _dtype(self) -> Any:
        return np.dtype(ELEMENTS[self.data_type.removeprefix("data_type.")])

    def _at(self, address: int) -> Any:
        """The memory at `address`, in this tensor's shape."""
        dtype = self._dtype()
        count = 1 + sum((n - 1) * step for n, step in zip(self.dim, self.stride))
        if address % 16:
            raise AssertionError(f"misaligned address: {address:#x}")
        allocated(address, count * dtype.itemsize)
        flat = np.frombuffer((ctypes.c_byte * (count * dtype.itemsize)).from_address(address), dtype)
        return np.lib.stride_tricks.as_strided(flat, self.dim, [step * dtype.itemsize for step in self.stride])


def allocated(address: int, nbytes: int) -> None:
    """Check that an array on the current GPU holds these bytes."""
    for reference, gpu, size in [*fake_cuda.pool.live.values()]:
        array = reference()
        if array is not None and gpu == fake_cuda.current():
            start = array.data.ptr
            if start <= address and address + nbytes <= start + size:
                return
    raise AssertionError(f"illegal memory access: {nbytes} bytes at {address:#x} on GPU {fake_cuda.current()}")


class Handle:
    def __init__(self) -> None:
        self.gpu, self.stream = fake_cuda.current(), 0


PLANS = [("TENSOR_CORE", 0), ("NONDETERMINISTIC", 64), ("FFT", 1 << 40), ("WINOGRAD", 1 << 20), ("STRICT_NAN_PROP", 0)]
STEPS = ["new", "validate", "build_operation_graph", "create_execution_plans", "built"]


class pygraph(Strict):
    part = "graph"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = bound("pygraph", SURFACE["graph"]["__init__"], args, kwargs)
        self._handle, self._sums = given["handle"], given["compute_data_type"]
        self._tensors: list[Tensor] = []
        self._node: Any = None
        self._step, self._built = 0, set[int]()
        self._barred: set[int] = set()

    def _next(self, step: str) -> None:
        assert STEPS.index(step) == self._step + 1, f"{step} after {STEPS[self._step]}"
        self._step += 1

    def tensor(self, **given: Any) -> Tensor:
        made = Tensor(**given)
        assert made.uid not in [t.uid for t in self._tensors], "uids must differ"
        self._tensors.append(made)
        return made

    def _convolution(self, kind: str, args: Any, kwargs: Any) -> Tensor:
        assert self._node is None
        accepted = next(p for p in SURFACE["nodes"][kind] if "pre_padding=" in p)
        self._node = kind, bound(kind, accepted, args, kwargs), Tensor()
        return self._node[2]

    def conv_fprop(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._convolution("conv_fprop", args, kwargs)

    def conv_dgrad(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._convolution("conv_dgrad", args, kwargs)

    def conv_wgrad(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._convolution("conv_wgrad", args, kwargs)

    def _sides(self) -> list[Tensor]:
        """x, weight and y."""
        kind, given, out = self._node
        return {"conv_fprop": lambda: [given["image"], given["weight"], out],
                "conv_dgrad": lambda: [out, given["filter"], given["loss"]],
                "conv_wgrad": lambda: [given["image"], out, given["loss"]]}[kind]()

    def validate(self) -> None:
        self._next("validate")
        assert self._node[2].output, "a graph without an output"
        for t in self._sides():
            assert t.dim and len(t.dim) == len(t.stride) and t.uid is not None and t._dtype()
            assert all(type(n) is int for n in (*t.dim, *t.stride))

    def build_operation_graph(self) -> None:
        self._next("build_operation_graph")
        given = self._node[1]
        x, weight, y = [t.dim for t in self._sides()]
        before, after, stride, dilation = [given[k] for k in ("pre_padding", "post_padding", "stride", "dilation")]
        if not (len(x) == len(weight) == len(y) and len(stride) == len(x) - 2 >= 2) or min(before + after) < 0 or 0 in x + weight:
            raise RuntimeError("CUDNN_STATUS_BAD_PARAM")
        fits = [(n + a + b - d * (k - 1) - 1) // s + 1 == o
                for n, k, o, a, b, s, d in zip(x[2:], weight[2:], y[2:], before, after, stride, dilation)]
        if x[1] % weight[1] or weight[0] % (x[1] // weight[1]) or (y[0], y[1]) != (x[0], weight[0]) or not all(fits):
            raise RuntimeError("is_valid_spatial_dim, and code: CUDNN_STATUS_BAD_PARAM")

    def create_execution_plans(self, heuristics: Any) -> None:
        self._next("create_execution_plans")
        assert set(heuristics) <= set(vars(ENUMS["heur_mode"]).values())
        if max(self._sides()[1].dim[2:]) > 100:
            raise cudnnGraphNotSupportedError("no engine")

    def deselect_numeric_notes(self, notes: Any) -> pygraph:
        assert self._step == 3 and set(notes) <= set(vars(ENUMS["numerical_note"]).values())
        self._barred |= {k for k, (note, _) in enumerate(PLANS) if f"numerical_note.{note}" in notes}
        return self

    def deselect_workspace_greater_than(self, workspace_limit: int) -> pygraph:
        assert self._step == 3
        self._barred |= {k for k, (_, size) in enumerate(PLANS) if size > workspace_limit}
        return self

    def get_execution_plan_count(self) -> int:
        assert self._step >= 3
        return len(PLANS)

    def build_plan_at_index(self, index: int) -> pygraph:
        assert self._step >= 3
        if index in self._barred:
            raise cudnnGraphNotSupportedError("Deselecting execution plan")
        self._built.add(index)
        return self

    def get_workspace_size_plan_at_index(self, index: int) -> int:
        assert index in self._built
        return PLANS[index][1]

    def execute_plan_at_index(self, tensor_dict: Any, workspace: int, index: int, handle: Handle) -> None:
        assert index in self._built
        assert handle.gpu == self._handle.gpu == fake_cuda.current(), "a handle of another GPU"
        assert handle.stream == fake_cuda.get_current_stream().ptr, "a handle on another stream"
        allocated(workspace, PLANS[index][1])
        kind, given, out = self._node
        executed.append((kind, index))
        x, weight, y = [t._at(tensor_dict[t.uid]) for t in self._sides()]
        windows = {"stride": given["stride"], "dilation": given["dilation"], "padding": [
            (a, (o - 1) * s + d * (k - 1) + 1 - n - a) for a, o, s, d, k, n in zip(
                given["pre_padding"], y.shape[2:], given["stride"], given["dilation"], weight.shape[2:], x.shape[2:])]}
        groups, sums = x.shape[1] // weight.shape[1], ELEMENTS[given["compute_data_type"].removeprefix("data_type.")]
        a, b, c = [self._rounded(side, index).astype(sums) for side in (x, weight, y)]
        result = {"conv_fprop": lambda: cases.convolution(a, b, None, groups, **windows),
                  "conv_dgrad": lambda: cases.convolution_transpose(c, b, None, groups, **windows),
                  "conv_wgrad": lambda: cases.convolution_weight(a, c, groups, **windows)}[kind]()
        out._at(tensor_dict[out.uid])[...] = result

    def _rounded(self, x: Any, index: int) -> Any:
        """`x` as a plan takes it: float32 with the eleven leading bits, if by tensor cores."""
        if PLANS[index][0] != "TENSOR_CORE" or x.dtype != np.float32:
            return x
        return (x.copy().view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)


def create_handle() -> Handle:
    return Handle()


def set_stream(handle: Handle, stream: int) -> None:
    assert type(stream) is int
    handle.stream = stream


def backend_version() -> int:
    return 92800


def module() -> Any:
    """What ``import cudnn`` gives."""
    functions = {f.__name__: f for f in (create_handle, set_stream, backend_version)}
    for name, f in functions.items():
        assert [p.rstrip("=") for p in SURFACE["functions"][name]] == list(inspect.signature(f).parameters)
    return SimpleNamespace(**functions, **ENUMS, pygraph=pygraph, cudnnGraphNotSupportedError=cudnnGraphNotSupportedError)
