"""Writes the reference pages when mkdocs builds the site: an entry for every public name, from the objects themselves.

Signatures and docstrings are those that ``inspect`` finds, so that names which are made at import time, or imported when first
asked for, are described as users meet them.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import re
from functools import cache
from typing import Any, Iterable

from docs.hooks.public import IMPORTS, NAMESPACES, Name, public_names, tensor_members, written_examples

LARGE = 250  # a namespace of more names is divided into pages, by the modules in which they are defined
SMALL = 8  # what a module has fewer of goes to the last of these pages


# ---------------------------------------------------------------------------------------------------- text

def escape(text: str) -> str:
    """`text` with what Markdown would take for emphasis, links or tags made literal, but for code in backquotes."""
    parts = re.split(r"(``.+?``|`[^`]+`)", text)
    return "".join(part if i % 2 else re.sub(r"([*_\[\]])", r"\\\1", part).replace("<", "&lt;") for i, part in enumerate(parts))


def markdown(docstring: str) -> str:
    """A docstring as Markdown: sessions and literal blocks as code, sections of arguments as lists, roles as code."""
    text = re.sub(r":(?:func|class|meth|mod|attr|data):`~?([^`]+)`", r"`\1`", docstring)
    lines: list[str] = []
    source = text.splitlines()
    i = 0
    while i < len(source):
        line = source[i]
        if line.startswith(">>>"):
            session = list(itertools.takewhile(str.strip, source[i:]))
            lines += ["", "```pycon", *session, "```", ""]
            i += len(session)
        elif re.fullmatch(r"[A-Z]\w+:", line) and i + 1 < len(source) and source[i + 1].startswith("    "):
            items = list(itertools.takewhile(lambda x: not x.strip() or x.startswith("    "), source[i + 1:]))
            lines += ["", f"**{line[:-1]}**", ""]
            for item in items:
                if re.match(r"    \S", item):
                    names, colon, rest = item.strip().partition(": ")
                    lines.append(f"* `{names}`: {escape(rest)}" if colon else f"* {escape(item.strip())}")
                elif item.strip():
                    lines.append(f"  {escape(item.strip())}")
            lines.append("")
            i += 1 + len(items)
        elif line.startswith("    "):
            block = list(itertools.takewhile(lambda x: not x.strip() or x.startswith("    "), source[i:]))
            lines += ["", "```text", *(x.removeprefix("    ") for x in block), "```", ""]
            i += len(block)
        else:
            bullet = re.match(r"[*-] ", line)
            lines.append(bullet[0] + escape(line[2:]) if bullet else escape(line))
            i += 1
    return "\n".join(lines).strip() + "\n"


def first_sentence(docstring: str | None) -> str:
    """The first sentence of a docstring, on one line."""
    paragraph = " ".join((docstring or "").partition("\n\n")[0].split())
    paragraph = re.sub(r":(?:func|class|meth|mod|attr|data):`~?([^`]+)`", r"`\1`", paragraph)
    return re.split(r"(?<=[^.]\.) (?=[A-Z])", paragraph)[0]


def annotation(value: Any) -> str:
    """The text of an annotation, or nothing where it says nothing."""
    text = value if isinstance(value, str) else getattr(value, "__name__", str(value))
    return "" if value is inspect.Parameter.empty or text in ("Any", "typing.Any") else text


def signature(name: str, found: Any) -> str:
    """``name(parameters) -> result`` on one line where it fits, or with a line for each parameter."""
    try:
        parsed = inspect.signature(found)
    except (TypeError, ValueError):
        return name
    written = []
    previous = None
    for parameter in parsed.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and previous not in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL):
            written.append("*")
        if previous is parameter.POSITIONAL_ONLY and parameter.kind is not previous:
            written.append("/")
        mark = "*" * (parameter.kind is parameter.VAR_POSITIONAL) + "**" * (parameter.kind is parameter.VAR_KEYWORD)
        kind = annotation(parameter.annotation)
        text = mark + parameter.name + (f": {kind}" if kind else "")
        if parameter.default is not parameter.empty:
            text += f"{' = ' if kind else '='}{re.sub(r' at 0x[0-9a-f]+', '', repr(parameter.default))}"
        written.append(text)
        previous = parameter.kind
    result = "" if inspect.isclass(found) else annotation(parsed.return_annotation)
    arrow = f" -> {result}" if result else ""
    line = f"{name}({', '.join(written)}){arrow}"
    return line if len(line) <= 100 else f"{name}(\n" + "".join(f"    {w},\n" for w in written) + f"){arrow}"


# ---------------------------------------------------------------------------------------------------- pages

def home(found: Any) -> str:
    """The module in which `found` is defined, under any wrapper that a namespace puts around it."""
    module = str(getattr(found, "__module__", ""))
    if inspect.isfunction(found) and module in NAMESPACES:
        return str(inspect.unwrap(found).__globals__.get("__name__", module))
    return module


def page_of(namespace: str, family: str | None = None) -> str:
    """The path of a page on the site."""
    return f"reference/{namespace}{f'/{family}' if family else ''}.md"


@cache
def layout() -> dict[str, dict[str, list[Name]]]:
    """For every page its sections: their titles, and the names that are described there."""
    pages: dict[str, dict[str, list[Name]]] = {}
    for namespace in NAMESPACES:
        names = [n for n in public_names() if n.namespace == namespace]
        callables = [n for n in names if callable(n.found) and n.path == n.first]
        homes: dict[str, list[Name]] = {}
        for name in callables:
            homes.setdefault(home(name.found), []).append(name)
        pages[page_of(namespace)] = {}
        if len(callables) <= LARGE:
            for module in sorted(homes):
                title = "" if len(homes) == 1 else title_of(module)
                pages[page_of(namespace)].setdefault(title, []).extend(homes[module])
            continue
        rest: list[Name] = []
        for module in sorted(homes):
            if len(homes[module]) < SMALL or module == namespace:
                rest += homes[module]
            else:
                pages[page_of(namespace, module.rpartition(".")[2])] = {title_of(module): homes[module]}
        pages[page_of(namespace, "more")] = {"Everything else": sorted(rest, key=lambda n: n.name)}
    return pages


def title_of(module: str) -> str:
    """What a module is about: its docstring's first words."""
    sentence = first_sentence(importlib.import_module(module).__doc__) if module else ""
    return re.split(r"[:;(]|\.$", sentence)[0].replace("`", "").strip() or module


