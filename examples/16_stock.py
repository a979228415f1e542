"""16. Stock price: does an LSTM know tomorrow's price better than whoever says that tomorrow is today?

Teaches: windows of a time series, `nn.LSTM`, a split in time, early stopping, and to ask what the simplest forecast does.
Source: Fama (1970), https://doi.org/10.2307/2325486, is on why there is little to find; the prices are Google's, 2012 to 2016.
Result: On the last 252 days, held out, whoever says that tomorrow is today is off by 7.16 dollars, an LSTM of returns
by 7.33 and one of prices by 45.05. The gain of -0.17 ± 0.11 is no more than chance: whether the price rises, which it
does on 51% of the days, it knows on 49%.
Time: 2 s on one core.
"""

import copy
import csv

import data
import numpy as np
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F


def read_prices(root, name, download):
    """A table of daily prices by title: Open, High, Low and Close in dollars."""
    found = data.datasets.published.search(name, root)
    if found is None:
        raise FileNotFoundError(f"{name} is not in {root} or below it. Daily prices are published at https://www.nasdaq.com and "
                                "https://stooq.com; any table of them serves whose first line is Date,Open,High,Low,Close,Volume "
                                "and whose first day is the oldest: put it there, and name it by --table")
    with open(found, encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    return {title: np.array([float(row[title].replace(",", "")) for row in rows]) for title in ("Open", "High", "Low", "Close")}


def made_up(days=600, seed=0):
    """A random walk, in which there is nothing to find."""
    opening = 300 * np.exp(np.random.default_rng(seed).normal(0, 0.015, days).cumsum())
    return {"Open": opening, "High": opening * 1.01, "Low": opening * 0.99, "Close": opening}


class Forecast(nn.Module):
    """Says the next number of a series from those before it."""

    def __init__(self, size):
        super().__init__()
        self.lstm, self.read = nn.LSTM(1, size, batch_first=True), nn.Linear(size, 1)

    def forward(self, x):
        states, _ = self.lstm(x.unsqueeze(2))
        return self.read(states[:, -1]).squeeze(1)


def learn(series, known, args, title):
    """What a network says of each number of the series but the first `window`, having learnt from those before `known`.

    It learns from four fifths of these, and of its states after each epoch the one that says the last fifth best is kept.
    """
    series = torch.from_numpy(series.astype(np.float32))
    mean, deviation = series[:known].mean(), series[:known].std()
    series = (series - mean) / deviation
    x, wanted = series[:-1].unfold(0, args.window, 1), series[args.window:]
    learnt, judged = torch.arange(known - args.window).split(int(0.8 * (known - args.window)))
    model, best = Forecast(args.hidden), np.inf
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    for _epoch in (bar := progress(range(args.epochs), title)):
        for rows in learnt[torch.randperm(len(learnt))].split(32):
            loss = F.mse_loss(model(x[rows]), wanted[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            error = F.mse_loss(model(x[judged]), wanted[judged]).item()
        bar.set_postfix(error=error)
        if error < best:
            best, kept = error, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    with torch.no_grad():
        return (model(x) * deviation + mean).numpy()


def draw(args, true, said, errors, days=60):
    """The last days held out, and the mean errors."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.4), width_ratios=(3, 2))
    time = range(len(true) - days + 1, len(true) + 1)
    left.plot(time, true[-days:], color="0.3", lw=2, label="truth")
    for (name, forecast), color in zip(said.items(), ("0.6", "tab:blue", "tab:orange")):
        if name != "tomorrow is today":
            left.plot(time, forecast[-days:], color=color, lw=1, label=name)
    left.set(xlabel="trading day held out", ylabel="price at the opening (dollars)")
    left.legend(frameon=False, fontsize=8)
    right.barh(list(errors), list(errors.values()), color=("0.6", "tab:blue", "tab:orange"))
    right.invert_yaxis()
    right.set(xlabel="mean error (dollars)")
    figure.savefig(args.out / "forecasts.png")


def main():
    args = options(__doc__, epochs=(30, 8), window=20, hidden=32, lr=0.003, table="google-daily-2012-2016.csv")
    torch.manual_seed(args.seed)
    table = data.read(args, "Stock prices", read_prices, args.table, instead=made_up, what="a random walk")
    outside = (table["Close"] < table["Low"] * 0.99) | (table["Close"] > table["High"] * 1.01)
    if outside.any():  # Google's shares were split in 2014: the table halves what was before, but not the closing prices
        print(f"on {outside.sum()} days of {len(outside)} the closing price is not between the day's lowest and highest: "
              "we take the opening price")
    price = table["Open"]
    known = int(len(price) * 0.8)  # what comes later is held out
    today, true = price[known - 1:-1], price[known:]

    returns = np.log(price[1:] / price[:-1])
    said = {"tomorrow is today": today,
            "LSTM of returns": today * np.exp(learn(returns, known - 1, args, "returns")[-len(true):]),
            "LSTM of prices": learn(price, known, args, "prices")[-len(true):]}
    errors = {name: float(np.abs(forecast - true).mean()) for name, forecast in said.items()}
    for name, error in errors.items():
        print(f"{name}: off by {error:.2f} dollars")
    gains = np.abs(today - true) - np.abs(said["LSTM of returns"] - true)
    gain, doubt = gains.mean(), gains.std() / np.sqrt(len(gains))
    direction, rises = ((said["LSTM of returns"] > today) == (true > today)).mean(), (true > today).mean()
    draw(args, true, said, errors)
    simple, of_returns, of_prices = errors.values()
    report(args, f"On the last {len(true)} days, held out, whoever says that tomorrow is today is off by {simple:.2f} dollars, "
                 f"an LSTM of returns by {of_returns:.2f} and one of prices by {of_prices:.2f}. The gain of {gain:.2f} "
                 f"± {doubt:.2f} is {'more' if gain > 2 * doubt else 'no more'} than chance: whether the price rises, which it "
                 f"does on {rises:.0%} of the days, it knows on {direction:.0%}.",
           picture="forecasts.png", today=simple, returns=of_returns, prices=of_prices, gain=float(gain), doubt=float(doubt),
           direction=float(direction), rises=float(rises))


if __name__ == "__main__":
    main()
