"""Errors say their kind: the words of a message fit the class it is raised with."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator

import pytest

import minigrad
from minigrad import errors

# What the messages of a class speak of. Where a message is refused here, another class says its kind: RuntimeValueError, or
# InvalidValueError where PyTorch raises ValueError, for a value; StateError for what comes too early, too late or twice.
WORDS = {
    "ShapeError": r"shape|size|dimension|\bn?dims?\b|_dims?\b|(\d|\}|-)[dD]\b|length|width|element|broadcast|matri|vector|scalar"
                  r"|\brows\b|columns|channels|batch|axis|number of|numel|one number|points|too large",
    "DtypeError": r"dtype|\btypes?\b|complex|[Bb]ool|integ|Integ|float|[Ll]ong|Half|\breal\b|precision"
                  r"|overflow|convert",
    "GraphError": r"grad|graph|hook|backward|differentia|derivative|lea(f|ves)|detach|saved|strict mode|Function|forward|anomaly"
                  r"|in-?place|setting|independent of",
    "InplaceError": r"in[- ]place|inplace|memory location|out=",
    "DeviceError": r"device|cuda|pin|is on \{\}",
    "DimensionError": r"[Dd]imension|\bdim\b|index|indices|out of (bounds|range)|shape|empty",
}
# What only the messages for values speak of, so that no other class may.
VALUES = re.compile(r"must be (one of|positive|> 0|>= 0)|should be (one of|positive|greater than zero)|be non-negative, got"
                    r"|be in (the range )?[\[(]0, 1|does not support negative|between 0(\.0)? and 1|is not a valid value")
# Python's own protocols: attributes, keys, places in a sequence, abstract methods, modules; files, networks and the system; and
# what PyTorch asserts.
BUILTIN = {"AttributeError", "KeyError", "IndexError", "NotImplementedError", "ImportError", "BufferError", "AssertionError",
           "FileNotFoundError", "OSError", "URLError"}


def literal(node: ast.AST) -> str:
    """The text of a message, with {} for what is computed; both texts of a choice between two."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(v) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    if isinstance(node, ast.BinOp):
        return literal(node.left) + literal(node.right)
    if isinstance(node, ast.IfExp):
        return literal(node.body) + " / " + literal(node.orelse)
    return "{}"


def raised_in(source: str) -> Iterator[tuple[int, str, str]]:
    """The line, class and message of every exception that `source` raises, or returns for another to raise."""
    for node in ast.walk(ast.parse(source)):
        call = node.exc if isinstance(node, ast.Raise) else node.value if isinstance(node, ast.Return) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.endswith(("Error", "Iteration")):
            yield call.lineno, call.func.id, " ".join(literal(call.args[0]).split()) if call.args else ""


def complaints(source: str) -> list[str]:
    """What is wrong with the classes of the exceptions in `source`."""
    found = []
    for line, name, message in raised_in(source):
        own = re.search("[A-Za-z]{2}", message)  # else the words come from elsewhere
        if name in ("ValueError", "TypeError", "RuntimeError"):
            if own:
                found.append(f"line {line}: a plain {name}; the library has classes of its own that are one: {message!r}")
        elif own and name in WORDS and not re.search(WORDS[name], message):
            found.append(f"line {line}: the message does not speak of what {name} is for: {message!r}")
        elif name in ("ShapeError", "DtypeError", "GraphError", "DeviceError") and VALUES.search(message):
            found.append(f"line {line}: {name} for a value; RuntimeValueError says that: {message!r}")
        elif not (name in BUILTIN or name in HOMES or hasattr(errors, name.lstrip("_")) or f"class {name}(" in source):
            found.append(f"line {line}: {name} is none of the library's exceptions")
    return found


HOMES = {"GradcheckError": "minigrad.autograd", "HintError": "minigrad.recording.hints", "NonFiniteError": "minigrad.nn.utils"}
FILES = sorted(Path(minigrad.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FILES[0].parent)))
def test_the_words_of_every_message_fit_its_class(path: Path) -> None:
    assert not complaints(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("line", [
    "raise ShapeError(f'alpha cannot be 0, got {alpha}')", "raise ShapeError('size must be positive')",
    "raise DtypeError(f'rounding mode {mode} is unknown')", "raise GraphError('step() has already been called')",
    "raise DeviceError('the number is wrong')", "raise ValueError('no')", "raise RuntimeError('no')", "raise TypeError('no')",
    "return ShapeError('alpha' 'cannot be 0')", "raise UnknownError('what')"])
def test_an_error_of_the_wrong_kind_is_found(line: str) -> None:
    assert len(complaints(f"def f():\n    {line}")) == 1


def test_every_class_is_one_of_the_library_and_keeps_the_class_of_pytorch() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and c.__module__ == errors.__name__]
    assert all(issubclass(c, errors.MinigradError) for c in classes)
    assert errors.RuntimeValueError.__mro__[1] is RuntimeError and issubclass(errors.RuntimeValueError, ValueError)
    for c in classes:
        if c is not errors.MinigradError:
            assert issubclass(c, (RuntimeError, TypeError, ValueError, IndexError, ImportError, FileNotFoundError)), c


def test_a_bad_value_is_caught_by_either_name() -> None:
    for kind in (RuntimeError, ValueError, errors.InvalidValueError, errors.RuntimeValueError, errors.MinigradError):
        with pytest.raises(kind, match=r"bernoulli expects p to be in \[0, 1\]"):
            minigrad.bernoulli(minigrad.ones(3) * 3)
