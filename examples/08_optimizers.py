"""8. Optimizers: their paths down a narrow bowl, a race through a curved valley, and how fast they learn digits.

Teaches: `torch.optim`, a closure for L-BFGS, learning rates in `param_groups`, schedulers, Adam first and SGD after.
Source: momentum of Polyak (1964), https://doi.org/10.1016/0041-5553(64)90137-5; AdaGrad of Duchi, Hazan and Singer (2011),
https://jmlr.org/papers/v12/duchi11a.html; RMSProp of Hinton (2012), a lecture; Adam of Kingma and Ba (2014),
https://arxiv.org/abs/1412.6980; Adam first and SGD after of Keskar and Socher (2017), https://arxiv.org/abs/1712.07628; the
valley of Rosenbrock (1960), https://doi.org/10.1093/comjnl/3.3.175.
Result: After 20 epochs 94.3% of the held-out digits are read right with SGD, 95.2% with momentum, 94.7% with Adam,
94.3% with Adam first and SGD after.
Time: 14 s on one core.
"""

from functools import partial

import numpy as np
from common import options, plt, progress, report
from data import mnist_parts

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F

BOWL = {  # each with a rate that suits it; with 1 instead of 0.95, SGD would go back and forth between the walls for ever
    "SGD": partial(optim.SGD, lr=0.95),
    "momentum": partial(optim.SGD, lr=0.1, momentum=0.9),
    "AdaGrad": partial(optim.Adagrad, lr=1.5),
    "RMSProp": partial(optim.RMSprop, lr=0.2, alpha=0.9),
    "Adam": partial(optim.Adam, lr=0.3),
}
VALLEY = {
    "SGD": partial(optim.SGD, lr=2e-3),
    "momentum": partial(optim.SGD, lr=2e-3, momentum=0.9),
    "Nesterov": partial(optim.SGD, lr=1e-3, momentum=0.9, nesterov=True),
    "AdaGrad": partial(optim.Adagrad, lr=2),
    "RMSProp": partial(optim.RMSprop, lr=0.01),
    "Adam": partial(optim.Adam, lr=0.3),
    "NAdam": partial(optim.NAdam, lr=0.1),
    "Rprop": partial(optim.Rprop, lr=0.01),
    "L-BFGS": partial(optim.LBFGS, line_search_fn="strong_wolfe"),
}
DIGITS = {
    "SGD": partial(optim.SGD, lr=0.1),
    "momentum": partial(optim.SGD, lr=0.02, momentum=0.9),
    "AdaGrad": partial(optim.Adagrad, lr=0.02),
    "RMSProp": partial(optim.RMSprop, lr=1e-3),
    "Adam": partial(optim.Adam, lr=2e-3),
}


def bowl(x, y):
    """Twenty times as steep along y as along x; 0 at (0, 0)."""
    return x ** 2 / 20 + y ** 2


def valley(x, y):
    """Steep walls and a nearly flat, curved floor; 0 at (1, 1)."""
    return (1 - x) ** 2 + 100 * (y - x ** 2) ** 2


def descend(function, make, start, evaluations):
    """The points that an optimizer visits until it has nearly reached 0, or evaluated the function so often; and how often."""
    p = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = make([p])
    path, used = [p.tolist()], 0

    def closure():  # L-BFGS evaluates the function several times in each step; the others once
        nonlocal used
        used += 1
        optimizer.zero_grad()
        loss = function(*p)
        loss.backward()
        return loss

    loss = function(*p)
    while used < evaluations and loss > 1e-10:
        loss = optimizer.step(closure)
        path.append(p.tolist())
    return path, used


