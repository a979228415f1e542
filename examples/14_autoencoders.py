"""14. Autoencoders: a digit is told by two numbers, and drawn again from them; then every pair of numbers is to mean a digit.

Teaches: encoder and decoder, a bottleneck, the reparameterization trick, the Kullback-Leibler divergence, sampling from a plane.
Source: Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks (2006); Kingma and Welling,
Auto-encoding variational Bayes (2013), https://arxiv.org/abs/1312.6114.
Result: From two numbers, the autoencoder draws held-out digits with 56% of the pixels' variance wrong, the variational
one with 57%, and the best two directions of linear algebra with 82%.
Time: 26 s on one core.
"""

import numpy as np
from common import options, plt, progress, report
from data import mnist

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F


class Autoencoder(nn.Module):
    """Says an image by `size` numbers; a variational one says for each how sure it is, and is trained on draws from that."""

    def __init__(self, variational, size=2, hidden=256):
        super().__init__()
        self.variational, self.size = variational, size
        self.encoder = nn.Sequential(nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                                     nn.Linear(hidden, 2 * size if variational else size))
        self.decoder = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                                     nn.Linear(hidden, 784))

    def encode(self, images):
        """Two numbers for each image: the mean of what it may be."""
        return self.encoder(images)[:, :self.size]

    def loss(self, images):
        """How badly the images are drawn again, in nats; for a variational one, also how much it says of them."""
        code, cost = self.encoder(images), 0.0
        if self.variational:
            mean, log_variance = code.chunk(2, dim=1)
            # The noise is drawn outside, so that derivatives flow through mean and variance, and not into the dice.
            code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
            # The divergence from the standard normal distribution, in closed form: what the code costs.
            cost = (mean ** 2 + log_variance.exp() - 1 - log_variance).sum(dim=1).mean() / 2
        drawn = F.binary_cross_entropy_with_logits(self.decoder(code), images, reduction="sum") / len(images)
        return drawn + cost


def train(model, images, args):
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    steps = args.epochs * (len(images) // args.batch)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=args.lr, total_steps=steps)
    for _ in (bar := progress(range(steps), "variational" if model.variational else "plain")):
        loss = model.loss(images[torch.randint(len(images), (args.batch,))])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        bar.set_postfix(loss=f"{loss.item():.1f}")


@torch.no_grad()
def error(images, drawn):
    """The mean squared error of a pixel, as a share of the pixels' variance."""
    return ((images - drawn) ** 2).mean().item() / images.var(dim=0).mean().item()


def principal(learn, check, size=2):
    """`check` drawn again from as many numbers as linear algebra finds best, to compare with."""
    mean = learn.mean(dim=0)
    directions = torch.linalg.svd(learn - mean, full_matrices=False)[2][:size]
    return (check - mean) @ directions.T @ directions + mean


@torch.no_grad()
def draw(models, images, labels, path):
    """Where each model puts the digits on its plane, and what the variational one draws at the places of a grid."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), width_ratios=(1.1, 1.1, 1))
    for axis, model, title in zip(axes, models, ("plain: the codes of held-out digits", "variational: the same digits")):
        x, y = model.encode(images).numpy().T
        points = axis.scatter(x, y, c=labels, cmap="tab10", s=5, vmin=-0.5, vmax=9.5)
        axis.set(title=title, xlabel="first number of the code", ylabel="second number")
    figure.colorbar(points, ax=axes[1], ticks=range(10), label="digit")
    steps, side = torch.linspace(-2, 2, 13), 28
    grid = torch.stack([torch.stack((x, y)) for y in steps.flip(0) for x in steps])
    tiles = models[1].decoder(grid).sigmoid().numpy().reshape(13, 13, side, side)
    axes[2].imshow(tiles.transpose(0, 2, 1, 3).reshape(13 * side, 13 * side), cmap="gray_r", extent=(-2, 2, -2, 2))
    axes[2].set(title="drawn from the variational plane", xlabel="first number of the code", ylabel="second number")
    figure.savefig(path)


def main():
    args = options(__doc__, epochs=(40, 40), lr=3e-3, batch=100)
    torch.manual_seed(args.seed)
    images, labels = mnist(args)
    order = np.random.default_rng(args.seed).permutation(len(images))
    images, labels = torch.from_numpy(images[order].reshape(-1, 784) / np.float32(255)), labels[order]
    held = len(images) // 5
    learn, check = images[held:], images[:held]

    models = [Autoencoder(variational=False), Autoencoder(variational=True)]
    errors = []
    for model in models:
        train(model, learn, args)
        with torch.no_grad():
            errors.append(error(check, model.decoder(model.encode(check)).sigmoid()))
    linear = error(check, principal(learn, check))
    draw(models, check, labels[:held], args.out / "plane.png")
    report(args, f"From two numbers, the autoencoder draws held-out digits with {errors[0]:.0%} of the pixels' variance wrong, "
                 f"the variational one with {errors[1]:.0%}, and the best two directions of linear algebra with {linear:.0%}.",
           picture="plane.png", plain=errors[0], variational=errors[1], linear=linear)


if __name__ == "__main__":
    main()
