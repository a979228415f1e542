"""The paths on which PyTorch's users look for things: its files, and the name ``torch`` itself.

PyTorch spreads over several hundred files, and programs import from them by path: ``torch.nn.modules.batchnorm``,
``torch.optim.adamw``. minigrad's rooms are cut otherwise. :data:`ROOMS` says for each such path in which rooms its names are; a
finder at the end of ``sys.meta_path`` makes the module when it is imported. :func:`as_torch` puts another finder at the front,
for as long as programs and packages written for PyTorch are to find minigrad.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Iterable, Iterator, NamedTuple

from minigrad.errors import StateError

__all__ = ["as_torch"]


class Alias(NamedTuple):
    """A package whose name :func:`as_torch` gives to a room: its name in words, and the version whose names these are."""

    title: str
    room: str
    version: str


ALIASES = {"torch": Alias("PyTorch", "minigrad", "2.13.0"), "torchvision": Alias("torchvision", "minigrad.vision", "0.28.0")}

# A folder that holds a file of each of these names, for processes of their own that have inherited `sys.path`, but no finder.
FILES_OF_ALIASES = __file__.replace("_paths.py", "_alias")

# A path of PyTorch's, and the rooms in which its names are looked up, in order; both below "minigrad.". Where there is a file of
# that name, these are the rooms of what PyTorch has in it beside what is there.
ROOMS: dict[str, tuple[str, ...]] = {
    "accelerator.memory": ("accelerator",),
    "autograd.profiler": ("profiler.older",), "autograd.profiler_util": ("profiler.events",), "profiler.profiler": ("profiler",),
    "amp.autocast_mode": ("amp",), "amp.grad_scaler": ("amp",),
    "backends.cpu": ("backends.absent",), "backends.mkl": ("backends.absent",), "backends.mkldnn": ("backends.absent",),
    "backends.openmp": ("backends.absent",), "backends.opt_einsum": ("backends.absent",),
    "backends.quantized": ("backends.absent",), "backends.xnnpack": ("backends.absent",),
    "cpu.amp": ("amp.on_cpu", "amp"), "cpu.amp.autocast_mode": ("cpu.amp",), "cpu.amp.grad_scaler": ("cpu.amp",),
    "cuda.amp": ("amp.on_cuda", "amp"), "cuda.amp.autocast_mode": ("cuda.amp",), "cuda.amp.grad_scaler": ("cuda.amp",),
    "cuda.memory": ("cuda",), "cuda.nccl": ("distributed.nccl",), "cuda.random": ("cuda",), "cuda.streams": ("cuda",),
    "distributed.constants": ("distributed.process_group",), "distributed.distributed_c10d": ("distributed",),
    "distributed.optim": ("optim.zero_redundancy_optimizer",),
    "functional": ("",),
    "fx.graph": ("fx",), "fx.graph_module": ("fx",), "fx.node": ("fx",), "fx.proxy": ("fx",),
    "mps": ("backends.absent_devices",), "mtia": ("backends.absent_devices",),
    "nn.modules.activation": ("nn.modules.transformer",),
    "nn.modules.batchnorm": ("nn.modules.normalization", "nn.modules.lazy"),
    "nn.modules.channelshuffle": ("nn.modules.shape",),
    "nn.modules.conv": ("nn.modules.lazy",),
    "nn.modules.flatten": ("nn.modules.shape",),
    "nn.modules.fold": ("nn.modules.shape",),
    "nn.modules.instancenorm": ("nn.modules.normalization", "nn.modules.lazy"),
    "nn.modules.linear": ("nn.modules.transformer", "nn.modules.lazy"),
    "nn.modules.linear_cross_entropy": ("nn.modules.adaptive",),
    "nn.modules.linear_cross_entropy_options": ("nn.functional.losses",),
    "nn.modules.loss": ("nn.modules.adaptive",),
    "nn.modules.pixelshuffle": ("nn.modules.shape",),
    "nn.modules.upsampling": ("nn.modules.shape",),
    "optim.adadelta": ("optim.adaptive",), "optim.adagrad": ("optim.adaptive",), "optim.asgd": ("optim.adaptive",),
    "optim.rmsprop": ("optim.adaptive",), "optim.rprop": ("optim.adaptive",),
    "optim.adamax": ("optim.adam",), "optim.adamw": ("optim.adam",), "optim.nadam": ("optim.adam",),
    "optim.radam": ("optim.adam",),
    "signal.windows.windows": ("signal.windows",),
    "storage": ("_tensor.storage",),
    "utils._pytree": ("_pytree",), "utils.hooks": ("recording.graph",), "utils.model_zoo": ("hub",),
    "utils.data._utils": (), "utils.data._utils.collate": ("utils.data.collate",),
    "utils.data._utils.fetch": ("utils.data.fetch",),
    "utils.data._utils.pin_memory": ("utils.data.pin_memory",), "utils.data._utils.worker": ("utils.data.workers",),
    "utils.data.distributed": ("utils.data.sampler",), "utils.tensorboard.writer": ("utils.tensorboard",),
    "vision._internally_replaced_utils": ("hub",), "vision.models.utils": ("hub",),
    "vision.ops.ciou_loss": ("vision.ops.losses",), "vision.ops.diou_loss": ("vision.ops.losses",),
    "vision.ops.focal_loss": ("vision.ops.losses",), "vision.ops.giou_loss": ("vision.ops.losses",),
    "vision.ops.poolers": ("vision.ops.regions",),
    "xpu": ("backends.absent_devices",),
}


# What the names of PyTorch's that begin so would be for, and what to do instead.
ABSENT = {"sparse": "there are no sparse tensors; make a dense one, of SciPy's arrays by tensor(array.toarray())",
          "nested": "there are no nested tensors; pad, by nn.utils.rnn.pad_sequence, or pack, by pack_sequence",
          "quantiz": "there are no quantized tensors; use float32, or float16 to take half of its memory"}


class Path(ModuleType):
    """A module without names of its own: those of its rooms are looked up when they are first asked for."""

    def __init__(self, name: str, rooms: Iterable[str]) -> None:
        super().__init__(name, f"PyTorch's path to what is in {', '.join(rooms) or 'the modules below it'}.")
        self._rooms = tuple(rooms)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return sorted({public for room in self._rooms for public in names_of(importlib.import_module(room))})
        found = self.__dict__[name] = find(self.__name__, name, self._rooms)
        return found

    def __dir__(self) -> Iterable[str]:
        return sorted({*super().__dir__(), *self.__all__})


def names_of(module: ModuleType) -> list[str]:
    """The names that ``from module import *`` brings."""
    return list(getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")])


def find(path: str, name: str, rooms: Iterable[str]) -> Any:
    """What PyTorch has as `name` in the module `path`: from the first of `rooms` that has it, or else the module below `path`."""
    for room in rooms:
        with contextlib.suppress(AttributeError):
            return getattr(importlib.import_module(room), name)
    return submodule(path, name)


def beside(path: str, name: str) -> Any:
    """For the ``__getattr__`` of a file in the table: what PyTorch has in a file of that name and minigrad in another."""
    return find(path, name, rooms_of(path))


def submodule(package: str, name: str) -> ModuleType:
    """For a package's ``__getattr__``: its submodule, which as in PyTorch is there without an import of its own.

    Raises ``AttributeError`` where there is none.
    """
    path = f"{package}.{name}"
    if not name.startswith("__"):
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
    hint = "".join([f": {instead}" for begin, instead in ABSENT.items() if name.startswith(begin)])
    raise AttributeError(f"module {package!r} has no attribute {name!r}{hint}")


def rooms_of(path: str) -> list[str]:
    """The rooms of a path in the table, by their full names."""
    return [f"minigrad.{room}".rstrip(".") for room in ROOMS[path.removeprefix("minigrad.")]]


class RoomsFinder:
    """Finds the modules of :data:`ROOMS`. It stands last, so that it is asked for what no file holds only."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """How the module of that name is made; None where it is not in the table."""
        package, _, below = name.partition(".")
        return ModuleSpec(name, self, is_package=True) if package == "minigrad" and below in ROOMS else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module that looks into the rooms."""
        return Path(spec.name, rooms_of(spec.name))

    def exec_module(self, module: ModuleType) -> None:
        """There is no code to run."""