def train(model, stages, args, images, labels):
    """The mean loss of each epoch. A stage is an optimizer, a number of epochs, and what changes the rate after each of them."""
    losses = []
    for optimizer, epochs, adjust in stages:
        for _ in range(epochs):
            total = 0.0
            for batch in torch.randperm(len(images)).split(args.batch):
                loss = F.cross_entropy(model(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            losses.append(total / len(images))
            adjust()
    return losses


def keep():
    """Leaves the learning rate as it is."""


def plans(epochs):
    """Ways to spend the epochs: functions of the parameters that give stages."""
    def constant(make):
        return lambda parameters: [(make(parameters), epochs, keep)]

    def by_hand(parameters):
        optimizer = DIGITS["Adam"](parameters)

        def adjust():
            for group in optimizer.param_groups:
                group["lr"] *= 0.9
        return [(optimizer, epochs, adjust)]

    def cosine(parameters):
        optimizer = DIGITS["Adam"](parameters)
        return [(optimizer, epochs, optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs).step)]

    def adam_then_sgd(parameters):
        first, sgd = epochs // 3, DIGITS["momentum"](parameters)
        return [(DIGITS["Adam"](parameters), first, keep),
                (sgd, epochs - first, optim.lr_scheduler.ExponentialLR(sgd, gamma=0.9).step)]

    return {**{name: constant(make) for name, make in DIGITS.items()},
            "Adam, rate x 0.9": by_hand, "Adam, cosine": cosine, "Adam, then SGD": adam_then_sgd}


def learn_digits(args):
    """For each plan the mean loss of each epoch, and the share of held-out digits that is read right at the end."""
    images, labels, test_images, test_labels = map(torch.from_numpy, mnist_parts(args, args.images))
    found = {}
    for name, plan in progress(plans(args.epochs).items(), "plans"):
        torch.manual_seed(args.seed)  # the same weights and batches for all
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))
        losses = train(model, plan(list(model.parameters())), args, images, labels)
        with torch.no_grad():
            found[name] = losses, (model(test_images).argmax(dim=1) == test_labels).float().mean().item()
    return found


def draw(paths, found):
    figure, ((map_, heights), (five, rates)) = plt.subplots(2, 2, figsize=(7, 6.4))
    x, y = np.meshgrid(np.linspace(-8, 3, 200), np.linspace(-3, 3, 200))
    map_.contour(x, y, bowl(x, y), levels=np.geomspace(0.02, 12, 12), colors="0.8")
    for name, path in paths.items():
        map_.plot(*zip(*path), marker=".", markersize=4, linewidth=1, label=name)
        heights.semilogy([bowl(*point) for point in path], label=name)
    map_.set(xlabel="x", ylabel="y", title="40 steps in a bowl, x²/20 + y²", ylim=(-3, 3))
    heights.set(xlabel="step", ylabel="height in the bowl", title="how far down they are")
    heights.legend(fontsize=8, frameon=False, loc="lower left")
    for name, (losses, _) in found.items():
        for axes, is_drawn in (five, name in DIGITS), (rates, name.startswith("Adam")):
            if is_drawn:
                axes.semilogy(range(1, len(losses) + 1), losses, label=name)
    for axes, title in (five, "digits, constant rates"), (rates, "digits, other rates"):
        axes.set(xlabel="epoch", ylabel="training loss (nats)", title=title)
        axes.legend(fontsize=8, frameon=False)
    return figure


def main():
    args = options(__doc__, epochs=(20, 3), batch=64, images=(8000, 1000), evaluations=(1500, 400))
    paths = {name: descend(bowl, make, (-7.0, 2.0), 40)[0] for name, make in BOWL.items()}

    print(f"{'down the valley':<28}{'evaluations':>12}{'x':>9}{'y':>9}{'height':>11}")
    heights = {}
    for name, make in VALLEY.items():
        path, used = descend(valley, make, (-1.5, 1.5), args.evaluations)
        heights[name] = valley(*path[-1])
        print(f"{name:<28}{used:>12}{path[-1][0]:>9.4f}{path[-1][1]:>9.4f}{heights[name]:>11.2e}")

    print(f"\n{'digits':<28}{'training loss':>14}{'held-out digits read right':>28}")
    found = learn_digits(args)
    for name, (losses, accuracy) in found.items():
        print(f"{name:<28}{losses[-1]:>14.4f}{accuracy:>28.1%}")
    draw(paths, found).savefig(args.out / "paths.png")

    report(args, f"After {args.epochs} epochs {found['SGD'][1]:.1%} of the held-out digits are read right with SGD, "
                 f"{found['momentum'][1]:.1%} with momentum, {found['Adam'][1]:.1%} with Adam, "
                 f"{found['Adam, then SGD'][1]:.1%} with Adam first and SGD after.", picture="paths.png",
           heights=heights, losses={name: losses[-1] for name, (losses, _) in found.items()},
           accuracies={name: accuracy for name, (_, accuracy) in found.items()})


if __name__ == "__main__":
    main()
