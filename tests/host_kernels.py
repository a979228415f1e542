"""CUDA sources run on the processor: compiled by the host's C++ compiler, a block of threads as that many real threads.

:class:`ElementwiseKernel` and :class:`RawKernel` take the arguments of CuPy's and NumPy arrays. What they show is that the
kernels' arithmetic, indices and synchronization are right; not that NVIDIA's compiler takes them, which nvcc tells.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

COMPILER = shutil.which("g++") or shutil.which("clang++")
HOST = """
#include <cmath>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>
#include <barrier>
using std::erfc; using std::exp; using std::log; using std::sqrt;
#define __global__
#define __device__ static
#define __shared__ static
struct Place { long long x; };
static thread_local Place threadIdx;
static Place blockIdx, blockDim;
static std::unique_ptr<std::barrier<>> wall;
static void __syncthreads() { wall->arrive_and_wait(); }
template <class T> static void atomicAdd(T* at, T value) { *at += value; }
template <class F> static void launch(long long blocks, long long threads, F body) {
    blockDim.x = threads;
    wall = std::make_unique<std::barrier<>>(threads);
    for (long long b = 0; b < blocks; ++b) {
        blockIdx.x = b;
        if (threads == 1) { threadIdx.x = 0; body(); continue; }
        std::vector<std::thread> all;
        for (long long t = 0; t < threads; ++t) all.emplace_back([&, t] { threadIdx.x = t; body(); });
        for (auto& one : all) one.join();
    }
}
"""
TYPES = {"float32": "float", "float64": "double", "int64": "long long", "bool": "bool"}


@functools.cache
def library(source: str) -> ctypes.CDLL:
    """The shared library of C++ `source`, kept among the temporary files for the next process."""
    assert COMPILER is not None
    folder = Path(tempfile.gettempdir()) / f"minigrad_kernels_{os.getuid() if hasattr(os, 'getuid') else 0}"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder / (hashlib.sha256(source.encode()).hexdigest()[:24] + ".so")
    if not made.exists():
        with tempfile.TemporaryDirectory(dir=folder) as work:
            code, built = Path(work) / "kernel.cpp", Path(work) / "kernel.so"
            code.write_text(source)
            done = subprocess.run([COMPILER, "-std=c++20", "-O1", "-ffp-contract=off", "-pthread", "-shared", "-fPIC", "-o",
                                   str(built), str(code)], capture_output=True, text=True)
            assert not done.returncode, done.stderr
            built.replace(made)
    return ctypes.CDLL(str(made))


class Parameter:
    """One of CuPy's parameters: ``"raw T x"``."""

    def __init__(self, text: str) -> None:
        *words, self.type, self.name = text.split()
        self.raw = words == ["raw"]

    def dtype(self, t: str) -> str:
        return t if self.type == "T" else self.type

    def c_type(self, t: str) -> str:
        return TYPES[self.dtype(t)]


def parameters(text: str) -> list[Parameter]:
    return [Parameter(part) for part in text.split(",")]


def elementwise_body(inputs: list[Parameter], outputs: list[Parameter], body: str, t: str) -> str:
    """`body` with the names it uses, for the element `i` of arrays that are called ``_name``; C++ and CUDA alike."""
    names = [f"const {p.c_type(t)} {p.name} = _{p.name}[i];" for p in inputs if not p.raw]
    names += [f"{p.c_type(t)}& {p.name} = _{p.name}[i];" for p in outputs if not p.raw]
    names += [f"{p.c_type(t)}* {p.name} = _{p.name};" for p in inputs + outputs if p.raw]
    return f"typedef {TYPES[t]} T;\n" + "\n".join(names) + "\n" + body


class ElementwiseKernel:
    """As ``cupy.ElementwiseKernel``, for NumPy arrays; all outputs must be given."""

    def __init__(self, in_params: str, out_params: str, operation: str, name: str = "kernel") -> None:
        self.inputs, self.outputs, self.body, self.name = parameters(in_params), parameters(out_params), operation, name

    def __call__(self, *args: Any) -> None:
        every = self.inputs + self.outputs
        assert len(args) == len(every), f"{self.name} takes {len(every)} arguments"
        t = {a.dtype.name for a, p in zip(args, every) if isinstance(a, np.ndarray) and p.type == "T"}
        assert len(t) == 1, f"{self.name}: T is {t}"
        found = t.pop()
        for a, p in zip(args, every):
            assert not isinstance(a, np.ndarray) or a.dtype.name == p.dtype(found), f"{self.name}: {p.name} is {a.dtype}"
        shape = np.broadcast_shapes(*[np.shape(a) for a, p in zip(args, every) if not p.raw])
        arrays = [np.array(a if p.raw else np.broadcast_to(a, shape), dtype=p.dtype(found), order="C")
                  for a, p in zip(args, every)]
        signature = ", ".join(f"{p.c_type(found)}* _{p.name}" for p in every)
        source = (f"{HOST}\nextern \"C\" void run(long long size, {signature}) {{\nfor (long long i = 0; i < size; ++i) {{\n"
                  f"{elementwise_body(self.inputs, self.outputs, self.body, found)}\n}} }}\n")
        library(source).run(ctypes.c_longlong(int(np.prod(shape))), *[ctypes.c_void_p(a.ctypes.data) for a in arrays])
        for a, made in list(zip(args, arrays))[len(self.inputs):]:
            a[...] = made


class RawKernel:
    """As ``cupy.RawKernel``, for contiguous NumPy arrays; integers are ``long long`` and floats ``double``, as there."""

    threads: int | None = 1  # real threads for those of a block; None: as many as asked for

    def __init__(self, code: str, name: str) -> None:
        self.code, self.name = code, name
        found = re.search(rf"void {name}\((.*?)\)", code, re.S)
        assert found is not None
        self.types = [p.strip().rsplit(" ", 1)[0] for p in found[1].split(",")]

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
        assert len(args) == len(self.types), f"{self.name} takes {len(self.types)} arguments"
        passed: list[Any] = []
        for a, type_ in zip(args, self.types):
            if isinstance(a, np.ndarray):
                assert type_.endswith("*") and a.flags.c_contiguous, f"{self.name}: {type_} of an array that is not contiguous"
                passed.append(ctypes.c_void_p(a.ctypes.data))
            else:
                assert type_ == {int: "long long", float: "double"}[type(a)], f"{self.name}: a {type(a).__name__} for {type_}"
                passed.append(ctypes.c_longlong(a) if isinstance(a, int) else ctypes.c_double(a))
        names = [f"a{k}" for k in range(len(args))]
        signature = ", ".join(f"{type_} {name}" for type_, name in zip(self.types, names))
        source = (f"{HOST}\n{self.code}\nextern \"C\" void run(long long blocks, long long threads, {signature}) {{\n"
                  f"launch(blocks, threads, [&] {{ {self.name}({', '.join(names)}); }}); }}\n")
        library(source).run(ctypes.c_longlong(grid[0]), ctypes.c_longlong(self.threads or block[0]), *passed)