class TorchFinder:
    """Finds the names of :data:`ALIASES`, modules whose names are minigrad's, and under ``torch.x.y`` the very module
    ``minigrad.x.y``."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """How the module of that name is found; None where minigrad has none."""
        package, dot, below = name.partition(".")
        if package not in ALIASES:
            return None
        own = f"{ALIASES[package].room}{dot}{below}"
        try:
            module = importlib.import_module(own)
        except ModuleNotFoundError as error:
            if error.name != own:
                raise
            return None
        return ModuleSpec(name, self, is_package=hasattr(module, "__path__"), loader_state=module)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """minigrad's module; ``torch`` itself is one of its own, because programs ask for its version."""
        if spec.name in ALIASES:
            alias = Path(spec.name, [ALIASES[spec.name].room])
            version = importlib.import_module("minigrad.torch_version").TorchVersion(ALIASES[spec.name].version)
            alias.__dict__["__version__"] = version
            return alias
        found: ModuleType = spec.loader_state
        spec.loader_state = found.__spec__
        return found

    def exec_module(self, module: ModuleType) -> None:
        """The import system has put its own ``__spec__`` into the module, which keeps the one that it had."""
        if module.__name__ not in ALIASES and module.__spec__ is not None:
            module.__spec__ = module.__spec__.loader_state


def take_name(name: str) -> None:
    """For the files in ``_alias``: from now on this process finds minigrad under PyTorch's names, the module `name` among them.

    Where a file was imported by its own path, and not as one of those names, nothing happens.
    """
    if name in ALIASES:
        sys.meta_path.insert(0, TorchFinder())
        del sys.modules[name]
        importlib.import_module(name)


@contextlib.contextmanager
def as_torch() -> Iterator[None]:
    """A block in which ``import torch`` finds minigrad, for programs and packages written for PyTorch.

    ``torch.x.y`` is the module ``minigrad.x.y``, and ``torch.__version__`` that of the PyTorch whose names these are;
    ``torchvision.x.y`` is ``minigrad.vision.x.y``. What was imported in the block keeps minigrad after it; the names are
    forgotten. Blocks may be nested. Raises ``RuntimeError`` where PyTorch or torchvision has been imported already: no program
    can have both under one name.
    """
    for name, alias in ALIASES.items():
        if name in sys.modules and not isinstance(sys.modules[name], Path):
            raise StateError(f"as_torch: {alias.title} is imported in this process already, and two libraries cannot have one "
                             f"name; enter the block before anything imports {name}, or use another process: python -m minigrad "
                             "run-torch SCRIPT")
    finder = TorchFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if not any(isinstance(other, TorchFinder) for other in sys.meta_path):
            for name in [name for name in sys.modules if name.partition(".")[0] in ALIASES]:
                del sys.modules[name]
