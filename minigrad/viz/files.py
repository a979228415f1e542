"""Writing a picture into a file, in the form that the end of its name asks for."""

from __future__ import annotations

import os
import tempfile
from typing import Iterable

from minigrad.errors import InvalidValueError


def form_of(called: str, path: str, forms: Iterable[str]) -> str:
    """The one of `forms` that the end of `path` names. Raises ``ValueError`` for another; `called` is who was asked."""
    form = os.path.splitext(path)[1][1:].lower()
    if form not in forms:
        raise InvalidValueError(f"{called}: a picture is saved in the form that its file's name ends in: one of "
                                f"{', '.join('.' + f for f in forms)}; got {path!r}")
    return form


def write_whole(path: str, content: str | bytes) -> None:
    """Write a file, in a folder that is made where it is missing. It is there whole, or as it was before."""
    data = content if isinstance(content, bytes) else f"{content.rstrip()}\n".encode("utf-8", "replace")
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=os.path.splitext(path)[1])
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~current_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def current_umask() -> int:
    """The process's mask of file modes, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
