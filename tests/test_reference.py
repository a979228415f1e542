"""The reference: every public name has an example, every example is true, and every name has a place on the site."""

from __future__ import annotations

import re
from typing import Any

import pytest

import minigrad
from docs.hooks import reference
from docs.hooks.public import EXAMPLES, IMPORTS, NAMESPACES, public_names, tensor_members, without_example, written_examples
from tests import fake_cuda, standin
from tests.documents import run_session


def run_example(path: str, session: str) -> list[str]:
    """What `session` does not show as it is, when it begins as docs/examples says."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(IMPORTS, names)
    minigrad.manual_seed(0)
    return run_session(session, names, path)


def test_every_public_name_has_an_example() -> None:
    missing = list(without_example())
    assert not missing, f"write an example in the docstring, or in docs/examples/, of {missing}"


def test_examples_are_of_public_names() -> None:
    names = {name.path for name in public_names()} | {f"minigrad.Tensor.{member}" for member in tensor_members()}
    assert not [path for path in written_examples() if path not in names]
    assert {file.stem for file in EXAMPLES.iterdir()} <= {*NAMESPACES, "minigrad.Tensor"}


@pytest.mark.parametrize("namespace", sorted(file.stem for file in EXAMPLES.iterdir()))
def test_examples_are_true(namespace: str) -> None:
    if namespace == "minigrad.testing":
        pytest.importorskip("hypothesis", reason="its strategies need hypothesis")
    wrong = [sentence for path, session in written_examples().items() if path.rpartition(".")[0] == namespace
             for sentence in run_example(path, session)]
    assert not wrong, "\n".join(wrong)


def test_examples_of_cuda_are_true_on_stand_in_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minigrad.cuda, "HERE", standin.DEVICE)
    with fake_cuda.nothing_changes():
        wrong = [sentence for path, session in written_examples().items() if path.startswith("minigrad.cuda.")
                 for sentence in run_example(path, session.replace('"cuda"', '"standin"'))]
    assert not wrong, "\n".join(wrong)


def test_an_example_names_what_it_is_of() -> None:
    """By its own name, or by one of the names of the same object."""
    names: dict[str, set[str]] = {}
    for name in public_names():
        names.setdefault(name.first, set()).add(name.name)
    first = {name.path: name.first for name in public_names()}
    silent = [path for path, session in written_examples().items()
              if not any(re.search(rf"\b{re.escape(n)}\b", session)
                         for n in names.get(first.get(path, ""), {path.rpartition(".")[2]}))]
    assert not silent


def test_every_public_name_has_a_place_in_the_reference() -> None:
    pages = reference.reference_pages()
    for name in public_names():
        if callable(name.found):
            page = reference.places()[name.first]
            assert f"{{ #{name.first} }}" in pages[page], f"{name.path} is not described on {page}"


def test_docstrings_become_markdown() -> None:
    text = reference.markdown("What *is* `x_y` of :func:`exp`.\n\nArgs:\n    a, b: first\n        and more.\n\n>>> 1\n1\n\nEnd.")
    assert text == ("What \\*is\\* `x_y` of `exp`.\n\n\n**Args**\n\n* `a, b`: first\n  and more.\n\n\n"
                    "```pycon\n>>> 1\n1\n```\n\n\nEnd.\n")


def test_signatures_are_those_of_inspect() -> None:
    def f(a: int, /, b: str = "x", *, c: Any = None) -> bool:
        return bool(a)

    assert reference.signature("f", f) == "f(a: int, /, b: str = 'x', *, c=None) -> bool"
