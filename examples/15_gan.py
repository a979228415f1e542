"""8. A generative adversarial network: one network makes points, the other tells them from true ones, and both get better."""

import argparse

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


def show(points, size=15):
    """Points as text, from -1.5 to 1.5 on both axes."""
    cells = ((points.clamp(-1.49, 1.49) + 1.5) / 3 * size).long().tolist()
    found = {(column, row) for column, row in cells}
    for row in reversed(range(size)):
        print("   ", "".join("##" if (column, row) in found else " ." for column in range(size)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    args = parser.parse_args()

    torch.manual_seed(0)
    generator, critic = network(2, 2), network(2, 1)
    g_optimizer = optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
    c_optimizer = optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
    true, false = torch.ones(128, 1), torch.zeros(128, 1)

    def off_the_ring():
        """How far the generator's points lie from the ring, on average."""
        with torch.no_grad():
            return (generator(torch.randn(500, 2)).norm(dim=1) - 1).abs().mean().item()

    for step in range(args.steps):
        fake = generator(torch.randn(128, 2))
        # The critic: true points are to be called true, the generator's false. detach(): the generator is not to learn here.
        c_loss = (F.binary_cross_entropy_with_logits(critic(truth(128)), true)
                  + F.binary_cross_entropy_with_logits(critic(fake.detach()), false))
        c_optimizer.zero_grad()
        c_loss.backward()
        c_optimizer.step()
        # The generator: the critic is to call its points true.
        g_loss = F.binary_cross_entropy_with_logits(critic(fake), true)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        if step % 250 == 0 or step == args.steps - 1:
            print(f"step {step:4}  critic {c_loss.item():.3f}  generator {g_loss.item():.3f}  off by {off_the_ring():.3f}")

    with torch.no_grad():
        show(generator(torch.randn(500, 2)))


if __name__ == "__main__":
    main()
