"""What a type checker sees of the public names: stubs, generated from the declarations and annotations.

The call path of a declared operation is generated, so a type checker cannot know it from the source: that settings may be given
by position, that there is ``out=``, that operators are methods. ``python -m tests.typing.signatures`` writes it into files that
type checkers read, and no running program does:

* ``minigrad/ops/signatures.pyi``: the declared operations, and the types of several results;
* ``minigrad/_tensor/methods.pyi``: the methods of Tensor that are operations;
* ``__init__.pyi`` or a file of its own name beside each module that only gathers names: where each one is from.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pathlib
import re
import sys
import textwrap
from types import FunctionType, ModuleType
from typing import Any, Iterable, get_overloads

import minigrad
from minigrad import linalg
from minigrad._paths import Path
from minigrad._tensor.methods import TensorMethods
from minigrad.recording.call import REGISTRY
from minigrad.recording.declaration import NUMPY_NAMES
from minigrad.recording.lazy import Signature, results_name

PACKAGE = pathlib.Path(minigrad.__file__).parent
HEADER = '"""{}; made by ``python -m tests.typing.signatures``."""\n\n'
# Modules that only gather names, with the file that type checkers read in their place.
GATHERING = {"minigrad": "__init__.pyi", "minigrad.special": "special.pyi",
             "minigrad.nn.functional": "nn/functional/__init__.pyi"}
SPACES = [*map(importlib.import_module, GATHERING), linalg]
# The types of several results, with their fields.
RESULTS = {results_name(f.info.outputs): f.info.outputs for f in REGISTRY.values() if isinstance(f.info.outputs, tuple)}
# Where the words in annotations are from.
WORDS = {
    "collections.abc": ("Callable", "Sequence"), "typing": ("Any", "Literal", "NamedTuple", "Self", "overload"),
    "minigrad.ops.signatures": tuple(RESULTS),
    "minigrad._types.annotations": ("Tensor", "DTypeLike", "DeviceLike", "FloatOrFloats", "Index", "IntOrInts", "Number"),
    "minigrad._types.dtypes": ("dtype",), "minigrad._types.layouts": ("layout", "memory_format"),
    "minigrad.ops.linear_algebra.decomposition": ("SVD", "LUParts", "LinalgLU", "PackedLU", "PackedLUInfo", "TriangularSolve"),
    "minigrad.random": ("Generator",), "minigrad._types.tensor_base": ("TensorBase",)}


# ---------------------------------------------------------------------------------------------------- one function

def written(value: Any) -> str:
    """A default as it stands in a stub."""
    plain = value is None or isinstance(value, (bool, int, float, str)) or value == ()
    return repr(value) if plain else "..."


def definition(name: str, signature: inspect.Signature, indent: str = "", doc: str | None = None) -> list[str]:
    """The lines that declare a function."""
    parts, kinds = [], [p.kind for p in signature.parameters.values()]
    for k, p in enumerate(signature.parameters.values()):
        if p.kind is p.KEYWORD_ONLY and not {p.KEYWORD_ONLY, p.VAR_POSITIONAL} & set(kinds[:k]):
            parts.append("*")
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        annotated = f": {p.annotation}" if p.annotation is not p.empty and (indent == "" or k) else ""
        default = "" if p.default is p.empty else f" = {written(p.default)}" if annotated else f"={written(p.default)}"
        parts.append(f"{star}{p.name}{annotated}{default}")
        if p.kind is p.POSITIONAL_ONLY and p.POSITIONAL_ONLY not in kinds[k + 1:]:
            parts.append("/")
    line = f"{indent}def {name}("
    margin, lines = " " * len(line), []
    for k, part in enumerate(parts):
        part += ", " if k < len(parts) - 1 else f") -> {signature.return_annotation}:{'' if doc else ' ...'}"
        if len(line) + len(part.rstrip()) > 130:
            lines.append(line.rstrip())
            line = margin
        line += part
    lines.append(line)
    if doc:
        lines.append(f'{indent}    """{doc}"""')
    return lines


def summary(function: Any) -> str:
    """The beginning of a docstring, on one line."""
    text = (function.__doc__ or "").strip().split("\n\n")[0]
    return textwrap.shorten(text, 110, placeholder=" ...").replace("\\", "\\\\").rstrip('"')


# ---------------------------------------------------------------------------------------------------- declared operations

def declared(function: Any) -> Any:
    """The declaration of an operation in its public form, or None."""
    return getattr(function, "info", None)


def operations() -> dict[str, Any]:
    """The declared operations that have a public name, by the name they are declared under; and composed functions that take
    NumPy's names too, which their source does not tell."""
    found = [getattr(space, name) for space in SPACES for name in public_names(space)]
    named = {f.info.name if declared(f) else f.__name__: f for f in found if declared(f) or takes_numpy_names(f)}
    return dict(sorted(named.items(), key=lambda item: item[0].lower()))