@cache
def places() -> dict[str, str]:
    """The page of each name that is described."""
    return {name.path: page for page, sections in layout().items() for names in sections.values() for name in names}


def link(name: Name, page: str) -> str:
    """A link from `page` to the entry of `name`."""
    up = "../" * (page.count("/") - 1)
    target = places()[name.first].removeprefix("reference/")
    return f"[`{name.name}`]({up}{target}#{name.first})"


def entry(name: Name) -> str:
    """What the reference says about one name: signature, docstring, example, and the methods of a class."""
    docstring = inspect.getdoc(name.found) or ""
    heading, call = f"### `{name.name}` {{ #{name.path} }}\n", f"```python\n{signature(name.path, name.found)}\n```\n"
    text = [heading, call, markdown(docstring)]
    examples = [written_examples()[n.path] for n in public_names() if n.first == name.path and n.path in written_examples()]
    text += [f"```pycon\n{example}```\n" for example in examples]
    others = [f"`{n.path}`" for n in public_names() if n.first == name.path and n.path != name.path]
    if others:
        text.append(f"Also called {', '.join(others)}.\n")
    if inspect.isclass(name.found) and name.name != "Tensor":
        members = [n for n, m in vars(name.found).items() if not n.startswith("_")
                   and (inspect.isroutine(m) or isinstance(m, property)) and inspect.getdoc(getattr(name.found, n))]
        if members:
            rows = [f"| `{n}` | {cell(first_sentence(inspect.getdoc(getattr(name.found, n))))} |" for n in members]
            text.append("| member | what it is |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(text)


def cell(text: str) -> str:
    """`text` for a table."""
    return escape(text).replace("|", "\\|")


def listing(names: Iterable[Name], page: str) -> str:
    """A table of names with the first sentence of each."""
    return "| name | what it is |\n|---|---|\n" + "\n".join(
        f"| {link(n, page)} | {cell(first_sentence(inspect.getdoc(n.found)))} |" for n in names) + "\n"


def tensor_methods(page: str) -> str:
    """A table of what a tensor has, with a link to the function of that name; and examples of what has none."""
    tensor = importlib.import_module("minigrad").Tensor
    functions = {n.name: n for n in public_names() if n.namespace == "minigrad"}
    rows, entries = [], []
    for member, function in tensor_members().items():
        path = f"minigrad.Tensor.{member}"
        found = getattr(tensor, member)
        docstring = inspect.getdoc(found) or ""
        example = written_examples().get(path, "")
        shown = f"[example](#{path})" if function is None else link(functions[function], page)
        rows.append(f"| `{member}` | {cell(first_sentence(docstring))} | {shown} |")
        if function is None:
            session = f"\n```pycon\n{example}```\n" if example else ""
            call = f"```python\n{signature(f'Tensor.{member}', found)}\n```\n\n" if inspect.isroutine(found) else ""
            entries.append(f"### `{member}` {{ #{path} }}\n\n{call}{markdown(docstring)}{session}")
    return ("## Methods and attributes\n\n| member | what it is | see |\n|---|---|---|\n" + "\n".join(rows)
            + "\n\n## What only tensors have\n\n" + "\n".join(entries))


def written_page(page: str, sections: dict[str, list[Name]]) -> str:
    """The Markdown of one page."""
    namespace = page.removeprefix("reference/").removesuffix(".md").partition("/")[0]
    if "/" in page.removeprefix("reference/"):
        (title, names), = sections.items()
        return f"# {title}\n\n" + listing(names, page) + "\n" + "\n".join(entry(n) for n in names)
    text = [f"# {namespace}\n", markdown(inspect.getdoc(importlib.import_module(namespace)) or "")]
    names = [n for n in public_names() if n.namespace == namespace]
    families = [p for p in layout() if p.startswith(f"reference/{namespace}/")]
    for family in families:
        (title, members), = layout()[family].items()
        text.append(f"## [{title}]({family.removeprefix('reference/')})\n\n" + " · ".join(link(n, page) for n in members) + "\n")
    for title, members in sections.items():
        if title:
            text.append(f"## {title}\n")
        text.append(listing(members, page))
        text += [entry(n) for n in members]
    elsewhere = [n for n in names if callable(n.found) and n.path != n.first]
    if elsewhere:
        text.append("## Described elsewhere\n\n" + " · ".join(link(n, page) for n in elsewhere) + "\n")
    values = [n for n in names if not callable(n.found)]
    if values:
        plain = (int, float, str, type(None))
        rows = [f"| `{n.name}` | `{repr(n.found) if isinstance(n.found, plain) else type(n.found).__name__}` |" for n in values]
        text.append("## Values\n\n| name | value or type |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(text)


def written_index() -> str:
    """The first page of the reference."""
    rows = [f"| [`{n}`]({n}.md) | {cell(first_sentence(inspect.getdoc(importlib.import_module(n))))} |" for n in NAMESPACES]
    return ("# Reference\n\nEvery public name, with an example that the tests run. The examples begin with\n\n"
            f"```python\n{IMPORTS}```\n\nand with `mg.manual_seed(0)`.\n\n"
            "The methods of tensors are [in a table of their own](Tensor.md).\n\n"
            "| namespace | what it has |\n|---|---|\n" + "\n".join(rows) + "\n")


def reference_pages() -> dict[str, str]:
    """The Markdown of every page of the reference, by path."""
    pages = {page: written_page(page, sections) for page, sections in layout().items()}
    tensor = "reference/Tensor.md"
    return {"reference/index.md": written_index(),
            tensor: "# Tensor\n\n" + markdown(inspect.getdoc(importlib.import_module("minigrad").Tensor) or "") + "\n"
            + tensor_methods(tensor), **pages}


def reference_navigation() -> list[Any]:
    """The reference's part of the site's navigation."""
    navigation: list[Any] = ["reference/index.md", {"Tensor": "reference/Tensor.md"}]
    for namespace in NAMESPACES:
        families = [p for p in layout() if p.startswith(f"reference/{namespace}/")]
        page: Any = page_of(namespace)
        navigation.append({namespace: [page, *({next(iter(layout()[p])): p} for p in families)] if families else page})
    return navigation
