"""The main job: a small convolutional network learns real handwritten digits, in seconds, and shows what it has learnt.

Written as a user would write it, with the public names only; ``report`` puts the pictures on a page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import minigrad as mg
from minigrad import nn, optim
from minigrad.datasets import digits
from minigrad.demo.report import write_report
from minigrad.errors import missing_extra
from minigrad.utils.data import DataLoader, TensorDataset, random_split

TEST_IMAGES = 360
SMOOTHING = 0.1  # the share of a label that is spread over all classes
LOOKS = 100  # steps at which the layers are looked at


class Unusable(Exception):
    """The demonstration cannot run as asked; the message says what to change."""


class Net(nn.Module):
    """Two convolutions and two linear layers for 8x8 images: ``(batch, 1, 8, 8)`` to ``(batch, 10)``."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Dropout(0.25), nn.Linear(64, 10))

    def forward(self, x: Any) -> Any:
        return self.classifier(self.features(x))


def accuracy(model: Any, images: Any, labels: Any) -> float:
    """The share of `images` whose most likely class is the label."""
    model.eval()
    with mg.no_grad():
        right = (model(images).argmax(1) == labels).sum().item()
    model.train()
    return float(right) / len(labels)


def fresh_folder(parent: Path) -> Path:
    """A new folder ``demo-001``, ``demo-002``, ... in `parent`; an earlier run's is never touched."""
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / f"demo-{number:03d}"
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


def save_curve(history: list[dict[str, float]], path: Path) -> None:
    """Draw loss and accuracy by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [h["epoch"] for h in history]
    left.plot(epochs, [h["loss"] for h in history], marker=".", color="#3b7dd8")
    left.set(xlabel="epoch", ylabel="training loss (cross entropy)", ylim=(0, None))
    right.plot(epochs, [100 * h["accuracy"] for h in history], marker=".", color="#de5b49")
    right.set(xlabel="epoch", ylabel="test accuracy (%)")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def run(epochs: int, batch_size: int, lr: float, seed: int, out: Path) -> int:
    """Train, report, and save weights, curve, graph and a page with all into a new folder in `out`. Returns the exit code."""
    try:
        import matplotlib  # noqa: F401
        from tqdm import tqdm
    except ImportError as missing:
        raise Unusable(missing_extra("the demo", str(missing.name), "demo")) from None
    mg.manual_seed(seed)
    images, labels = digits()
    train, test = random_split(TensorDataset(images, labels), [len(images) - TEST_IMAGES, TEST_IMAGES])
    if batch_size > len(train):
        raise Unusable(f"--batch-size {batch_size} is more than the {len(train)} training images")
    folder = fresh_folder(out)
    test_images, test_labels = images[test.indices], labels[test.indices]
    loader = DataLoader(train, batch_size=batch_size, shuffle=True, drop_last=True)
    model = Net()
    optimizer = optim.AdamW(model.parameters(), lr=lr)
    steps = epochs * len(loader)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    history: list[dict[str, float]] = []
    interrupted = False
    with tqdm(total=steps, unit="step") as bar, mg.viz.watch(model, optimizer, every=max(1, steps // LOOKS)) as watching:
        try:
            for epoch in range(1, epochs + 1):
                bar.set_description(f"epoch {epoch}/{epochs}")
                total = 0.0
                for x, y in loader:
                    loss = nn.functional.cross_entropy(model(x), y, label_smoothing=SMOOTHING)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    total += loss.item()
                    bar.update()
                share = accuracy(model, test_images, test_labels)
                history.append({"epoch": epoch, "loss": total / len(loader), "accuracy": share})
                watching.log(**{"training loss (cross entropy)": total / len(loader), "test accuracy (%)": 100 * share})
                bar.set_postfix(loss=f"{total / len(loader):.4f}", accuracy=f"{share:.1%}")
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        print("interrupted: saving what has been learnt so far")
    final = accuracy(model, test_images, test_labels)
    mg.save(model.state_dict(), folder / "weights.pt")
    if history:
        save_curve(history, folder / "curve.png")
    loss = nn.functional.cross_entropy(model(test_images[:8]), test_labels[:8])
    optimizer.zero_grad()
    loss.backward()
    drawing = mg.viz.draw(loss, model=model)
    drawing.save(folder / "graph.svg")
    optimizer.zero_grad()
    write_report(folder / "index.html", model, test_images, test_labels, watching, drawing)
    print(f"test accuracy {final:.2%} on {len(test_labels)} images not trained on")
    print(f"page     {folder / 'index.html'}  (for a browser: how it learnt, its mistakes, its filters, a backward pass)")
    print(f"graph    {folder / 'graph.svg'}")
    if history:
        print(f"curve    {folder / 'curve.png'}")
    print(f"weights  {folder / 'weights.pt'}")
    return 130 if interrupted else 0
