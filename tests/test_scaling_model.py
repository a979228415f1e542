"""The model of a step in many processes: its limits, which are known, and that the document says what was measured."""

from __future__ import annotations

import json

import pytest

from benchmarks.scaling import __main__ as command
from benchmarks.scaling.model import Network, Work, buckets_of, fit_network, predict, step_seconds

WORK = Work(0.010, (0.004, 0.008, 0.006), (2 << 20, 8 << 20, 1 << 20), 0.002)
COMPUTED = 0.010 + 0.018 + 0.002
FREE, SLOW = Network(0.0, 1e30), Network(1e-5, 1e9)


def test_a_ring_sends_each_byte_nearly_twice() -> None:
    assert Network(0.0, 1e9).all_reduce(4, 1e9) == pytest.approx(2 * 3 / 4)
    assert Network(1e-3, 1e30).all_reduce(4, 1e9) == pytest.approx(6e-3)
    assert SLOW.all_reduce(1, 1e9) == 0


def test_a_network_is_found_again_from_its_rings() -> None:
    rings = [(p, n, SLOW.all_reduce(p, n)) for p in (2, 4, 8) for n in (1 << 10, 1 << 16, 1 << 22)]
    assert fit_network(rings) == pytest.approx(SLOW)


def test_buckets_hold_every_gradient_once_in_the_order_in_which_they_come() -> None:
    for cap in (1 << 18, 4 << 20, 25 << 20):
        buckets = buckets_of(WORK, cap)
        assert sum(size for _, size in buckets) == sum(WORK.sizes)
        assert [ready for ready, _ in buckets] == sorted(ready for ready, _ in buckets)
        assert buckets[-1][0] == pytest.approx(0.018)
    assert [size >> 20 for _, size in buckets_of(WORK, 25 << 20)] == [2, 9]


def test_the_limits_are_those_that_are_known() -> None:
    assert step_seconds(WORK, SLOW, 1) == step_seconds(WORK, FREE, 64) == pytest.approx(COMPUTED)
    exchange = sum(SLOW.all_reduce(4, size) for _, size in buckets_of(WORK, 25 << 20))
    apart = step_seconds(WORK, SLOW, 4, overlap=False)
    assert apart == pytest.approx(COMPUTED + exchange)
    together = step_seconds(WORK, SLOW, 4)
    assert max(COMPUTED, exchange) < together < apart
    assert step_seconds(WORK, SLOW, 4, slowdown=2) == pytest.approx(together + COMPUTED, rel=0.2)
    # Of the last bucket nothing can be hidden.
    assert together >= 0.010 + 0.018 + SLOW.all_reduce(4, buckets_of(WORK, 25 << 20)[-1][1])


def test_more_processes_wait_longer_for_the_slowest() -> None:
    times = [step_seconds(WORK, FREE, count, spread=0.1, steps=200) for count in (1, 8, 64, 4096)]
    assert times == sorted(times) and times[0] == pytest.approx(COMPUTED, rel=0.03)
    # The greatest of 4096 log-normal numbers is near exp(0.1 * 3.7).
    assert times[-1] - 0.002 == pytest.approx(0.028 * 2.718 ** 0.37, rel=0.05)
    assert predict(WORK, SLOW, [{"processes": 4, "cap": 25 << 20}], 2) == [step_seconds(WORK, SLOW, 4, slowdown=2)]


def test_the_document_has_the_figures_of_the_last_run() -> None:
    results = json.loads(command.RESULTS.read_text(encoding="utf-8"))
    document = command.DOCUMENT.read_text(encoding="utf-8")
    assert command.filled(document, results) == document
    counted = [(m["processes"], m["cap"]) for m in results["steps"]]
    assert counted == [(1, 25 << 20), (2, 25 << 20), (2, 1 << 19), (4, 25 << 20), (4, 1 << 19)]
