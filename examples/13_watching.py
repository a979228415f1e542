"""13. Watching: LeNet learns to read and a deep sigmoid network does not; `viz.watch` and TensorBoard show what goes on in both.

Teaches: `viz.watch`, which says what is wrong with a training; `SummaryWriter`; filters, and what each layer sees in a digit.
Source: LeCun et al. (1998), http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf; vanishing gradients: Glorot and Bengio (2010),
https://proceedings.mlr.press/v9/glorot10a.html.
Result: Held-out accuracy of LeNet 96.9%, of eight layers of sigmoids 11.0%. What the watch says of these: The gradient
vanishes on its way back: 0.0094 at 15, 3.5e-09 at 1.
Time: 8 s on one core.
"""

import data
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim, viz
from minigrad.nn import functional as F
from minigrad.utils.tensorboard import SummaryWriter
from minigrad.vision import models
from minigrad.vision.utils import make_grid


def deep_sigmoid():
    """Eight layers of sigmoids, each of which passes on a quarter of a gradient at most."""
    layers, width = [nn.Flatten()], 784
    for _ in range(7):
        layers += [nn.Linear(width, 64), nn.Sigmoid()]
        width = 64
    return nn.Sequential(*layers, nn.Linear(width, 10))


@torch.no_grad()
def accuracy(model, images, labels):
    return sum((model(x).argmax(dim=1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500))) / len(images)


def train(model, learn, test, args, title):
    """Trains and watches; gives what was seen. The page and TensorBoard's files go to the folder of the run."""
    images, labels = learn
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with SummaryWriter(args.out / "tensorboard" / title) as writer, viz.watch(model, optimizer, every=5) as watching:
        writer.add_graph(model, images[:4])
        step = 0
        for epoch in progress(range(args.epochs), title):
            for chosen in torch.randperm(len(images)).split(args.batch):
                loss = F.cross_entropy(model(images[chosen]), labels[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                watching.log(loss=loss)
                writer.add_scalar("loss", loss, step)
                step += 1
            share = accuracy(model, *test)
            writer.add_scalar("held-out accuracy", share, epoch)
            for name, parameter in model.named_parameters():
                writer.add_histogram(name, parameter, epoch)
        writer.add_image("what it learns from", make_grid(images[:32], nrow=8))
        watching.to_tensorboard(writer)
    watching.save(args.out / f"{title}.html")
    print(f"{title}: held-out accuracy {share:.1%}. What the watch says:")
    print("\n".join(f"  {finding}" for finding in watching.findings()) or "  nothing to complain of")
    return watching, share


def draw(model, digit, watched, path):
    """The first filters and what they find, and how strong a gradient reaches the first layer with weights of each network."""
    figure = plt.figure(figsize=(7.4, 4.6))
    upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.25])
    filters, seen = viz.filters(model).grids[0], viz.activations(model, digit).grids
    rows = [("filters", filters.values, "RdBu"), ("what they find\nin a digit", seen[1].values, "gray")]
    axes = upper.subplots(2, 7)
    for row, (title, values, look) in zip(axes, rows):
        row[0].text(0.5, 0.5, title, ha="center", va="center")
        row[0].axis("off")
        for ax, value in zip(row[1:], values):
            limits = {"vmin": -abs(value).max(), "vmax": abs(value).max()} if look == "RdBu" else {}
            ax.imshow(value, cmap=look, **limits)
            ax.set(xticks=[], yticks=[])
    left, right = lower.subplots(1, 2)
    for title, watching in watched.items():
        layers = {name: seen for name, seen in watching.history["flow"].items() if name.rpartition(".")[2] != "0"}
        first = next(iter(layers.values()))
        left.plot(watching.steps, [found.rms for found in first], label=title)
        steps, losses = zip(*watching.scalars["loss"])
        right.plot(steps, losses, label=title, linewidth=1)
    left.set(xlabel="step", ylabel="gradient at the first layer, rms", yscale="log")
    right.set(xlabel="step", ylabel="loss, nats", ylim=(0, None))
    left.legend()
    figure.savefig(path)


def main():
    args = options(__doc__, epochs=4, images=(5000, 500), batch=(32, 16))
    images, labels = data.mnist(args)
    torch.manual_seed(args.seed)
    order = torch.randperm(len(images))
    images, labels = torch.from_numpy(images)[order, None].float() / 255, torch.from_numpy(labels)[order]
    learn = images[:args.images], labels[:args.images]
    test = images[args.images:][:1000], labels[args.images:][:1000]

    lenet = models.LeNet()
    watched, shares = {}, {}
    for title, model in (("LeNet", lenet), ("deep sigmoid", deep_sigmoid())):
        watched[title], shares[title] = train(model, learn, test, args, title)
    viz.filters(lenet).save(args.out / "filters.html")
    viz.activations(lenet, images[:1]).save(args.out / "maps.html")
    draw(lenet, images[:1], watched, args.out / "watching.png")
    print(f"look at {args.out}/*.html in a browser, and at TensorBoard by: tensorboard --logdir {args.out}/tensorboard")
    findings = watched["deep sigmoid"].findings()
    report(args, f"Held-out accuracy of LeNet {shares['LeNet']:.1%}, of eight layers of sigmoids {shares['deep sigmoid']:.1%}. "
                 f"What the watch says of these: {findings[0]}", picture="watching.png", lenet=shares["LeNet"],
           sigmoid=shares["deep sigmoid"], complaints=[len(watching.findings()) for watching in watched.values()])


if __name__ == "__main__":
    main()
