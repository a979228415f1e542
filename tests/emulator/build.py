"""Building the emulator: the shared library under all of NVIDIA's names, and the one module of CuPy that must be built anew."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
from importlib import metadata, util
from pathlib import Path
from typing import Iterable

__all__ = ["build", "environment"]

HERE = Path(__file__).parent
INDEX = "https://pypi.org/simple/cupy/"
SOURCES = ("runtime.cpp", "blas.cpp", "solver.cpp", "fourier.cpp")
# The names under which CuPy looks for NVIDIA's libraries; all are one here.
NAMES = ("libcuda.so.1", "libcudart.so.13", "libnvrtc.so.13", "libcublas.so.13", "libcublasLt.so.13", "libcusolver.so.12",
         "libcusparse.so.12", "libcurand.so.10", "libcufft.so.12", "libnvJitLink.so.13")
USERS = ("cupy_backends/cuda/libs/cublas", "cupy_backends/cuda/libs/cusolver", "cupy_backends/cuda/libs/curand",
         "cupy_backends/cuda/libs/cusparse", "cupy/cuda/cufft")
# -fno-gnu-unique: two kernels may define a function of one name, each has its own.
KERNEL_OPTIONS = ("-std=c++17", "-O1", "-fPIC", "-w", "-fpermissive", "-fno-gnu-unique")


def run(*command: object) -> str:
    """What `command` prints; ends the program with its errors if it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(str(part) for part in command)}\n{done.stdout[-2000:]}{done.stderr[-6000:]}")
    return done.stdout


def cuda_headers() -> Path:
    """The folder of CUDA's headers. Ends the program where there is none."""
    places = [Path(os.environ[name]) / "include" for name in ("CUDA_PATH", "CUDA_HOME") if name in os.environ]
    places += [Path("/usr/local/cuda/include"), Path(sysconfig.get_paths()["purelib"]) / "nvidia/cu13/include"]
    found = next((place for place in places if (place / "cuda.h").exists()), None)
    if found is None:
        sys.exit("the emulator needs CUDA's headers, which are not here: set CUDA_PATH, or pip install nvidia-cuda-runtime "
                 "nvidia-cuda-crt nvidia-cuda-cccl nvidia-cuda-profiler-api")
    return found


def cupy_folder() -> Path:
    """Where the packages ``cupy`` and ``cupy_backends`` are installed. Ends the program where they are not."""
    spec = util.find_spec("cupy")
    if spec is None or spec.origin is None:
        sys.exit("the emulator runs CuPy's wheel, which is not installed here: pip install cupy-cuda13x")
    return Path(spec.origin).parent.parent


def cupy_source(folder: Path) -> Path:
    """The source of the installed version of CuPy, from PyPI."""
    name = f"cupy-{metadata.version('cupy-cuda13x')}"
    if not (folder / name).exists():
        with urllib.request.urlopen(INDEX) as page:
            links = re.findall(r'href="([^"#]+)', page.read().decode())
        archive = folder / f"{name}.tar.gz"
        urllib.request.urlretrieve(next(link for link in links if link.endswith(archive.name)), archive)
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return folder / name


def undefined(libraries: Iterable[Path], *options: str) -> set[str]:
    """The functions of NVIDIA's that these libraries take from elsewhere."""
    lines = [line for library in libraries for line in run("nm", "-u", *options, library).splitlines()]
    names = {line.split()[-1].split("@")[0] for line in lines}
    return {name for name in names if re.match("cu(da|blas|solver|rand|sparse|fft)?[A-Z]", name)}


def defined(library: Path) -> set[str]:
    return {line.split()[2] for line in run("nm", "--defined-only", library).splitlines() if line.split()[1] == "T"}


