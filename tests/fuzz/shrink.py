"""The shortest program that still shows a disagreement."""

from __future__ import annotations

import re
from typing import Callable

from tests.fuzz.oracles import Disagreement

Check = Callable[[list[str]], Disagreement | None]


def shrink(lines: list[str], found: Disagreement, check: Check) -> tuple[list[str], Disagreement]:
    """Leave out lines, and make what is left simpler, as long as `check` finds a disagreement of the same kind."""
    shown = lines[:found.at + 1]
    again = check(shown)
    if again is None or again.kind != found.kind:
        shown, again = lines, found
    changed = True
    while changed:
        changed = False
        for candidate in simpler(shown):
            result = check(candidate)
            if result is not None and result.kind == found.kind:
                shown, again, changed = candidate[:result.at + 1] if result.at >= len(candidate) - 1 else candidate, result, True
                break
    return shown, again


def simpler(lines: list[str]) -> list[list[str]]:
    """Programs that are a little simpler than this one: a line less, a term less in the last line."""
    candidates = [lines[:i] + lines[i + 1:] for i in reversed(range(len(lines)))]
    terms = re.fullmatch(r"\((.*)\)\.backward\(\)", lines[-1]) if lines else None
    if terms and " + " in terms[1]:
        parts = terms[1].split(" + ")
        candidates += [lines[:-1] + [f"({' + '.join(parts[:i] + parts[i + 1:])}).backward()"] for i in range(len(parts))]
    return candidates
