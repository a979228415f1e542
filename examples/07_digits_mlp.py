"""7. Digits, read by a multilayer perceptron: it sees 784 numbers and is not told that they are an image.

Teaches: data sets and loaders, epochs, cross entropy, softmax as confidence, a confusion matrix, weights looked at as images.
Source: MNIST is of LeCun, Bottou, Bengio and Haffner (1998), https://doi.org/10.1109/5.726791; networks of layers that learn by
backpropagation of Rumelhart, Hinton and Williams (1986), https://doi.org/10.1038/323533a0.
Result: 94.2% of 2000 held-out digits are read right, 91.0% by one linear layer, after learning from 8000.
Time: 5 s on one core.
"""

from common import options, plt, progress, report
from data import mnist_parts

import minigrad as torch
from minigrad import nn, optim
from minigrad.utils.data import DataLoader, TensorDataset


@torch.no_grad()
def read(model, images):
    """What the model takes images for, and with how much confidence, from 0 to 1."""
    confidence, guess = model(images).softmax(dim=1).max(dim=1)
    return guess, confidence


def train(model, loader, args, images, labels):
    """Trains the model; gives the share of the held-out images that it got wrong after each epoch."""
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    errors = []
    for _ in (bar := progress(range(args.epochs), "epochs")):
        total = 0.0
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        errors.append((read(model, images)[0] != labels).float().mean().item())
        bar.set_postfix(loss=total / len(loader.dataset), error=errors[-1])
    return errors


def confusion(guess, labels):
    """How often each digit, a row, was taken for each, a column: (10, 10)."""
    return torch.bincount(labels * 10 + guess, minlength=100).reshape(10, 10)


def draw(curves, table, mistakes, weights):
    figure, ((top, matrix), (wrong, seen)) = plt.subplots(2, 2, figsize=(7, 5.6), height_ratios=(5, 3))
    for name, errors in curves.items():
        top.plot(range(1, len(errors) + 1), [100 * error for error in errors], label=name)
    top.set(xlabel="epoch", ylabel="held-out digits misread (%)", ylim=(0, None))
    top.legend(frameon=False)

    matrix.imshow(table.float().log1p(), cmap="Blues")  # by logarithms: the few mistakes are to be seen beside the many hits
    for row in range(10):
        for column in range(10):
            if count := table[row, column].item():
                matrix.text(column, row, count, ha="center", va="center", fontsize=6, color="white" if row == column else "black")
    matrix.set(xticks=range(10), yticks=range(10), xlabel="taken for", ylabel="is a")

    wrong.set_title("surest mistakes, and what for", fontsize=9)
    seen.set_title("weights of hidden units: red for ink", fontsize=9)
    shades = plt.get_cmap("RdBu_r", 9)
    for axes, pictures, colours in ((wrong, [image for image, _ in mistakes], "gray_r"), (seen, weights, shades)):
        axes.axis("off")
        for k, picture in enumerate(pictures[:8]):
            cell = axes.inset_axes((k % 4 / 4, 0.5 - k // 4 / 2, 0.24, 0.46))
            span = {"vmin": -abs(picture).max(), "vmax": abs(picture).max()} if axes is seen else {}
            cell.imshow(picture, cmap=colours, **span)
            cell.axis("off")
            if axes is wrong:
                cell.text(0, 4, mistakes[k][1], fontsize=8, color="crimson")
    return figure


def main():
    args = options(__doc__, epochs=(20, 5), lr=1e-3, batch=32, hidden=128, images=(8000, 1500))
    torch.manual_seed(args.seed)
    images, labels, test_images, test_labels = map(torch.from_numpy, mnist_parts(args, args.images))
    loader = DataLoader(TensorDataset(images, labels), batch_size=args.batch, shuffle=True)

    linear = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, args.hidden), nn.ReLU(), nn.Linear(args.hidden, 10))
    print(model)
    print(sum(p.numel() for p in model.parameters()), "parameters")
    curves = {name: train(network, loader, args, test_images, test_labels)
              for name, network in (("one linear layer", linear), (f"{args.hidden} hidden units", model))}

    guess, confidence = read(model, test_images)
    wrong = (guess != test_labels).nonzero().flatten()
    surest = wrong[confidence[wrong].argsort(descending=True)].tolist()
    mistakes = [(test_images[i, 0], f"{test_labels[i].item()}→{guess[i].item()}") for i in surest]
    weights = model[1].weight.detach().reshape(-1, 28, 28)
    draw(curves, confusion(guess, test_labels), mistakes, weights).savefig(args.out / "digits.png")

    accuracy, baseline = (1 - errors[-1] for errors in reversed(curves.values()))
    report(args, f"{accuracy:.1%} of {len(test_images)} held-out digits are read right, {baseline:.1%} by one linear layer, "
                 f"after learning from {len(images)}.", picture="digits.png", accuracy=accuracy, baseline=baseline)


if __name__ == "__main__":
    main()
