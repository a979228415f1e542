"""15. A generative adversarial network: one network makes points, the other tells them from true ones, and both get better.

Teaches: two losses and two optimizers, `detach`, why the game has no end, what the critic sees.
Source: Goodfellow et al., Generative adversarial nets (2014), https://arxiv.org/abs/1406.2661.
Result: The generator's points lie 0.018 off a ring of radius 1, 0.798 before the game, true ones 0.025; the widest gap
in the ring they make is of 4 degrees.
Time: 4 s on one core.
"""

from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F


def truth(n):
    """`n` points of a thin ring of radius 1."""
    angle = 2 * torch.pi * torch.rand(n)
    radius = 1 + 0.03 * torch.randn(n)
    return torch.stack((radius * angle.cos(), radius * angle.sin()), dim=1)


def network(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, outputs))


@torch.no_grad()
def off_the_ring(points):
    """How far points lie from the ring, on average."""
    return (points.norm(dim=1) - 1).abs().mean().item()


@torch.no_grad()
def gap(points):
    """The widest part of the ring, in degrees, that no point lies in: all of it where the generator knows one place only."""
    angles = torch.atan2(points[:, 1], points[:, 0]).sort().values
    between = torch.cat((angles[1:] - angles[:-1], angles[:1] + 2 * torch.pi - angles[-1:]))
    return between.max().item() * 180 / torch.pi


@torch.no_grad()
def draw(snapshots, path):
    """The generator's points over what the critic thinks of every place, at several times."""
    figure, axes = plt.subplots(1, len(snapshots), figsize=(3.1 * len(snapshots), 3.3), sharey=True)
    for axis, (step, points, trust) in zip(axes, snapshots):
        shown = axis.imshow(trust.numpy(), origin="lower", extent=(-2, 2, -2, 2), cmap="RdBu", vmin=0, vmax=1, alpha=0.7)
        axis.scatter(*points.T.numpy(), s=3, color="black")
        axis.set(title=f"after {step} steps", xlim=(-2, 2), ylim=(-2, 2), aspect="equal", xlabel="x")
    axes[0].set(ylabel="y")
    figure.colorbar(shown, ax=axes, label="true, says the critic", shrink=0.8)
    figure.savefig(path)


def main():
    args = options(__doc__, steps=(3000, 600), lr=1e-3, batch=128)
    torch.manual_seed(args.seed)
    generator, critic = network(2, 2), network(2, 1)
    g_optimizer = optim.Adam(generator.parameters(), lr=args.lr, betas=(0.5, 0.9))
    c_optimizer = optim.Adam(critic.parameters(), lr=args.lr, betas=(0.5, 0.9))
    true, false = torch.ones(args.batch, 1), torch.zeros(args.batch, 1)
    same, side = torch.randn(500, 2), torch.linspace(-2, 2, 60)
    places = torch.stack((side.repeat(60), side.repeat_interleave(60)), dim=1)

    snapshots = []
    for step in (bar := progress(range(args.steps + 1))):
        if step in (0, args.steps // 10, args.steps // 3, args.steps):
            with torch.no_grad():
                snapshots.append((step, generator(same), critic(places).sigmoid().reshape(60, 60)))
        fake = generator(torch.randn(args.batch, 2))
        # The critic: true points are to be called true, the generator's false. detach(): the generator is not to learn here.
        c_loss = (F.binary_cross_entropy_with_logits(critic(truth(args.batch)), true)
                  + F.binary_cross_entropy_with_logits(critic(fake.detach()), false))
        c_optimizer.zero_grad()
        c_loss.backward()
        c_optimizer.step()
        # The generator: the critic is to call its points true.
        g_loss = F.binary_cross_entropy_with_logits(critic(fake), true)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        bar.set_postfix(critic=f"{c_loss.item():.2f}", generator=f"{g_loss.item():.2f}")

    draw(snapshots, args.out / "ring.png")
    before, after, best = (off_the_ring(points) for points in (snapshots[0][1], snapshots[-1][1], truth(500)))
    widest = gap(snapshots[-1][1])
    report(args, f"The generator's points lie {after:.3f} off a ring of radius 1, {before:.3f} before the game, true ones "
                 f"{best:.3f}; the widest gap in the ring they make is of {widest:.0f} degrees.",
           picture="ring.png", before=before, after=after, true=best, gap=widest)


if __name__ == "__main__":
    main()