def build_runtime_module(folder: Path, headers: Path) -> Path:
    """The object file of CuPy's module that calls NVIDIA's runtime."""
    source = cupy_source(folder)
    module = "cupy_backends/cuda/api/runtime"
    versions = {"CUPY_CUDA_VERSION": 13000, "CUPY_HIP_VERSION": 0, "CUPY_CUFFT_STATIC": 0, "CUPY_USE_CUDA_PYTHON": 0}
    options = [f"-E{name}={value}" for name, value in versions.items()]
    run(sys.executable, "-m", "cython", "-3", "--cplus", *options, "-w", source, f"{module}.pyx")
    made = folder / "module.o"
    run("g++", "-O1", "-fPIC", "-w", "-c", f"-I{headers}", f"-I{sysconfig.get_paths()['include']}", f"-I{source}",
        source / f"{module}.cpp", "-o", made)
    return made


def build(folder: Path) -> None:
    """Build what is missing in `folder`, or older than its source. Needs g++, LAPACK, Cython and CUDA's headers."""
    library = folder / "lib" / "libemulator.so"
    newest = max((HERE / name).stat().st_mtime for name in (*SOURCES, "counts.h", "simt.h", "prelude.h"))
    if library.exists() and library.stat().st_mtime > newest:
        return
    (folder / "lib").mkdir(parents=True, exist_ok=True)
    headers = cuda_headers()
    module = build_runtime_module(folder, headers)
    objects = []
    for name in SOURCES:
        objects.append(folder / name.replace(".cpp", ".o"))
        run("g++", "-std=c++17", "-O2", "-fPIC", "-Wall", "-c", f"-I{headers}", HERE / name, "-o", objects[-1])
    users = [next((cupy_folder() / user).parent.glob(f"{Path(user).name}.*.so")) for user in USERS]
    refused = (undefined([module]) | undefined(users, "-D")) - set().union(*[defined(made) for made in objects])
    refusals = folder / "refusals.cpp"  # 801: cudaErrorNotSupported
    refusals.write_text("".join(f'extern "C" int {name}() {{ return 801; }}\n' for name in sorted(refused)))
    run("g++", "-shared", "-fPIC", *objects, refusals, "-o", library, "-llapack", "-lblas", "-ldl", "-lpthread")
    for name in NAMES:
        link = library.with_name(name)
        link.unlink(missing_ok=True)
        link.symlink_to(library.name)
    run("g++", "-shared", module, library, "-o", folder / "runtime.so")
    prelude = (HERE / "simt.h").read_text() + (HERE / "prelude.h").read_text()
    if not (folder / "prelude.txt").exists() or (folder / "prelude.txt").read_text() != prelude:
        shutil.copy(HERE / "prelude.h", folder)
        run(*compiler(headers), "-x", "c++-header", folder / "prelude.h", "-o", folder / "prelude.h.gch")
        shutil.rmtree(folder / "kernels", ignore_errors=True)  # compiled with another
        (folder / "prelude.txt").write_text(prelude)


def compiler(headers: Path) -> list[str]:
    """The command that compiles a kernel's source."""
    include = cupy_folder() / "cupy/_core/include"
    inner = [include / "cupy/_cccl" / name for name in ("libcudacxx", "thrust", "cub")]
    return ["g++", *KERNEL_OPTIONS, *[f"-I{place}" for place in (HERE, headers, *inner, include)]]


def environment(folder: Path, devices: int) -> dict[str, str]:
    """The environment variables of a process that is to run on the emulator in `folder`."""
    path = os.pathsep.join([str(folder / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
    return {**os.environ, "EMULATOR": str(folder), "EMULATOR_DEVICES": str(devices), "LD_LIBRARY_PATH": path,
            "MINIGRAD_GPUS": "cupy" if devices >= 3 else "",
            "CUPY_CACHE_DIR": str(folder / "kernels"), "CUPY_ACCELERATORS": "", "CUDA_PATH": str(cuda_headers().parent),
            "EMULATOR_COMPILER": shlex.join([*compiler(cuda_headers()), "-include", str(folder / "prelude.h")])}
