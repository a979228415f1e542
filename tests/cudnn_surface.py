"""What cuDNN's Python package offers of what a convolution needs: functions, names in enumerations, methods, parameters.

``cudnn_surface.json`` was written by this module from nvidia-cudnn-frontend 1.32.0 and nvidia-cudnn-cu13 9.28.0
(https://pypi.org/project/nvidia-cudnn-frontend/), which can be imported, though not used, on a machine without a GPU. To
renew it: ``pip install nvidia-cudnn-frontend nvidia-cudnn-cu13``, then ``python -m tests.cudnn_surface``. Where the package
is installed, the tests compare the two.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

from tests.cupy_surface import parameters

FILE = Path(__file__).with_name("cudnn_surface.json")
ENUMS = ("data_type", "heur_mode", "numerical_note")


def load() -> dict[str, Any]:
    """Its parts: ``functions``, ``enums``, ``graph`` and ``tensor`` (methods), and ``nodes``: the lists of parameters that a
    kind of node takes."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def overloads(function: Any) -> list[list[str]]:
    """The parameters of each way to call a function of a C++ module, from the signatures that its documentation begins with."""
    name, found = function.__name__, []
    for line in function.__doc__.splitlines():
        if not line.startswith(f"{name}("):
            break
        inside = line[len(name) + 1:line.rindex(") ->")]
        names = re.findall(r"(?:^|, )(\w+): .*?( = |(?=, \w+: )|$)", inside.replace("self, ", "", 1))
        found.append([n + "=" * bool(default) for n, default in names])
    return found


def read() -> dict[str, Any]:
    """The surface of the package that is installed here."""
    import cudnn

    def methods(kind: type) -> dict[str, list[str]]:
        return {n: parameters(m) for n, m in vars(kind).items() if inspect.isfunction(m) and (n == "__init__" or n[0] != "_")}

    functions = {n: parameters(f) for n in dir(cudnn) if inspect.isfunction(f := getattr(cudnn, n)) and n[0] != "_"}
    return {"source": f"nvidia-cudnn-frontend {cudnn.__version__}, cuDNN {cudnn.backend_version_string()}",
            "functions": {**functions, **{n: overloads(getattr(cudnn, n))[0] for n in ("backend_version",)}},
            "enums": {n: sorted(getattr(cudnn, n).__members__) for n in ENUMS},
            "graph": methods(cudnn.pygraph), "tensor": methods(cudnn.Tensor),
            "nodes": {n: overloads(getattr(cudnn._pybind_module.backend_graph, n))
                      for n in ("conv_fprop", "conv_dgrad", "conv_wgrad")}}


def write() -> None:
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in read().items()]
    FILE.write_text("{" + ",\n ".join(lines) + "}\n")


if __name__ == "__main__":
    write()