def takes_numpy_names(function: Any) -> bool:
    """Whether `function`, in its public form, is a composed one that ``numpy_names`` has given them."""
    inner = getattr(function, "__wrapped__", None)
    return isinstance(getattr(inner, "__signature__", None), Signature) and not declared(inner)


def forms(function: Any) -> list[inspect.Signature]:
    """The signatures of a function: that of each overload, or its own."""
    overloads = [inspect.signature(one) for one in get_overloads(inspect.unwrap(function))]
    return [form for one in overloads for form in (one, *by_numpy_names(one))] or [inspect.signature(function)]


def by_numpy_names(signature: inspect.Signature) -> list[inspect.Signature]:
    """The same overload with NumPy's names, where it must be given a dimension."""
    dim = signature.parameters.get("dim")
    if dim is None or dim.annotation != "int" or dim.default is not dim.empty:
        return []
    parameters = [p.replace(name=NUMPY_NAMES[p.name], kind=p.KEYWORD_ONLY) if p.name in NUMPY_NAMES else p
                  for p in signature.parameters.values()]
    return [signature.replace(parameters=parameters)]


def signatures_stub() -> str:
    """The operations, and the named tuples of those that have several results."""
    functions, lines = operations(), []
    for name, fields in sorted(RESULTS.items()):
        lines += [f"class {name}(NamedTuple):", *[f"    {field}: Tensor" for field in fields], ""]
    for name, function in functions.items():
        several = forms(function)
        for one in several:
            lines += ["@overload"] * (len(several) > 1)
            lines += definition(name, one, doc=summary(function))
    return stub("The declared operations, for type checkers", lines)


# ---------------------------------------------------------------------------------------------------- methods

def methods_stub() -> str:
    """The class TensorMethods: its attributes are functions, of which each becomes a method, or properties of functions."""
    lines = ["class TensorMethods(TensorBase):"]
    for name, found in vars(TensorMethods).items():
        if isinstance(found, property):
            read = as_method(inspect.signature(found.fget))
            read = read.replace(parameters=list(read.parameters.values())[:1])
            lines += ["    @property", *definition(name, read, "    ")]
            if found.fset is not None:
                lines += [f"    @{name}.setter", *definition(name, as_method(inspect.signature(found.fset)), "    ")]
        elif isinstance(found, FunctionType):
            several = forms(found)
            for one in several:
                lines += ["    @overload"] * (len(several) > 1)
                lines += definition(name, as_method(one, name), "    ")
    return stub("The operations as methods and operators of the tensor, for type checkers", lines)


def as_method(signature: inspect.Signature, name: str = "") -> inspect.Signature:
    """The signature of a method made of a function; an operator takes its operands only, a write in place gives back itself."""
    first, *rest = signature.parameters.values()
    operator = name.startswith("__")
    if operator:
        rest = [p for p in rest if p.default is p.empty]
    own = [p.replace(name="self", kind=p.POSITIONAL_ONLY if operator else p.POSITIONAL_OR_KEYWORD) for p in [first]]
    if operator:
        rest = [p.replace(kind=p.POSITIONAL_ONLY) for p in rest]
    elif any(p.kind is p.POSITIONAL_ONLY for p in rest):
        own = [own[0].replace(kind=inspect.Parameter.POSITIONAL_ONLY)]
    writes = name.endswith("_") and not operator or name.startswith("__i") and name[3:] in IN_PLACE
    returned = "Self" if writes else signature.return_annotation
    return inspect.Signature([*own, *rest], return_annotation=returned)


