"""What is public has a public name: minigrad's modules are PyTorch's, but for a short list; others begin with an underscore."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import minigrad
from tests.documents import ROOT

# The public modules of PyTorch 2.13.
TORCH = frozenset((
    "accelerator", "amp", "ao", "autograd", "backends", "compiler", "contrib", "cpu", "cuda", "distributed", "distributions",
    "export", "fft", "func", "functional", "futures", "fx", "hub", "jit", "library", "linalg", "masked", "monitor", "mps",
    "mtia", "multiprocessing", "nativert", "nested", "nn", "numa", "onnx", "optim", "overrides", "package", "profiler",
    "quantization", "quasirandom", "random", "return_types", "serialization", "signal", "sparse", "special", "storage", "testing",
    "torch_version", "types", "utils", "version", "xpu"))
OWN = {
    "errors": "the exceptions, which PyTorch has in C++",
    "viz": "drawings of the graph, which PyTorch leaves to other packages",
    "datasets": "the digits, which PyTorch leaves to torchvision",
    "safetensors": "files of weights, which PyTorch leaves to the library of that name",
    "vision": "images, which PyTorch leaves to torchvision, under its names",
    "demo": "the program that `python -m minigrad demo` runs",
    "recording": "what stands for PyTorch's C++ below the operations: to be read, not to be called",
    "ops": "the operations, which PyTorch has in C++; torch.ops is a namespace of them, not a module",
}


def modules() -> set[str]:
    """The public modules of minigrad: those in its folder, and those that it has as attributes."""
    found = {module.name for module in pkgutil.iter_modules(minigrad.__path__)}
    found |= {name for name in dir(minigrad) if isinstance(getattr(minigrad, name), ModuleType)}
    return {name for name in found if not name.startswith("_")}


def test_every_public_module_is_one_of_pytorchs_or_has_a_reason() -> None:
    assert modules() - TORCH == set(OWN), "a module that is not for users begins with an underscore"


def test_a_fresh_process_has_what_dir_shows() -> None:
    script = ("import minigrad; from types import ModuleType; "
              "print(*[n for n in dir(minigrad) if not n.startswith('_') and isinstance(getattr(minigrad, n), ModuleType)])")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(done.stdout.split()) <= TORCH | set(OWN)


@pytest.mark.parity
def test_the_list_is_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    if not torch.__version__.startswith("2.13."):
        pytest.skip(f"written down from PyTorch 2.13, installed is {torch.__version__}")
    assert {module.name for module in pkgutil.iter_modules(torch.__path__) if not module.name.startswith("_")} == TORCH
