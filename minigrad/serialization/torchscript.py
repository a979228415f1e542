"""Reading what TorchScript's archives hold beside code: the parameters, buffers and other attributes of their modules."""

from __future__ import annotations

import io
import os
import pickle
import re
from typing import IO, Any, NamedTuple

from minigrad.errors import RuntimeValueError
from minigrad.serialization import names
from minigrad.serialization.archive import ArchiveReader
from minigrad.serialization.loading import Records, Storages, opened, restorer
from minigrad.serialization.unpickler import WeightsUnpickler

DECLARATION = re.compile(r"^class (\w+)\(.*\):\n(?:  __parameters__ = \[(.*)\]\n)?(?:  __buffers__ = \[(.*)\]\n)?", re.M)
NAME_IN_LIST = re.compile(r'"([^"]*)"')


class Compiled:
    """An object of a class that is TorchScript code, with the attributes it was saved with."""

    parameters: frozenset[str]
    buffers: frozenset[str]
    attributes: dict[str, Any]

    def __new__(cls, *args: Any) -> Compiled:
        made = super().__new__(cls)
        made.attributes = {str(k): value for k, value in enumerate(args)}
        return made

    def __init__(self, *args: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.attributes = dict(state) if isinstance(state, dict) else {"state": state}


class Script(NamedTuple):
    """What an archive holds: the module, and the content of each extra file by its name."""

    module: Compiled
    extra_files: dict[str, bytes]


def without_tag(value: Any, tag: Any) -> Any:
    """`value`, whose type TorchScript tells."""
    return value


def as_list(values: Any) -> Any:
    """A list of numbers or tensors."""
    return values


def declared_classes(archive: ArchiveReader) -> dict[tuple[str, str], type]:
    """The classes that the code of an archive declares, by their module and name."""
    found: dict[tuple[str, str], type] = {}
    begin = archive.root + "code/"
    for path in archive.entries:
        if path.startswith(begin) and path.endswith(".py"):
            module = path[len(begin):-len(".py")].replace("/", ".")
            for name, parameters, buffers in DECLARATION.findall(archive.read(path[len(archive.root):]).decode(errors="replace")):
                found[module, name] = type(name, (Compiled,), {"parameters": frozenset(NAME_IN_LIST.findall(parameters)),
                                                               "buffers": frozenset(NAME_IN_LIST.findall(buffers))})
    return found


def read_script(f: str | os.PathLike[str] | IO[bytes], map_location: Any) -> Script:
    """The module in the archive `f`, a path or a seekable file. No code is run.

    Raises ``RuntimeError`` for files of other kinds, ``pickle.UnpicklingError`` for what only code could make.
    """
    with opened(f, "jit.load") as (file, name):
        archive = ArchiveReader(file, name)
        if "constants.pkl" not in archive or "data.pkl" not in archive:
            raise RuntimeValueError(f"jit.load: {name} is no TorchScript archive; minigrad.load reads what save wrote")
        classes = declared_classes(archive)

        def find_class(module: str, found: str) -> Any:
            if module == "torch.jit._pickle":
                return without_tag if found == "restore_type_tag" else as_list if found.startswith("build_") else None
            return classes.get((module, found)) or names.find_safe(module, found)

        storages = Storages(Records(archive), restorer(map_location), mapped=False)
        content = io.BytesIO(archive.read("data.pkl"))
        try:
            module = WeightsUnpickler(content, find_class=find_class, persistent_load=storages.persistent_load,
                                      added=list(classes.values()), beside=archive.length).load()
        except pickle.UnpicklingError as error:
            raise pickle.UnpicklingError(f"jit.load: {name}: {error}") from None
        if not isinstance(module, Compiled):
            raise RuntimeValueError(f"jit.load: {name} is damaged: it holds a {type(module).__name__}, which should be a module")
        extra = f"{archive.root}extra/"
        return Script(module, {path[len(extra):]: archive.read(path[len(archive.root):])
                               for path in archive.entries if path.startswith(extra)})
