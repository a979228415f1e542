"""15. DCGAN: two convolutional networks, one draws digits and the other tells them from true ones, until it hardly can.

Teaches: `conv_transpose2d`, batch normalization in a generator, alternating optimizers, `detach`, a third network as judge.
Source: Goodfellow et al., Generative adversarial nets (2014), https://arxiv.org/abs/1406.2661; Radford, Metz and Chintala,
Unsupervised representation learning with deep convolutional generative adversarial networks (2015), https://arxiv.org/abs/1511.06434.
Result: A network that reads digits is sure of 61% of the images drawn, where it was of 0% before the game and is of 93%
of true ones; 10 of the ten digits are among them. The critic is right on 67%.
Time: 72 s on one core.
"""

import numpy as np
from common import options, plt, progress, report
from data import mnist

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F

NOISE = 32


def make_generator(width=24):
    """Noise (n, NOISE, 1, 1) to images (n, 1, 28, 28) from -1 to 1."""
    return nn.Sequential(
        nn.ConvTranspose2d(NOISE, 4 * width, 7, bias=False), nn.BatchNorm2d(4 * width), nn.ReLU(),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),
        nn.ConvTranspose2d(2 * width, 1, 4, stride=2, padding=1), nn.Tanh())


def make_critic(width=24):
    """Images to one number each: above 0 for those that are taken for true."""
    return nn.Sequential(
        nn.Conv2d(1, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 7), nn.Flatten(0))


def start(module):
    """The first weights that the paper takes."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def learn_to_read(images, labels, steps):
    """A small network that reads digits. It is the judge of what the generator draws, and no part of the game."""
    reader = nn.Sequential(nn.Conv2d(1, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 5, stride=2), nn.ReLU(),
                           nn.Flatten(), nn.Linear(512, 10))
    optimizer = optim.Adam(reader.parameters(), lr=2e-3)
    for _ in (bar := progress(range(steps), "the judge learns to read")):
        which = torch.randint(len(images), (64,))
        loss = F.cross_entropy(reader(images[which]), labels[which])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        bar.set_postfix(loss=f"{loss.item():.2f}")
    return reader


@torch.no_grad()
def judge(reader, images):
    """The share of images that the judge reads with 90 % confidence or more, and how many digits have 4 % of these or more."""
    confidence, digit = reader(images).softmax(dim=1).max(dim=1)
    read = digit[confidence > 0.9]
    return len(read) / len(images), int((torch.bincount(read, minlength=10) >= 0.04 * len(read)).sum()) if len(read) else 0


@torch.no_grad()
def generate(generator, noise):
    generator.eval()
    images = generator(noise)
    generator.train()
    return images


def draw(snapshots, truth, path):
    """Images from the same noise at several times, beside true ones."""
    figure, axes = plt.subplots(1, len(snapshots) + 1, figsize=(2.6 * (len(snapshots) + 1), 3))
    for axis, (title, images) in zip(axes, [*snapshots, ("true digits", truth)]):
        tiles = images[:36].reshape(6, 6, 28, 28).numpy().transpose(0, 2, 1, 3).reshape(168, 168)
        axis.imshow(tiles, cmap="gray_r", vmin=-1, vmax=1)
        axis.set(title=title, xticks=[], yticks=[])
    figure.savefig(path)


def main():
    args = options(__doc__, steps=(2000, 60), batch=64, lr=5e-4)
    torch.manual_seed(args.seed)
    images, labels = mnist(args)
    images, labels = torch.from_numpy(images[:, None] / np.float32(127.5) - 1), torch.from_numpy(labels)
    reader = learn_to_read(images, labels, 500 if not args.quick else 150)

    generator, critic = make_generator().apply(start), make_critic().apply(start)
    g_optimizer = optim.Adam(generator.parameters(), lr=args.lr, betas=(0.5, 0.999))
    c_optimizer = optim.Adam(critic.parameters(), lr=args.lr, betas=(0.5, 0.999))
    same, snapshots, right = torch.randn(1000, NOISE, 1, 1), [], 0.0
    for step in (bar := progress(range(args.steps + 1), "the game")):
        if step in (0, args.steps // 10, args.steps):
            snapshots.append((f"drawn after {step} steps", generate(generator, same)))
        true = images[torch.randint(len(images), (args.batch,))]
        fake = generator(torch.randn(args.batch, NOISE, 1, 1))
        # The critic: true images are to be above 0, drawn ones below. detach(): the generator is not to learn here.
        of_true, of_fake = critic(true), critic(fake.detach())
        c_loss = F.softplus(-of_true).mean() + F.softplus(of_fake).mean()
        c_optimizer.zero_grad()
        c_loss.backward()
        c_optimizer.step()
        # The generator: the critic is to take its images for true ones.
        g_loss = F.softplus(-critic(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        now = ((of_true > 0).float().mean() + (of_fake < 0).float().mean()).item() / 2
        right += (now - right) / min(step + 1, 100)  # a mean over the last hundred steps or so
        bar.set_postfix(critic=f"{c_loss.item():.2f}", generator=f"{g_loss.item():.2f}")

    draw(snapshots, images, args.out / "digits.png")
    (first, _), (last, kinds), (truly, _) = (judge(reader, x) for x in (snapshots[0][1], snapshots[-1][1], images[:1000]))
    report(args, f"A network that reads digits is sure of {last:.0%} of the images drawn; it was of {first:.0%} before the game "
                 f"and is of {truly:.0%} of true ones; {kinds} of ten digits are among them. The critic is right on {right:.0%}.",
           picture="digits.png", before=first, drawn=last, true=truly, kinds=kinds, critic=right)


if __name__ == "__main__":
    main()
