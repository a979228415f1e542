"""Run the code of a Markdown document as its reader would: ``python -m tests.documents README.md``.

The blocks of one document share a namespace and run in order, in the current folder. Blocks of ``python`` are executed, and
then the functions among them whose names begin with ``test_`` are called. Blocks of ``pycon`` must print what they show, where
``...`` stands for any text and a line may be broken anywhere. The commands of ``bash`` blocks are the business of
``tests/test_documents.py``.

A comment on the line before a block says that it is not to be run: ``<!-- quoted from: minigrad.exp -->`` where it is what the
source file of that name says, but for annotations of types, and ``<!-- not run: reason -->`` otherwise. After
``<!-- needs: package -->`` a block is run where that package is installed.

Pictures are drawn without Graphviz's program, of which every version draws others, so that those kept in the documents are the
same everywhere.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib.util
import io
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(p for p in (*ROOT.glob("*.md"), *ROOT.glob("examples/*.md"), *ROOT.glob("docs/**/*.md")))
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+|~~~+)(?P<language>.*)$")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_MARK = re.compile(r"<!-- (quoted from|not run|needs): (.+) -->")


class Block(NamedTuple):
    """A fenced block: its text, its language, the number of its first line, and what the comment before it says."""

    text: str
    language: str
    line: int
    quoted_from: str | None
    not_run: str | None
    needs: str | None


def read_blocks(document: Path) -> list[Block]:
    """The fenced blocks of `document`, in order."""
    blocks, lines = [], document.read_text(encoding="utf-8").splitlines()
    numbered = iter(enumerate(lines, start=1))
    for number, line in numbered:
        if (opening := FENCE.match(line)) is None:
            continue
        body: list[str] = []
        for _, inner in numbered:
            if inner.strip() == opening["fence"]:
                break
            body.append(inner.removeprefix(opening["indent"]))
        else:
            raise ValueError(f"{document}:{number}: the block is not closed")
        mark = _MARK.fullmatch(lines[number - 2].strip()) if number > 1 else None
        said = {mark[1]: mark[2]} if mark else {}
        blocks.append(Block("\n".join(body) + "\n", opening["language"].split(" ")[0].strip(), number + 1,
                            said.get("quoted from"), said.get("not run"), said.get("needs")))
    return blocks


def run_session(text: str, names: dict[str, Any], where: str) -> list[str]:
    """Run an interpreter's session and give, for each answer that is another than the one shown, a sentence.

    The lines are compiled as those of an interpreter are, so that errors which name a source line say ``<stdin>``.
    """
    wrong = []
    for example in doctest.DocTestParser().get_examples(text, where):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(example.source, "<stdin>", "single"), names)
            got, want = printed.getvalue(), example.want
        except Exception as error:
            got, want = "".join(traceback.format_exception_only(error)), example.exc_msg or example.want
        if not doctest.OutputChecker().check_output(want, got, FLAGS):
            wrong.append(f"{where}: {example.source.strip()}\nshown:\n{want}\nprinted:\n{got}")
    return wrong


def run_document(document: Path) -> list[str]:
    """Run the blocks of `document` in order, and give a sentence for each that shows something else than happens."""
    names: dict[str, Any] = {"__name__": "__main__"}
    wrong: list[str] = []
    for block in read_blocks(document):
        if block.quoted_from or block.not_run or block.needs and importlib.util.find_spec(block.needs) is None:
            continue
        where = f"{document.name}:{block.line}"
        if block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.text, str(document), "exec"), names)
        elif block.language == "pycon":
            wrong += run_session(block.text, names, where)
    for name, found in list(names.items()):
        if name.startswith("test_"):
            found()
    return wrong


def path_without(program: str) -> str:
    """The search path without the folders in which `program` is."""
    return os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if not os.path.exists(os.path.join(p, program)))


if __name__ == "__main__":
    os.environ["PATH"] = path_without("dot")
    settings.register_profile("unhurried", deadline=None)  # a slow machine is no mistake of a document
    settings.load_profile("unhurried")
    if found := run_document(Path(sys.argv[1])):
        sys.exit("\n".join(found))
