"""Every array function, method and keyword that the package uses is one that CuPy has, by its surface as written down.

The package's source is read, not run: the stand-in refuses what CuPy lacks too, but only where a test comes by. What runs on
NumPy arrays alone, whatever the device, is listed in ``ON_HOST`` with the reason.
"""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path
from typing import Any, Iterator, NamedTuple

import numpy as np
import pytest

import minigrad
from minigrad._arrays.kernels import CudaKernels
from minigrad._arrays.library import ArrayLibrary, CupyLibrary, NumpyLibrary
from tests import cupy_surface, emulator

SURFACE = cupy_surface.load()
PACKAGE = Path(minigrad.__file__).parent
# They never see an array of another library.
ROOMS_OF_THE_HOST = {"_arrays", "compiler", "viz", "datasets", "demo", "__config__.py", "__main__.py"}


def parameters_of(function: Any) -> list[str]:
    """The names of the parameters of a function of NumPy's; not every version tells them of those written in C."""
    try:
        return [*inspect.signature(function).parameters]
    except ValueError:
        return []


FUNCTIONS = {f"{module}.{name}".lstrip("."): parameters
             for module, functions in SURFACE["functions"].items() for name, parameters in functions.items()}
FUNCTIONS |= dict.fromkeys(SURFACE["ufuncs"], ["*", "out=", "dtype=", "casting="])
# NumPy takes `like` itself, and calls the function of the library that `like` is of, without it.
PROTOCOL = {"like"}
ARRAY_METHODS = {n for n in dir(np.ndarray) if not n.startswith("_") and callable(getattr(np.ndarray, n))} - {"to_device"}
# The rooms of functions that have the names of methods.
ROOMS_OF_FUNCTIONS = {"_arrays", "shapes", "F", "functional", "on_tensor", "on_pil"}
# Of the methods; a call with another keyword, such as dim=, is one of a Tensor or not of an array at all.
KEYWORDS = {p for n in ARRAY_METHODS if hasattr(np, n) for p in parameters_of(getattr(np, n))}

# (file, name) of what CuPy lacks and only ever sees NumPy's arrays, and why.
ON_HOST = {
    ("recording/quiet.py", "seterr"): "silences NumPy's warnings; on a GPU there are none",
    ("recording/clock.py", "exceptions.TooHardError"): "NumPy's shares_memory raises it, CuPy's does not",
    ("ops/pointwise/tails.py", "polynomial.legendre.leggauss"): "the numbers of a formula, made on the host",
    ("testing/comparison.py", "errstate"): "silences NumPy's warnings; on a GPU there are none",
    ("nn/functional/resampling.py", "add.at"): "the matrix of the interpolation is made on the host, then moved",
    ("ops/neural/pooling.py", "multiply.outer"): "the number of elements in each window, from the sizes",
    ("ops/neural/pooling.py", "max(initial=)"): "the lengths of windows, from the sizes",
    ("nn/functional/losses.py", ".max(initial=)"): "ctc_loss reads the lengths of its sequences, as PyTorch's does",
    ("ops/linear_algebra/ldl.py", ".max(initial=)"): "Bunch and Kaufman's method, step by step on the host",
    **{("serialization/former.py", f"lib.format.{name}"): "files are read into host memory"
       for name in ("read_magic", "read_array_header_1_0", "read_array_header_2_0")},
    ("autograd/gradcheck.py", ".max(initial=)"): "gradcheck compares on the host",
    ("ops/linear_algebra/decomposition.py", "linalg.LinAlgError"): "CuPy raises NumPy's",
    ("utils/data/collate.py", "object_"): "samples that are NumPy's own numbers",
    ("utils/data/workers.py", "random.SeedSequence"): "seeds of workers are numbers",
    ("utils/tensorboard.py", ".max(initial=)"): "what goes into files is in host memory",
    ("onnx/translation/neural.py", "multiply.outer"): "the number of elements in each window, from the sizes",
    ("vision/ops/boxes.py", "divide(where=)"): "nms keeps one box after the other, on the host",
    ("vision/transforms/functional.py", "divide(order=)"): "images of Pillow's and of NumPy's become tensors",
    ("vision/transforms/_functional_pil.py", ".resize"): "a method of Pillow's images",
}

# What the package needs, CuPy has not (or not as NumPy's protocols carry it), and the ArrayLibrary method that replaces it.
REPLACED = {
    "ufunc.at for add": "index_add", "ufunc.at for other ufuncs": "index_reduce", "lib.stride_tricks.as_strided": "as_strided",
    "scipy.special": "special", "random.Generator on a device": "generator", "asarray of a host array": "from_numpy",
    "functions without an array argument": "make", "__array_interface__": "address_of",
    "LinAlgError": "raise_failures",
}


class Use(NamedTuple):
    file: str
    line: int
    name: str  # "exp", "linalg.norm", ".sum" for a method
    keywords: tuple[str, ...] = ()


