"""The time of a step against the number of processes: what is computed, what is exchanged, and how the two overlap.

Gradients are averaged by a ring: each of P processes sends its neighbour 2 (P - 1) pieces of n / P bytes, each of which takes the
network's latency and its bytes over its bandwidth (Patarasuk and Yuan, Bandwidth optimal all-reduce algorithms for clusters of
workstations, 2009). Buckets are exchanged one after the other, each when the last process has computed its gradients.
"""

from __future__ import annotations

from typing import Any, Iterable, NamedTuple

import numpy as np

FIRST_BUCKET = 1 << 20  # bytes, at which the first bucket is full at the latest


class Network(NamedTuple):
    """A network: what a message costs, in seconds, and how many bytes a second it carries between two neighbours."""

    latency: float
    bandwidth: float

    def all_reduce(self, processes: int, size: float) -> float:
        """The seconds of a ring over so many bytes."""
        return 2 * (processes - 1) * (self.latency + size / processes / self.bandwidth)


class Work(NamedTuple):
    """What one process computes in a step, in seconds, and the bytes of the gradients that come of it."""

    forward: float
    backward: tuple[float, ...]  # of each layer, from the last to the first
    sizes: tuple[int, ...]  # in bytes, of the gradients of each
    update: float


def fit_network(measured: Iterable[tuple[int, int, float]]) -> Network:
    """The network that explains best, in relative terms, how long rings took: (processes, bytes, seconds) each."""
    rows, ones = [], []
    for processes, size, seconds in measured:
        rows.append([2 * (processes - 1) / seconds, 2 * (processes - 1) * size / processes / seconds])
        ones.append(1.0)
    (latency, per_byte), *_ = np.linalg.lstsq(np.array(rows), np.array(ones), rcond=None)
    return Network(max(float(latency), 0.0), 1 / max(float(per_byte), 1e-15))


def buckets_of(work: Work, cap: float) -> list[tuple[float, int]]:
    """For each bucket, of about `cap` bytes, the seconds after the forward at which its gradients are there, and its bytes."""
    found: list[tuple[float, int]] = []
    elapsed, size = 0.0, 0
    for seconds, gradients in zip(work.backward, work.sizes):
        elapsed, size = elapsed + seconds, size + gradients
        if size >= (min(FIRST_BUCKET, cap) if not found else cap):
            found.append((elapsed, size))
            size = 0
    if size:
        found.append((elapsed, size))
    return found


def step_seconds(work: Work, network: Network, processes: int, *, cap: float = 25 << 20, slowdown: float = 1.0,
                 spread: float = 0.0, overlap: bool = True, steps: int = 1, seed: int = 0) -> float:
    """The mean time of a step.

    Args:
        cap: the bytes of a bucket.
        slowdown: how many times as long each process computes, because processes share processors.
        spread: how uneven processes are: each step of each takes a time that is log-normal around the usual one, with this
            standard deviation of its logarithm.
        overlap: exchange buckets while others are computed; False: after the backward pass.
        steps: how many are simulated.
    """
    dice = np.random.default_rng(seed)
    buckets, total = buckets_of(work, cap), 0.0
    for _ in range(steps):
        pace = slowdown * float(np.exp(spread * dice.standard_normal(processes)).max())  # all wait for the slowest
        computed = pace * (work.forward + sum(work.backward))
        if processes == 1:
            total += computed + pace * work.update
            continue
        exchanged = 0.0
        for ready, size in buckets:
            begins = pace * (work.forward + ready) if overlap else computed
            exchanged = max(exchanged, begins) + network.all_reduce(processes, size)
        total += max(computed, exchanged) + slowdown * work.update
    return total / steps


def predict(work: Work, network: Network, measured: Iterable[dict[str, Any]], processors: int) -> list[float]:
    """The seconds of a step for each of the measured settings, where `processors` are shared."""
    return [step_seconds(work, network, m["processes"], cap=m["cap"], slowdown=max(1.0, m["processes"] / processors))
            for m in measured]
