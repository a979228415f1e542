"""mkdocs hooks: pages that are made when the site is built, from README, from the examples and from the objects themselves."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))  # what is described is the minigrad that lies beside these documents

from docs.hooks.reference import reference_navigation, reference_pages  # noqa: E402


def moved(text: str) -> str:
    """A document of the project's root, as a page at the root of the site."""
    text = re.sub(r"\]\(docs/", "](", text)
    text = re.sub(r"\]\(examples/(?:README\.md)?\)", "](course/index.md)", text)
    text = re.sub(r"\]\(examples/README\.md\)", "](course/index.md)", text)
    return text.replace("](CONTRIBUTING.md)", "](contributing.md)").replace("](CHANGELOG.md)", "](changelog.md)")


def course_pages() -> dict[str, str]:
    """The course: its table, and a page for each program."""
    folder = ROOT / "examples"
    index = re.sub(r"\]\((\w+)\.py\)", r"](\1.md)", (folder / "README.md").read_text(encoding="utf-8"))
    pages = {"course/index.md": index.replace("](../docs/", "](../")}
    for file in sorted(folder.glob("*.py")):
        source = file.read_text(encoding="utf-8")
        title = source.removeprefix('"""').splitlines()[0].strip('". ')
        pages[f"course/{file.stem}.md"] = f"# {title}\n\n```python\n{source}```\n"
    return pages


def generated_pages() -> dict[str, str]:
    """Every page that is not a file in docs/, by path."""
    return {"index.md": moved((ROOT / "README.md").read_text(encoding="utf-8")),
            "contributing.md": moved((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")),
            "changelog.md": moved((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")),
            **course_pages(), **reference_pages()}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the pages of course and reference where the navigation names them."""
    first, *programs = course_pages()
    course = [{p.removeprefix("course/").removesuffix(".md").replace("_", " "): p} for p in programs]
    parts: dict[str, Any] = {"The course": [first, *course], "Reference": reference_navigation()}
    config.nav = [{title: parts.get(title, page) for title, page in item.items()} for item in config.nav or []]
    return config


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leads links to the examples, which lie beside docs/, to the course."""
    markdown = markdown.replace("](../examples/README.md)", "](course/index.md)")
    return re.sub(r"\]\(\.\./examples/(\w+)\.py\)", r"](course/\1.md)", markdown)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages to the files of the site."""
    for path, content in generated_pages().items():
        files.append(File.generated(config, path, content=content))
    return files
