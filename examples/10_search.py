"""10. Search for hyper-parameters: a grid, points at random, and Bayesian search by Optuna, each with as many trials.

Teaches: parts to learn from, to choose by and to be judged by; scales of hyper-parameters; why random points beat a grid.
Source: Bergstra and Bengio (2012), https://jmlr.org/papers/v13/bergstra12a.html; the Bayesian search, by estimators of densities,
is of Bergstra et al. (2011), https://papers.nips.cc/paper/4443-algorithms-for-hyper-parameter-optimization, as Optuna has it,
Akiba et al. (2019), https://doi.org/10.1145/3292500.3330701.
Result: Held-out digits misread with the best of 27 settings, learning from 2000 images (means over seeds, 3): 14.5% by
grid search, 12.2% by random search, 11.9% by bayesian search.
Time: 21 s on one core.
"""

import itertools
from functools import partial

import numpy as np
from common import options, plt, progress, report
from data import mnist_parts

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F

try:
    import optuna
except ModuleNotFoundError:
    raise SystemExit('Bayesian search is Optuna\'s: pip install "minigrad-numpy[examples]"') from None

SPACE = {  # from, to, and whether by orders of magnitude
    "lr": (1e-4, 1.0, True),
    "weight_decay": (1e-6, 1e-1, True),
    "dropout": (0.0, 0.6, False),
}


def setting(place):
    """Hyper-parameters at a place of the unit cube, one coordinate for each."""
    return {name: float(low * (high / low) ** x if log else low + (high - low) * x)
            for (name, (low, high, log)), x in zip(SPACE.items(), place)}


def grid(judge, trials, seed):
    """The middles of equal cells: with 27 trials, three values of each hyper-parameter."""
    side = round(trials ** (1 / len(SPACE)))
    places = itertools.product((np.arange(side) + 0.5) / side, repeat=len(SPACE))
    return [(chosen, judge(**chosen)) for chosen in map(setting, places)]


def random(judge, trials, seed):
    """Each trial has a value of its own of each hyper-parameter."""
    places = np.random.default_rng(seed).random((trials, len(SPACE)))
    return [(chosen, judge(**chosen)) for chosen in map(setting, places)]


def bayesian(judge, trials, seed):
    """After ten points at random, those at which the trials so far make an improvement likely."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    found = []
    for _ in range(trials):
        trial = study.ask()
        chosen = {name: trial.suggest_float(name, low, high, log=log) for name, (low, high, log) in SPACE.items()}
        found.append((chosen, judge(**chosen)))
        study.tell(trial, found[-1][1])
    return found


def train(args, seed, images, labels, lr, weight_decay, dropout):
    torch.manual_seed(seed)  # trials of a search differ in nothing but the hyper-parameters
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 10))
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)
    for _ in range(args.epochs):
        for batch in torch.randperm(len(images)).split(50):
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


@torch.no_grad()
def error(model, images, labels):
    """The share of the images that is misread."""
    model.eval()
    return (model(images).argmax(dim=1) != labels).float().mean().item()


def judge_setting(args, seed, learn, choose, **chosen):
    return error(train(args, seed, *learn, **chosen), *choose)


def draw(found, best):
    """For each search the first run's trials by their learning rate, and how good the best has been after each trial."""
    figure, axes = plt.subplots(2, 2, figsize=(7, 5.6))
    for panel, (name, runs) in zip(axes.flat, found.items()):
        panel.scatter([chosen["lr"] for chosen, _ in runs[0]], [100 * judged for _, judged in runs[0]], s=18, alpha=0.7)
        panel.set(xscale="log", xlim=(8e-5, 1.3), ylim=(0, 100), xlabel="learning rate", ylabel="misread (%)",
                  title=f"{name}: {len(runs[0])} trials")
    for name, errors in best.items():
        axes[1, 1].plot(range(1, errors.shape[1] + 1), 100 * errors.mean(axis=0), label=name)
    axes[1, 1].set(xlabel="trial", ylabel="best so far: misread (%)", yscale="log", title=f"mean of {len(errors)} searches")
    axes[1, 1].yaxis.set_major_formatter("{x:.0f}")
    axes[1, 1].yaxis.set_minor_formatter("{x:.0f}")
    axes[1, 1].legend(frameon=False)
    return figure


def main():
    args = options(__doc__, trials=(27, 8), epochs=(4, 2), images=(4000, 1000), seeds=(3, 1))
    images, labels, *held_out = map(torch.from_numpy, mnist_parts(args, args.images))
    half = len(images) // 2
    learn, choose = (images[:half], labels[:half]), (images[half:], labels[half:])

    found = {search.__name__: [] for search in (grid, random, bayesian)}
    tests = {name: [] for name in found}
    for seed in progress(range(args.seed, args.seed + args.seeds), "seeds"):
        judge = partial(judge_setting, args, seed, learn, choose)
        for search in (grid, random, bayesian):
            trials = search(judge, args.trials, seed)
            found[search.__name__].append(trials)
            chosen, judged = min(trials, key=lambda trial: trial[1])
            # The chosen one is the best of many by the part to choose by, and so flattered there: held-out digits judge it.
            tests[search.__name__].append(judge_setting(args, seed, learn, held_out, **chosen))
            print(f"seed {seed} {search.__name__:<10}", ", ".join(f"{name} {value:.2g}" for name, value in chosen.items()),
                  f"misreads {judged:.1%} of those to choose by, {tests[search.__name__][-1]:.1%} of those held out")

    best = {name: np.minimum.accumulate([[judged for _, judged in trials] for trials in runs], axis=1)
            for name, runs in found.items()}
    draw(found, best).savefig(args.out / "trials.png")
    figures = {name: {"chosen by": float(best[name][:, -1].mean()), "held out": float(np.mean(tests[name]))} for name in found}
    told = ", ".join(f"{values['held out']:.1%} by {name} search" for name, values in figures.items())
    report(args, f"Held-out digits misread with the best of {args.trials} settings, learning from {half} images "
                 f"(means over seeds, {args.seeds}): {told}.", picture="trials.png", **figures)


if __name__ == "__main__":
    main()
