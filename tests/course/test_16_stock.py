"""The LSTM of the course that is to know tomorrow's price."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

from tests.course.conftest import FOLDER, Run


def test_quick(run: Run) -> None:
    done = run("16_stock")
    assert "takes a random walk" in done.out
    assert done.figures["returns"] == pytest.approx(done.figures["today"], rel=0.05), "there is nothing to know"
    assert "no more than chance" in done.result
    assert done.figures["prices"] > 1.1 * done.figures["today"]


def test_it_finds_what_can_be_known(run: Run, tmp_path: Path) -> None:
    """Returns that alternate; in a table whose closing prices are of before a split."""
    returns = 0.01 * (-1.0) ** np.arange(400) + 0.002 * np.random.default_rng(0).normal(size=400)
    lines = ["Date,Open,High,Low,Close,Volume"]
    lines += [f'1/1/12,{price},{price},{price},"{2 * price + 1000:,.2f}",1' for price in 300 * np.exp(returns.cumsum())]
    (tmp_path / "prices.csv").write_text("\n".join(lines), encoding="ascii")
    done = run("16_stock", "--data", str(tmp_path), "--table", "prices.csv")
    assert "on 400 days of 400 the closing price" in done.out
    assert done.figures["returns"] < done.figures["today"] / 2
    assert done.figures["direction"] > 0.9 and "is more than chance" in done.result



def test_it_says_where_prices_are_published(run: Run, tmp_path: Path) -> None:
    program = runpy.run_path(str(FOLDER / "16_stock.py"))
    with pytest.raises(FileNotFoundError, match=r"mine.csv is not in .* published at .*Date,Open,High,Low,Close,Volume"):
        program["read_prices"](str(tmp_path), "mine.csv", False)


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("16_stock")
    assert figures["returns"] == pytest.approx(figures["today"], rel=0.05)
    assert abs(figures["gain"]) < 2 * figures["doubt"], "what is reported as no more than chance"
