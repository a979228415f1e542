"""The laws of the house: documented, layered, short where it should be short, and every example in a docstring true."""

from __future__ import annotations

import ast
import builtins
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

import minigrad
from minigrad.recording.call import REGISTRY

PACKAGE = Path(minigrad.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = ["minigrad", *sorted(m.name for m in pkgutil.walk_packages(minigrad.__path__, "minigrad.")
                               if not m.name.endswith("__main__"))]
# Imported inside functions, where first needed: what costs time to import or need not be installed.
LAZY = {"cupy", "cupyx", "scipy", "graphviz", "matplotlib", "tqdm", "ml_dtypes", "mpi4py", "threadpoolctl", "treescope"}


def name_of(file: Path) -> str:
    return str(file.relative_to(PACKAGE.parent))


def public_objects(module: Any) -> Iterator[tuple[str, Any]]:
    """What `module` itself defines: functions, classes and operations."""
    for name, found in vars(module).items():
        if callable(found) and getattr(inspect.unwrap(found), "__module__", None) == module.__name__:
            yield name, found


# ---------------------------------------------------------------------------------------------------- documentation

@pytest.mark.parametrize("module_name", MODULES)
def test_everything_public_is_documented(module_name: str) -> None:
    module = importlib.import_module(module_name)
    assert module.__doc__ or not Path(module.__file__ or "").read_text().strip(), f"{module_name} has no docstring"
    undocumented = [name for name in getattr(module, "__all__", ())
                    if callable(found := getattr(module, name)) and not isinstance(found, minigrad.dtype)
                    and not (inspect.getdoc(found) or "").strip()]
    assert not undocumented, f"{module_name}: no docstring for {undocumented}"


def test_all_names_what_exists() -> None:
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{module_name}.__all__ names {name!r}, which it does not have"


@pytest.mark.parametrize("module_name", MODULES)
def test_examples_in_docstrings_are_true(module_name: str) -> None:
    module = importlib.import_module(module_name)
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    documented = [(module_name, module)]
    for name, found in public_objects(module):
        documented.append((name, found))
        if inspect.isclass(found):
            documented += [(f"{name}.{n}", m) for n, m in vars(found).items()
                           if isinstance(m, (property, classmethod, staticmethod)) or callable(m)
                           and getattr(inspect.unwrap(m), "__module__", None) == module_name]
    for name, found in documented:
        globs = {**vars(module), "__name__": "__main__"}
        for test in finder.find(found, name, module=False, globs=globs):  # type: ignore[arg-type]
            if test.examples:
                runner.run(test, out=report.append)
    assert not report, "\n".join(report)


# ---------------------------------------------------------------------------------------------------- layout

def test_cupy_is_named_in_one_room() -> None:
    named = [name_of(f) for f in FILES if "_arrays" not in f.parts and re.search(r"\bcupyx?\b", f.read_text())]
    assert not named, f"only minigrad/_arrays may name cupy; {named} do too"


def test_no_other_framework_is_imported() -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            names = ([a.name for a in node.names] if isinstance(node, ast.Import)
                     else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
            found = {n.split(".")[0] for n in names} & {"torch", "tensorflow", "jax", "autograd", "mygrad"}
            assert not found, f"{name_of(file)} imports {found}"


def test_imports_stand_at_the_top_except_of_heavy_libraries() -> None:
    for file in FILES:
        for function in ast.walk(ast.parse(file.read_text())):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for node in ast.walk(function):
                names = ([a.name for a in node.names] if isinstance(node, ast.Import)
                         else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
                for name in names:
                    assert name.split(".")[0] in LAZY, f"{name_of(file)}:{node.lineno} imports {name} inside {function.name}()"


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = ("import sys, minigrad; "
              "print([m for m in ('scipy', 'cupy', 'torch', 'matplotlib', 'graphviz', 'tqdm', 'pandas') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == "[]"


def test_tests_import_pytorch_only_where_marked() -> None:
    for file in Path(__file__).parent.rglob("*.py"):
        if file.parent.name == "programs":
            continue  # written for PyTorch, and run on minigrad
        text = file.read_text()
        if re.search(r"^\s*(import|from) torch\b", text, re.MULTILINE) or re.search(r"importorskip\(.torch.", text):
            assert "pytest.mark.parity" in text, f"{file.name} uses torch without the mark 'parity'"
            assert not re.search(r"^\s*(import|from) torch\b", text, re.MULTILINE), f"{file.name}: use pytest.importorskip"


def test_nothing_is_left_to_do() -> None:
    for file in FILES:
        found = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", file.read_text())
        assert found is None, f"{name_of(file)}: {found and found[0]}"


# ---------------------------------------------------------------------------------------------------- size

def declarations(file: Path) -> Iterator[tuple[str, int]]:
    """Each operation declared in `file`, and the lines of code it takes with its rules; documentation does not count."""
    text = file.read_text()
    lines: dict[str, int] = {}
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef) or not node.decorator_list:
            continue
        decorator = ast.unparse(node.decorator_list[0])
        rule = re.match(r"(\w+)\.derivative\(", decorator)
        name = rule[1] if rule else node.name
        if not rule and not re.match(r"op\b", decorator):
            continue
        start = min(d.lineno for d in node.decorator_list)
        size = sum(bool(line.strip()) for line in text.splitlines()[start - 1:node.end_lineno])
        doc = node.body[0]
        if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str):
            size -= sum(bool(line.strip()) for line in text.splitlines()[doc.lineno - 1:doc.end_lineno])
        lines[name] = lines.get(name, 0) + size
    yield from lines.items()


def test_operations_are_declared_in_one_folder() -> None:
    for module in MODULES:
        importlib.import_module(module)
    homes = {name: op.info.forward.__module__ for name, op in REGISTRY.items()}
    elsewhere = {name: home for name, home in homes.items() if re.match(r"minigrad\.(?!ops\.)", home)}
    assert not elsewhere


def test_a_pointwise_operation_takes_at_most_eight_lines() -> None:
    """With two rules or fewer; a third takes two lines more."""
    long = {name: size for family in ("arithmetic", "comparison", "elementary")
            for name, size in declarations(PACKAGE / "ops" / "pointwise" / f"{family}.py")
            if size > 8 + 2 * (len(REGISTRY[name].info.rules) > 2)}
    assert not long


def test_the_engine_and_the_declaration_of_operations_stay_readable() -> None:
    sizes = {f: len((PACKAGE / f).read_text().splitlines()) for f in ("autograd/engine.py", "recording/op.py")}
    assert sum(sizes.values()) <= 440, sizes


def test_every_operation_shows_the_code_that_was_generated_for_it() -> None:
    x = minigrad.tensor([1.0], requires_grad=True)
    mul = REGISTRY["mul"]
    y = mul(x, x)
    assert re.search(r"run\(.*forward.*, input_, other_\)", mul.source)
    assert "g * other" in type(y.grad_fn).backward_source


def names_lost(function: ast.FunctionDef) -> set[str]:
    """The names that one comprehension in `function` binds and another part takes for the builtin, which Python 3.12.1 then does
    not find."""
    bound, loaded, own = set(), set(), {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}

    def visit(node: ast.AST, names: set[str]) -> None:
        if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            return
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            targets = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
            bound.update(targets)
            names = names | targets
        elif isinstance(node, ast.Name) and node.id not in names:
            (own if isinstance(node.ctx, ast.Store) else loaded).add(node.id)
        for child in ast.iter_child_nodes(node):
            visit(child, names)

    for statement in function.body:
        visit(statement, set())
    return (bound & loaded & set(dir(builtins))) - own


def test_comprehensions_do_not_hide_the_builtins_that_others_use() -> None:
    def lost(source: str) -> set[str]:
        return {n for f in ast.walk(ast.parse(source)) if isinstance(f, ast.FunctionDef) for n in names_lost(f)}

    assert not {name_of(f): found for f in FILES if (found := lost(f.read_text(encoding="utf-8")))}
    assert lost("def f(xs): return [id for id in xs], [id(x) for x in xs]") == {"id"}
