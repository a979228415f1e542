"""What CuPy offers: its functions with their parameters, its ufuncs, the attributes and methods of its arrays.

``cupy_surface.json`` was written by this module from cupy-cuda12x 14.2.0 (https://pypi.org/project/cupy-cuda12x/), which can
be imported, though not used, on a machine without a GPU; that of cupy-cuda13x is the same. To renew it:
``pip install cupy-cuda12x nvidia-nccl-cu12``, then ``python -m tests.cupy_surface``. Where CuPy is installed, the tests compare
the two.
"""

from __future__ import annotations

import importlib
import inspect
import json
import operator
import re
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("cupy_surface.json")


def load() -> dict[str, Any]:
    """Its parts: ``functions`` by submodule, ``ufuncs``, ``special`` (ufuncs of cupyx.scipy.special), the ``types`` that both
    take and return, ``generator``, ``names``, ``methods``, ``attributes``, ``nccl`` (the numbers and functions of cupy.cuda.nccl)
    and ``communicator`` (the methods of its communicators)."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def parameters(function: Any) -> list[str]:
    """Parameter names in order; ``*`` and ``**`` stay in front of the starred ones, ``name=`` marks an optional one."""
    result = []
    for p in inspect.signature(function).parameters.values():
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        result.append(star + p.name + ("" if p.default is p.empty else "="))
    return result


def method_parameters(doc: str) -> list[str]:
    """The same from the signature that Cython puts into the first line of a method's documentation."""
    inside = re.match(r"[\w.]+\((.*?)\)( ->.*)?$", doc.splitlines()[0])
    assert inside is not None, doc
    names = [re.sub(r"^(\w+ )(?=[\w*])", "", part.strip()) for part in inside[1].split(",")]
    return [re.sub(r"=.*", "=", n) for n in names if n not in ("self", "*", "")]


def read() -> dict[str, Any]:
    """The surface of the CuPy that is installed here."""
    import cupy
    import cupyx.scipy.special

    surface: dict[str, Any] = {"source": f"cupy {cupy.__version__}", "functions": {}}
    for module in ("", "linalg", "fft", "random", "lib.stride_tricks"):
        space = operator.attrgetter(module)(cupy) if module else cupy
        functions = {n: getattr(space, n) for n in dir(space) if not n.startswith("_")}
        surface["functions"][module] = {n: parameters(f) for n, f in functions.items() if inspect.isfunction(f)}
    surface["ufuncs"] = [n for n in dir(cupy) if isinstance(getattr(cupy, n), cupy.ufunc)] + ["matmul"]
    special = cupyx.scipy.special
    surface["special"] = [n for n in dir(special) if isinstance(getattr(special, n), cupy.ufunc)]
    surface["functions"]["special"] = {n: parameters(getattr(special, n)) for n in dir(special)
                                       if inspect.isfunction(getattr(special, n)) and not n.startswith("_")}
    surface["types"] = {n: getattr(cupy, n).types for n in surface["ufuncs"] if n != "matmul"}
    surface["types of special"] = {n: getattr(special, n).types for n in surface["special"]}
    generator = cupy.random.Generator
    surface["generator"] = {n: method_parameters(getattr(generator, n).__doc__) for n in dir(generator) if not n.startswith("_")}
    known = {*surface["ufuncs"], *surface["functions"][""]}
    surface["names"] = [n for n in dir(cupy) if n not in known and not n.startswith("_")]
    members = {n: getattr(cupy.ndarray, n) for n in dir(cupy.ndarray)}
    surface["methods"] = {n: method_parameters(m.__doc__) for n, m in members.items() if callable(m) and not n.startswith("_")}
    surface["attributes"] = [n for n in members if n not in surface["methods"]]
    nccl = importlib.import_module("cupy.cuda.nccl")  # with NCCL's own library: pip install nvidia-nccl-cu12
    communicator = nccl.NcclCommunicator
    surface["nccl"] = {n: getattr(nccl, n) if n.startswith("NCCL_") else method_parameters(getattr(nccl, n).__doc__)
                       for n in dir(nccl) if n.startswith(("NCCL_", "get_", "group"))}
    surface["communicator"] = {n: method_parameters(getattr(communicator, n).__doc__) for n in dir(communicator)
                               if callable(getattr(communicator, n)) and not n.startswith("_")}
    return surface


def write() -> None:
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in read().items()]
    FILE.write_text("{" + ",\n ".join(lines) + "}\n")


if __name__ == "__main__":
    write()
