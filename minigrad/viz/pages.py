"""Pages of pictures and plots: one file, in light and dark, that needs no other file and no network."""

from __future__ import annotations

import html
from importlib.resources import files

from minigrad.viz.svg import clean


def page_of(title: str, body: str) -> str:
    """A page with the style and the program of all pages of plots, ``page/report.css`` and ``page/report.js``."""
    folder = files("minigrad.viz") / "page"
    css, program = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{clean(title)}</title>\n<style>{css}</style>\n</head>\n<body>\n{body}\n<script>{program}</script>\n</body>\n</html>\n")


class Frame:
    """A page that a notebook shows in a frame. It runs where the notebook is trusted; sites that only show notebooks leave it
    out."""

    def __init__(self, page: str, height: int) -> None:
        self.page, self.height = page, height

    def __repr__(self) -> str:
        return f"<page of {len(self.page):,} characters; a notebook shows it>"

    def _repr_html_(self) -> str:
        return frame_of(self.page, self.height)


def frame_of(page: str, height: int) -> str:
    """A page in a frame of another page or of a notebook, which holds it whole."""
    style = f"width:100%;height:{height}px;border:1px solid #a1a1aa;border-radius:4px"
    return f'<iframe srcdoc="{html.escape(page)}" style="{style}"></iframe>'
