"""Asks cuDNN itself for plans where there is no GPU, for GPUs that are only described to it.

``python -m tests.cudnn_plans`` reads geometries (:class:`minigrad._arrays.cudnn.Geometry`), one as a JSON list on each line, and
writes those for which cuDNN refuses the shapes, or has no plan on one of the GPUs. It is run by :func:`refused`, with the
driver's library replaced by one that has the functions cuDNN is linked with, and does nothing. cuDNN checks the shapes, proposes
plans and builds them; only what they compute is not seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterable

from minigrad._arrays import cudnn
from tests import host_kernels

LINKED = ("cuGetErrorString", "cuModuleGetFunction", "cuModuleLoadData", "cuModuleUnload", "cuTensorMapEncodeIm2col",
          "cuTensorMapEncodeTiled")
NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE
COMMON = {
    "cudaDeviceId": 0, "driverVer": 13000, "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64],
    "regsPerBlock": 65536, "warpSize": 32, "maxSharedMemoryPerBlock": 49152, "reservedSharedMemoryPerBlock": 1024,
    "maxRegistersPerSM": 65536, "pciDeviceId": 0, "maxThreadsPerBlock": 1024, "isTccDriver": 0, "supportCoopLaunch": 1,
    "oversizedSharedMemoryPerBlock": 0, "smCountOrigin": 0, "memClockRateKHz": 1593000, "smClockRateKHz": 1410000}
GPUS = [  # with the tensor cores of three generations; those of the first know no TF32
    {"deviceName": "Tesla T4", "deviceVer": 750, "multiProcessorCount": 40, "maxSharedMemoryPerBlockOptin": 65536,
     "totalGlobalMem": 16 << 30, "memoryBusWidth": 256, "l2CacheSize": 4 << 20, "maxCtasPerSM": 16, "maxThreadsPerSM": 1024},
    {"deviceName": "NVIDIA A100-SXM4-80GB", "deviceVer": 800, "multiProcessorCount": 108, "maxSharedMemoryPerBlockOptin": 166912,
     "totalGlobalMem": 80 << 30, "memoryBusWidth": 5120, "l2CacheSize": 40 << 20, "maxCtasPerSM": 32, "maxThreadsPerSM": 2048},
    {"deviceName": "NVIDIA H100 80GB HBM3", "deviceVer": 900, "multiProcessorCount": 132, "maxSharedMemoryPerBlockOptin": 232448,
     "totalGlobalMem": 80 << 30, "memoryBusWidth": 5120, "l2CacheSize": 50 << 20, "maxCtasPerSM": 32, "maxThreadsPerSM": 2048}]


def refused(geometries: Iterable[Any], folder: Path) -> list[str]:
    """What cuDNN says no to, in a process of its own; `folder` is for the library that replaces the driver's."""
    functions = "\n".join(f"int {name}(void) {{ return {NO_DEVICE}; }}" for name in LINKED)
    source, driver = folder / "driver.cpp", folder / "libcuda.so.1"
    source.write_text(f'extern "C" {{\n{functions}\n}}\n')
    subprocess.run([str(host_kernels.COMPILER), "-shared", "-fPIC", "-o", str(driver), str(source)], check=True)
    lines = "\n".join(json.dumps(geometry) for geometry in geometries)
    found = os.environ.get("LD_LIBRARY_PATH")
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{folder}:{found}" if found else str(folder)}
    done = subprocess.run([sys.executable, "-m", "tests.cudnn_plans"], input=lines, capture_output=True, text=True,
                          env=environment, cwd=Path(__file__).parents[1])
    assert not done.returncode, done.stderr[-2000:]
    return done.stdout.splitlines()


def session(gpu: dict[str, Any]) -> cudnn.Session:
    """A session that plans for the GPU described, and cannot execute."""
    import cudnn as package

    described = package.create_device_properties(json.dumps({**COMMON, **gpu}))
    module: Any = SimpleNamespace(**{name: getattr(package, name) for name in (
        "data_type", "heur_mode", "numerical_note", "cudnnGraphNotSupportedError")})
    module.create_handle = lambda: None
    module.pygraph = lambda handle, **options: package.pygraph(device_property=described, **options)
    return cudnn.Session(module, None)


def main() -> None:
    geometries = [cudnn.Geometry(*[tuple(v) if isinstance(v, list) else v for v in json.loads(line)]) for line in sys.stdin]
    for gpu in GPUS:
        planning = session(gpu)
        for allow_tf32, deterministic in ((True, False), (False, True)):
            cudnn.switches.allow_tf32, cudnn.switches.deterministic = allow_tf32, deterministic
            for geometry in geometries:
                try:
                    answer = None if planning.plan(geometry) else "no plan"
                except RuntimeError as error:
                    answer = str(error)
                if answer:
                    print(f"{gpu['deviceName']}: {geometry}: {answer}")


if __name__ == "__main__":
    main()
