"""Weights by their address, and models by the ``hubconf.py`` of a folder, with the names of ``torch.hub``."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlparse

from minigrad import serialization
from minigrad.errors import InvalidValueError, RuntimeValueError

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

HASH_IN_NAME = re.compile(r"-([a-f0-9]*)\.")  # weights-0123abcd.pt
_dir: str | None = None


def __getattr__(name: str) -> Any:
    if name != "tqdm":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("tqdm").tqdm  # programs take the progress bar from here


def _get_torch_home() -> str:
    """``$TORCH_HOME``, or else a folder in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "minigrad")))


def get_dir() -> str:
    """The folder in which files are kept: what :func:`set_dir` was given, or ``hub`` in ``$TORCH_HOME``, or else in the user's
    cache."""
    return os.path.join(_get_torch_home(), "hub") if _dir is None else _dir


def set_dir(d: str | os.PathLike[str]) -> None:
    """Keep files in this folder from now on."""
    global _dir
    _dir = os.path.expanduser(d)


# ---------------------------------------------------------------------------------------------------- weights

def download_url_to_file(url: str, dst: str | os.PathLike[str], hash_prefix: str | None = None, progress: bool = True) -> None:
    """Fetch `url` into the file `dst`, which is there only when all of it has come.

    Args:
        hash_prefix: what the SHA-256 of the content must begin with, in hexadecimal; otherwise ``RuntimeError`` is raised.
        progress: accepted; nothing is shown.
    """
    target = Path(dst)
    digest = hashlib.sha256()
    request = urllib.request.Request(url, headers={"User-Agent": "minigrad.hub"})
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=target.name + ".", delete=False) as file:
        try:
            with urllib.request.urlopen(request) as response:
                while block := response.read(1 << 20):
                    file.write(block)
                    digest.update(block)
            file.close()
            if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
                raise RuntimeValueError(f'download_url_to_file: invalid hash value (expected "{hash_prefix}", got '
                                        f'"{digest.hexdigest()}")')
            os.replace(file.name, target)
        except BaseException:
            os.unlink(file.name)
            raise


def load_state_dict_from_url(url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True,
                             check_hash: bool = False, file_name: str | None = None, weights_only: bool = True) -> Any:
    """What :func:`minigrad.load` reads from `url`, which is fetched once.

    Args:
        model_dir: the folder to keep the file in; ``checkpoints`` in :func:`get_dir` by default.
        map_location, weights_only: as in :func:`minigrad.load`.
        check_hash: the name of the file ends in the beginning of its SHA-256, ``weights-<hash>.pt``, and must agree with it.
        file_name: what to call the file, if not as in `url`.

    Raises ``urllib.error.URLError`` where there is no way to the server, which says where to put a file fetched otherwise.
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(folder, exist_ok=True)
    name = os.path.basename(urlparse(url).path) if file_name is None else file_name
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        found = HASH_IN_NAME.search(name) if check_hash else None
        try:
            download_url_to_file(url, path, found[1] if found else None, progress)
        except HTTPError:
            raise  # the server was there, and says what is wrong
        except URLError as error:
            raise URLError(f"{error.reason}: without a network, fetch {url} on another machine, and put it at {path}") from None
    return serialization.load(path, map_location, weights_only=weights_only)


load_url = load_state_dict_from_url  # its name in `utils.model_zoo`


# ---------------------------------------------------------------------------------------------------- models

def hubconf(repo_or_dir: str | os.PathLike[str], source: str) -> ModuleType:
    """The module ``hubconf.py`` of a folder, which may import what is beside it."""
    if source not in ("local", "github"):
        raise InvalidValueError(f'hub: unknown source: "{source}". Allowed values: "github" | "local".')
    if source == "github":
        raise NotImplementedError(f"hub: code is not fetched from the network to be run. Clone https://github.com/{repo_or_dir} "
                                  "and pass the folder, with source='local'; code that imports torch runs in minigrad.as_torch()")
    folder = os.path.realpath(repo_or_dir)
    spec = importlib.util.spec_from_file_location("hubconf", os.path.join(folder, "hubconf.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


def entry(module: ModuleType, model: str) -> Any:
    """The function of ``hubconf.py`` that makes a model."""
    function = getattr(module, model, None)
    if not callable(function):
        raise RuntimeValueError(f"hub: cannot find callable {model} in hubconf; it has {names_in(module)}")
    return function


def names_in(module: ModuleType) -> Any:
    """The names of the functions that make models."""
    return [name for name in dir(module) if callable(getattr(module, name)) and not name.startswith("_")]


def list(github: str | os.PathLike[str], force_reload: bool = False, skip_validation: bool = False, trust_repo: Any = None,  # noqa: A001
         verbose: bool = True, source: str = "github") -> Any:
    """The names of the models that the ``hubconf.py`` of a folder makes; with ``source="local"``."""
    return names_in(hubconf(github, source))


def help(github: str | os.PathLike[str], model: str, force_reload: bool = False, skip_validation: bool = False,  # noqa: A001
         trust_repo: Any = None, source: str = "github") -> str | None:
    """What the docstring of the function that makes `model` says; with ``source="local"``."""
    text: str | None = entry(hubconf(github, source), model).__doc__
    return text


def load(repo_or_dir: str | os.PathLike[str], model: str, *args: Any, source: str = "github", trust_repo: Any = None,
         force_reload: bool = False, verbose: bool = True, skip_validation: bool = False, **kwargs: Any) -> Any:
    """What the function `model` in the ``hubconf.py`` of a folder makes of the arguments; with ``source="local"``."""
    return entry(hubconf(repo_or_dir, source), model)(*args, **kwargs)