IN_PLACE = ("add__", "and__", "floordiv__", "lshift__", "mod__", "mul__", "or__", "pow__", "rshift__", "sub__", "truediv__",
            "xor__")


# ---------------------------------------------------------------------------------------------------- names gathered

def public_names(module: ModuleType) -> list[str]:
    """The names that `module` offers; paths of PyTorch's that somebody has imported below it are none of them."""
    names = getattr(module, "__all__", None) or [n for n in dir(module) if not isinstance(getattr(module, n), Path)]
    return sorted(n for n in names if not n.startswith("_"))


def bindings(module: ModuleType) -> Iterable[str]:
    """The names that a module binds itself, and does not import."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def origins() -> dict[int, list[tuple[str, str]]]:
    """By the id of each object that a module of the library binds: the module and the name, of all such."""
    found: dict[int, list[tuple[str, str]]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(("minigrad", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        if name in GATHERING or name.endswith("__main__"):
            continue
        module = importlib.import_module(name)
        for bound in bindings(module):
            value = vars(module).get(bound)
            if not isinstance(value, (int, float, str, tuple, type(None))):
                found.setdefault(id(inspect.unwrap(value) if callable(value) else value), []).append((name, bound))
    return found


def gathering_stub(name: str, known: dict[int, list[tuple[str, str]]]) -> str:
    """Where each name of a module that only gathers names is from."""
    module = importlib.import_module(name)
    imports, others = [], []
    for public in public_names(module):
        value = getattr(module, public)
        if isinstance(value, ModuleType):
            origin = (value.__name__.rpartition(".")[0], value.__name__.rpartition(".")[2])
        elif declared(value) or takes_numpy_names(value):
            origin = ("minigrad.ops.signatures", value.info.name if declared(value) else value.__name__)
        else:
            places = known.get(id(inspect.unwrap(value) if callable(value) else value), [])
            origin = min(places, key=lambda place: (place[1] != public, "testing" in place[0], place)) if places else ("", "")
        if origin[0]:
            imports.append(f"from {origin[0]} import {origin[1]} as {public}")
        else:
            others.append(f"{public}: {'None' if value is None else f'builtins.{type(value).__name__}'}")
    exported = public_names(module)
    if module is minigrad:  # x.exp_() is exp_(x) too
        written = [n for n in dir(minigrad.Tensor) if n.endswith("_") and not n.startswith("_") and n not in exported]
        imports.append("import builtins")
        others += ["__version__: builtins.str", *[f"{n} = Tensor.{n}" for n in written]]
        exported = ["__version__", *exported, *written]
    quoted = ", ".join(f'"{n}"' for n in exported)
    listed = textwrap.wrap(quoted, 129, initial_indent="__all__ = [", subsequent_indent=" " * 11)
    return stub(f"The names of ``{name}``, for type checkers", [*sorted(imports), "", *others, "", "\n".join(listed) + "]"])


# ---------------------------------------------------------------------------------------------------- files

def stub(title: str, lines: list[str]) -> str:
    """The text of a file, with imports for the words in it."""
    text = "\n".join(lines)
    used = set(re.findall(r"\w+", re.sub(r'""".*?"""', "", text)))
    defined = set(re.findall(r"^class (\w+)", text, re.M)) | set(re.findall(r" as (\w+)$", text, re.M))
    imports = [f"from {module} import {', '.join(sorted(chosen))}" for module, words in WORDS.items()
               if (chosen := (set(words) & used) - defined)]
    return HEADER.format(title) + "\n".join(imports) + "\n\n" * bool(imports) + text.rstrip() + "\n"


def stubs() -> dict[pathlib.Path, str]:
    """The text of each stub by its path in the package."""
    known = origins()
    return {pathlib.Path("ops/signatures.pyi"): signatures_stub(), pathlib.Path("_tensor/methods.pyi"): methods_stub(),
            **{pathlib.Path(path): gathering_stub(name, known) for name, path in GATHERING.items()}}


if __name__ == "__main__":
    for place, content in stubs().items():
        (PACKAGE / place).write_text(content)
        sys.stdout.write(f"{PACKAGE / place}\n")
