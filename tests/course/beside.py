"""Runs a program of the course on minigrad or on PyTorch, with random numbers from one stream, and prints each loss of the run.

``python -m tests.course.beside NAME minigrad|torch [ARGUMENTS]`` writes ``runs/`` into the current folder, and prints a JSON
list of what every call of ``backward`` began with. Weights, batches, noise and dropout are drawn by NumPy in either library, so
that both lists are the same up to rounding. Only the seeds that loaders draw for themselves are not from that stream: in
PyTorch they come from ``random_``.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import re
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable

import numpy as np

from tests.course.conftest import FOLDER

STREAM = np.random.default_rng(0)


def written_for_torch(source: str) -> str:
    """A program with ``torch`` for ``minigrad`` in its imports."""
    source = re.sub(r"^import minigrad as torch$", "import torch", source, flags=re.MULTILINE)
    return re.sub(r"^(from|import) minigrad\b", r"\1 torch", source, flags=re.MULTILINE)


def size_of(size: tuple[Any, ...]) -> tuple[int, ...]:
    """A shape that was given as numbers or as one sequence."""
    return tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size


class Drawing:
    """Functions of `library` that draw random numbers, written with NumPy's."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.streams: dict[int, tuple[Any, np.random.Generator]] = {}  # of the generators that samplers make for each epoch

    def made(self, values: Any, settings: dict[str, Any]) -> Any:
        """A tensor of `values` with the dtype, device and requires_grad that are asked for."""
        settings.pop("generator", None)
        return self.library.tensor(np.asarray(values), **settings)

    def floats(self, values: np.ndarray[Any, Any], settings: dict[str, Any]) -> Any:
        return self.made(values, {"dtype": self.library.get_default_dtype(), **settings})

    def rand(self, *size: Any, **settings: Any) -> Any:
        return self.floats(STREAM.random(size_of(size)), settings)

    def randn(self, *size: Any, **settings: Any) -> Any:
        return self.floats(STREAM.standard_normal(size_of(size)), settings)

    def rand_like(self, like: Any, **settings: Any) -> Any:
        return self.made(STREAM.random(tuple(like.shape)), {"dtype": like.dtype, **settings})

    def randn_like(self, like: Any, **settings: Any) -> Any:
        return self.made(STREAM.standard_normal(tuple(like.shape)), {"dtype": like.dtype, **settings})

    def randint(self, *args: Any, low: int = 0, high: int | None = None, size: Any = None, **settings: Any) -> Any:
        numbers = [a for a in args if isinstance(a, int)]
        shape = size if size is not None else args[len(numbers)]
        if numbers:
            low, high = numbers if len(numbers) == 2 else (low, numbers[0])
        return self.made(STREAM.integers(low, high, tuple(shape)), {"dtype": self.library.int64, **settings})

    def randperm(self, n: int, generator: Any = None, **settings: Any) -> Any:
        """From a generator's own stream: PyTorch's samplers draw one order more than they use in each epoch."""
        stream = STREAM
        if generator is not None:
            _, stream = self.streams.setdefault(id(generator), (generator, np.random.default_rng(len(self.streams))))
        return self.made(stream.permutation(n), {"dtype": self.library.int64, **settings})

    def normal(self, mean: Any = 0.0, std: Any = 1.0, size: Any = None, **settings: Any) -> Any:
        if size is None:
            shape = np.broadcast_shapes(np.shape(mean), np.shape(std))
            return self.floats(STREAM.standard_normal(shape), settings) * std + mean
        return self.floats(STREAM.standard_normal(tuple(size)) * std + mean, settings)

    def bernoulli(self, input: Any, p: float | None = None, **settings: Any) -> Any:
        share = input.detach().numpy() if p is None else p
        return self.made(STREAM.random(tuple(input.shape)) < share, {"dtype": input.dtype, **settings})

    def multinomial(self, input: Any, num_samples: int, replacement: bool = False, **settings: Any) -> Any:
        """By the largest of weights to the power of one over random numbers, or for draws with replacement by their sums."""
        weights = input.detach().numpy().astype(np.float64)
        weights = weights / weights.sum(-1, keepdims=True)
        if replacement or num_samples == 1:
            sums = weights.cumsum(-1)
            draws = STREAM.random((*weights.shape[:-1], num_samples)) * sums[..., -1:]
            drawn = (sums[..., None, :] <= draws[..., None]).sum(-1)
        else:
            with np.errstate(divide="ignore"):
                drawn = np.argsort(np.log(STREAM.random(weights.shape)) / weights, axis=-1)[..., ::-1][..., :num_samples]
        return self.made(drawn.copy(), {"dtype": self.library.int64, **settings})

    def uniform_(self, tensor: Any, a: float = 0.0, b: float = 1.0, **_: Any) -> Any:
        return self.write(tensor, STREAM.uniform(a, b, tuple(tensor.shape)))

    def normal_(self, tensor: Any, mean: float = 0.0, std: float = 1.0, **_: Any) -> Any:
        return self.write(tensor, STREAM.normal(mean, std, tuple(tensor.shape)))

    def bernoulli_(self, tensor: Any, p: float = 0.5, **_: Any) -> Any:
        return self.write(tensor, STREAM.random(tuple(tensor.shape)) < p)

    def write(self, tensor: Any, values: Any) -> Any:
        with self.library.no_grad():
            return tensor.copy_(self.library.tensor(np.asarray(values, dtype=np.float64), dtype=tensor.dtype))

    def dropout(self, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        return self.dropped(input, p, training, tuple(input.shape))

    def dropout2d(self, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        return self.dropped(input, p, training, (*input.shape[:2], 1, 1))

    def dropped(self, input: Any, p: float, training: bool, shape: tuple[int, ...]) -> Any:
        if not training or p == 0:
            return input
        return input * self.made((STREAM.random(shape) >= p) / (1 - p), {"dtype": input.dtype})


def draw_from_one_stream(library: Any) -> None:
    """Put the functions of :class:`Drawing` in the place of the library's, wherever it keeps them."""
    drawing = Drawing(library)
    functional = library.nn.functional
    replaced: dict[Any, Any] = {}
    for name in ("rand", "randn", "rand_like", "randn_like", "randint", "randperm", "normal", "bernoulli", "multinomial"):
        replaced[getattr(library, name)] = getattr(drawing, name)
    for name in ("dropout", "dropout2d"):
        replaced[getattr(functional, name)] = getattr(drawing, name)
    for module in [m for name, m in sys.modules.items() if m and name.partition(".")[0] == library.__name__]:
        for name, value in list(vars(module).items()):
            with contextlib.suppress(TypeError):  # what cannot be hashed is none of them
                if value in replaced and (name, module.__name__.rpartition(".")[0]) != ("randint", "minigrad.utils.data"):
                    setattr(module, name, replaced[value])
    for name in ("uniform_", "normal_", "bernoulli_"):
        setattr(library.Tensor, name, (lambda function: lambda self, *a, **k: function(self, *a, **k))(getattr(drawing, name)))
    library.Tensor.multinomial = lambda self, *a, **k: drawing.multinomial(self, *a, **k)


def compute_in_double(library: Any) -> None:
    """Let `library` take float64 where a program takes float32: rounding, which grows from step to step, stays small."""
    from_numpy = library.from_numpy

    def in_double(array: Any) -> Any:
        return from_numpy(array.astype(np.float64) if array.dtype == np.float32 else array)

    library.set_default_dtype(library.float64)
    library.from_numpy, library.Tensor.float = in_double, library.Tensor.double


def record_losses(library: Any) -> list[float]:
    """The list to which every call of ``backward`` adds the value, or the mean, of what it is called on."""
    losses: list[float] = []
    backward: Callable[..., Any] = library.Tensor.backward

    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        losses.append(float(self.detach().mean()))
        return backward(self, *args, **kwargs)

    library.Tensor.backward = recorded
    return losses


def main() -> None:
    """Run the program as the command line says."""
    name, on, *arguments = sys.argv[1:]
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    library = importlib.import_module(on)
    importlib.import_module(f"{on}.utils.data")  # whose names are replaced too
    if on == "torch":
        source = written_for_torch(source)
    library.set_num_threads(1)
    compute_in_double(library)
    draw_from_one_stream(library)
    losses = record_losses(library)
    sys.path.insert(0, str(FOLDER))
    with tempfile.TemporaryDirectory() as folder:
        for file in FOLDER.glob("[0-9]*.py"):  # all, because programs may import others
            source = file.read_text(encoding="utf-8")
            (Path(folder) / file.name).write_text(written_for_torch(source) if on == "torch" else source, encoding="utf-8")
        sys.path.insert(0, folder)
        program = Path(folder) / f"{name}.py"
        sys.argv = [str(program), *arguments]
        with contextlib.redirect_stdout(io.StringIO()):
            runpy.run_path(str(program), run_name="__main__")
    print(json.dumps(losses))


if __name__ == "__main__":
    main()