def dotted(node: ast.expr) -> list[str] | None:
    """``np.linalg.norm`` as its parts, or None where it begins with anything but a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return [node.id, *parts] if isinstance(node, ast.Name) else None


def uses(source: str, file: str) -> Iterator[Use]:
    """What of NumPy's functions `source` names, with the keywords in calls, and the methods it calls that arrays have."""
    tree = ast.parse(source)
    inner = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    called = {id(n.func): n for n in ast.walk(tree) if isinstance(n, ast.Call)}
    modules = {"np", "xp", "numpy"}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or id(node) in inner:
            continue
        call = called.get(id(node))
        keywords = tuple([k.arg for k in call.keywords if k.arg]) if call is not None else ()
        parts = dotted(node)
        if parts is not None and parts[0] in modules:
            yield Use(file, node.lineno, ".".join(parts[1:]), keywords)
        elif call is not None and node.attr in ARRAY_METHODS and not (parts and set(parts[-2:-1]) & ROOMS_OF_FUNCTIONS):
            yield Use(file, node.lineno, f".{node.attr}", keywords)


def accepted(parameters: list[str]) -> set[str] | None:
    """The names of `parameters`, or None where there may be any."""
    return None if any(p.startswith("**") for p in parameters) else {p.strip("*=") for p in parameters}


def lacking(use: Use) -> Iterator[str]:
    """What of `use` is not in CuPy: the name itself, or ``name(keyword=)``."""
    if use.name.startswith("."):
        parameters = SURFACE["methods"].get(use.name[1:])
        if parameters is None:
            if not hasattr(minigrad.Tensor, use.name[1:]):
                yield use.name
        elif set(use.keywords) <= KEYWORDS and not hasattr(list, use.name[1:]):
            known = accepted(parameters)
            yield from (f"{use.name}({k}=)" for k in use.keywords if known is not None and k not in known)
    elif use.name in FUNCTIONS:
        known = accepted(FUNCTIONS[use.name])
        yield from (f"{use.name}({k}=)" for k in use.keywords if known is not None and k not in known and k not in PROTOCOL)
    elif use.name.split(".")[0] not in SURFACE["names"] or "." in use.name:
        yield use.name


def audited() -> list[Use]:
    found: list[Use] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE)
        if file.parts[0] not in ROOMS_OF_THE_HOST:
            found += uses(path.read_text(encoding="utf-8"), file.as_posix())
    return found


def test_everything_used_is_in_cupy_or_stays_on_the_host() -> None:
    found = audited()
    names = {u.name for u in found}
    assert len(names) > 100, "the audit sees next to nothing"
    assert {"exp", "linalg.qr", ".sum"} <= names
    missing = {(u.file, what): u.line for u in found for what in lacking(u)}
    unexplained = [f"{file}:{line}: {what}" for (file, what), line in missing.items() if (file, what) not in ON_HOST]
    assert not unexplained, "not in CuPy: " + "; ".join(unexplained)


def test_the_list_of_exceptions_is_no_longer_than_it_must_be() -> None:
    missing = {(u.file, what) for u in audited() for what in lacking(u)}
    assert set(ON_HOST) <= missing, f"not needed: {sorted(set(ON_HOST) - missing)}"


@pytest.mark.parametrize(("line", "what"), [
    ("np.insert(x, 0, 1)", "insert"), ("np.sort(x, stable=True)", "sort(stable=)"), ("np.exp(x, where=m)", "exp(where=)"),
    ("x.sum(where=m)", ".sum(where=)"), ("x.setflags(write=False)", ".setflags"), ("np.add.at(x, i, v)", "add.at"),
    ("np.linalg.multi_dot(x)", "linalg.multi_dot"), ("f(np.maximum.reduce)", "maximum.reduce"), ("xp.errstate()", "errstate"),
    ("np.lib.format.read_array(f)", "lib.format.read_array")])
def test_the_audit_finds_what_cupy_lacks(line: str, what: str) -> None:
    assert [w for u in uses(line, "planted") for w in lacking(u)] == [what]


@pytest.mark.parametrize("line", ["np.exp(x, out=y)", "x.sum(axis=0, keepdims=True)", "np.arange(3, like=x)", "x.tolist()",
                                  "t.sum(dim=0)", "np.float32", "names.sort(key=len)"])
def test_the_audit_lets_pass_what_cupy_has(line: str) -> None:
    assert not [w for u in uses(line, "planted") for w in lacking(u)]


def test_the_replacements_stand_in_the_backend() -> None:
    """Whatever a library must answer itself, both do, and say what it means."""
    for what, name in REPLACED.items():
        assert getattr(ArrayLibrary, name).__doc__, what
        assert name in NumpyLibrary.__dict__ or name == "raise_failures", what
        assert name in CupyLibrary.__dict__, what


def test_the_surface_is_that_of_the_cupy_installed_here() -> None:
    cupy = pytest.importorskip("cupy", reason="needs CuPy, with or without a GPU")
    if emulator.is_on():
        pytest.skip("some of CuPy's modules are the emulator's")
    if f"cupy {cupy.__version__}" != SURFACE["source"]:
        pytest.skip(f"written down from {SURFACE['source']}, installed is {cupy.__version__}")
    assert json.loads(json.dumps(cupy_surface.read())) == SURFACE


def test_what_is_used_of_cupy_beside_its_functions_is_there() -> None:
    cupy = pytest.importorskip("cupy", reason="needs CuPy, with or without a GPU")
    import cupyx

    types = cupy._core._routines_linalg
    assert callable(cupy._core.set_compute_type) and types.COMPUTE_TYPE_TF32 != types.COMPUTE_TYPE_DEFAULT
    assert callable(cupyx.empty_pinned) and callable(cupy.add.at) and callable(cupyx.errstate)
    kernels = CudaKernels(cupy)  # CuPy reads the parameters now, and compiles when there is a GPU
    assert kernels.elementwise and kernels.rowwise
