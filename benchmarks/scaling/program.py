"""What each process of a measurement runs: rings of several sizes, and steps of a perceptron. The first prints what it took, as
JSON."""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any, Callable

import minigrad as mg
from minigrad import distributed, nn, optim
from minigrad.profiler import profile

WIDTHS = (784, 1024, 1024, 1024, 10)
BATCH = 64
CAPS = (25 << 20, 1 << 19)  # bytes of a bucket
SIZES = (1 << 12, 1 << 16, 1 << 20, 1 << 23)  # bytes of a ring


def model_of() -> nn.Sequential:
    layers: list[nn.Module] = []
    for n, m in zip(WIDTHS, WIDTHS[1:]):
        layers += [nn.Linear(n, m), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def median_seconds(action: Callable[[], Any], times: int) -> float:
    """The median time of `action`, which all processes begin together."""
    found = []
    for _ in range(times):
        distributed.barrier()
        start = time.perf_counter()
        action()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def main(times: int) -> None:
    distributed.init_process_group()
    processes = distributed.get_world_size()
    mg.manual_seed(0)
    found: dict[str, Any] = {"rings": [], "steps": []}
    for size in SIZES if processes > 1 else ():
        gradients = mg.ones(size // 4)
        found["rings"].append((processes, size, median_seconds(lambda t=gradients: distributed.all_reduce(t), times)))
    x, y = mg.randn(BATCH, WIDTHS[0]), mg.randint(0, WIDTHS[-1], (BATCH,))
    for cap in CAPS if processes > 1 else CAPS[:1]:
        model = nn.parallel.DistributedDataParallel(model_of(), bucket_cap_mb=cap / (1 << 20))
        optimizer = optim.SGD(model.parameters(), lr=0.01)

        def step(model: Any = model, optimizer: Any = optimizer) -> None:
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        step()
        found["steps"].append({"processes": processes, "cap": cap, "seconds": median_seconds(step, times)})
    if processes == 1:
        with profile() as prof:
            for _ in range(times):
                step()
        events = prof.events()
        linear = {average.key: average for average in prof.by_module() if average.flops or average.backward_time_total}
        layers = [k for k, layer in enumerate(model.module) if isinstance(layer, nn.Linear)][::-1]
        every = [average for key, average in linear.items() if key.count(".") == 2]
        update = sum(e.cpu_time_total for e in events if e.name.startswith("Optimizer.step"))
        found["work"] = {
            "forward": sum(average.forward_time_total for average in every) / times / 1e6,
            "backward": [sum(average.backward_time_total for average in every
                             if average.key.split(".")[-1] in (str(k), str(k + 1))) / times / 1e6 for k in layers],
            "sizes": [sum(p.nbytes for p in model.module[k].parameters()) for k in layers],
            "update": update / times / 1e6}
    if distributed.get_rank() == 0:
        print(json.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]))
