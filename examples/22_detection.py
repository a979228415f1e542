"""22. Detection in one stage: each cell of a grid says whether something's middle lies in it, how large it is, and what.

Teaches: targets made of boxes, a loss of several parts, `batched_nms`, and average precision, by which detectors are judged.
Source: Redmon et al. (2015), https://arxiv.org/abs/1506.02640; average precision: Everingham et al. (2010),
https://doi.org/10.1007/s11263-009-0275-4.
Result: Mean average precision on 240 held-out scenes, boxes overlapping by half: 98.5% (by three quarters 96.4%, of the
network before training 0.0%).
Time: 42 s on one core.
"""

import data
import numpy as np
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F
from minigrad.vision.ops import batched_nms, box_iou

KINDS = ["circle", "square", "triangle"]
CELL = 8  # pixels


def detector():
    """Images (n, 3, h, w) to (n, 5 + kinds, h / 8, w / 8): is there one, its middle, its size, and scores of kinds."""
    layers, channels = [], 3
    for width, stride in ((16, 1), (16, 2), (32, 1), (32, 2), (64, 1), (64, 2), (64, 1)):
        layers += [nn.Conv2d(channels, width, 3, stride, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Conv2d(channels, 5 + len(KINDS), 1))


def targets(boxes, cells):
    """What each cell should say: (n, 6, cells, cells), the last the number of the kind; 0 where there is no middle."""
    wanted = np.zeros((len(boxes), 6, cells, cells), np.float32)
    for image, found in zip(wanted, boxes):
        for x1, y1, x2, y2, kind in found:
            (column, right), (row, down) = divmod((x1 + x2) / 2 / CELL, 1), divmod((y1 + y2) / 2 / CELL, 1)
            image[:, int(row), int(column)] = 1, right, down, np.log((x2 - x1) / CELL), np.log((y2 - y1) / CELL), kind - 1
    return torch.from_numpy(wanted)


def loss_of(out, wanted):
    """Whether there is something is asked of every cell; where, how large and what only of those that have something."""
    there = wanted[:, 0] == 1
    out, wanted_there = out.permute(0, 2, 3, 1), wanted.permute(0, 2, 3, 1)[there]
    objectness = F.binary_cross_entropy_with_logits(out[..., 0], wanted[:, 0], reduction="sum")
    place = F.mse_loss(out[there][:, 1:3].sigmoid(), wanted_there[:, 1:3], reduction="sum")
    size = F.mse_loss(out[there][:, 3:5], wanted_there[:, 3:5], reduction="sum")
    kind = F.cross_entropy(out[there][:, 5:], wanted_there[:, 5].long(), reduction="sum")
    return (objectness + 5 * place + 5 * size + kind) / len(out)


@torch.no_grad()
def detect(model, images, least=0.05):
    """For each image the boxes found, their scores and kinds: those of cells that say more than `least`, each thing once."""
    model.eval()
    found = []
    for out in torch.cat([model(part) for part in images.split(50)]):
        row, column = torch.meshgrid(*(torch.arange(side) for side in out.shape[1:]), indexing="ij")
        middle = (out[1:3].sigmoid() + torch.stack([column, row])) * CELL
        size = out[3:5].exp() * CELL
        boxes = torch.cat([middle - size / 2, middle + size / 2]).flatten(1).T
        chances, kinds = out[5:].softmax(dim=0).flatten(1).max(dim=0)
        scores = out[0].sigmoid().flatten() * chances
        kept = (scores > least).nonzero()[:, 0]
        kept = kept[batched_nms(boxes[kept], scores[kept], kinds[kept], iou_threshold=0.4)]
        found.append((boxes[kept], scores[kept], kinds[kept]))
    return found


def average_precision(found, truth, kind, least=0.5):
    """The area under precision over recall of one kind: boxes count from the surest on, if they overlap one that is free."""
    hits, there = [], 0
    for (boxes, scores, kinds), true in zip(found, truth):
        true = torch.from_numpy(true[true[:, 4] == kind + 1, :4])
        there += len(true)
        mine = kinds == kind
        taken = set()
        for score, overlap in zip(scores[mine].tolist(), box_iou(boxes[mine], true)):
            best = overlap.argmax().item() if len(true) else None
            hit = best is not None and overlap[best].item() >= least and best not in taken
            taken |= {best} if hit else set()
            hits.append((score, hit))
    right = np.cumsum([hit for _, hit in sorted(hits, key=lambda one: -one[0])])
    precision = right / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]  # at each recall the best that it or a higher one has
    recall = right / there
    return float(np.sum(np.diff(recall, prepend=0) * precision)), recall, precision


def train(model, images, boxes, args):
    wanted = targets(boxes, images.shape[2] // CELL)
    optimizer = optim.AdamW(model.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=args.epochs * -(-len(images) // args.batch))
    bar = progress(range(args.epochs))
    for _ in bar:
        for chosen in torch.randperm(len(images)).split(args.batch):
            loss = loss_of(model(images[chosen]), wanted[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        bar.set_postfix(loss=f"{loss.item():.3f}")


def draw(images, truth, found, curves, path):
    """The fullest of some held-out scenes with what was found in them, and precision over recall of each kind."""
    figure = plt.figure(figsize=(7.4, 4.2))
    places = figure.add_gridspec(2, 4, width_ratios=[1, 1, 1, 1.5])
    colours = ["tab:orange", "tab:red", "tab:blue"]
    fullest = sorted(range(60), key=lambda k: -len(truth[k]))[:6]
    for k, scene in enumerate(fullest):
        boxes, scores, kinds = found[scene]
        ax = figure.add_subplot(places[k // 3, k % 3], xticks=[], yticks=[])
        ax.imshow(images[scene].permute(1, 2, 0))
        for (x1, y1, x2, y2), score, kind in zip(boxes.tolist(), scores.tolist(), kinds.tolist()):
            if score > 0.5:
                for colour, width in (("white", 3), (colours[kind], 1.5)):
                    ax.add_patch(plt.Rectangle((x1 - 0.5, y1 - 0.5), x2 - x1, y2 - y1, fill=False, edgecolor=colour,
                                               linewidth=width))
    ax = figure.add_subplot(places[:, 3], xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    for name, colour, (area, recall, precision) in zip(KINDS, colours, curves):
        ax.plot(recall, precision, color=colour, label=f"{name}, AP {area:.2f}")
    ax.legend(loc="lower left")
    figure.savefig(path)


def main():
    args = options(__doc__, images=(1500, 150), epochs=(16, 7), batch=(8, 5))
    images, _, boxes = data.shapes(args.images + (60 if args.quick else 240), args.seed)
    images = torch.from_numpy(images)
    test, truth = images[args.images:], boxes[args.images:]

    torch.manual_seed(args.seed)
    model = detector()
    before = np.mean([average_precision(detect(model, test), truth, kind)[0] for kind in range(len(KINDS))])
    train(model, images[:args.images], boxes[:args.images], args)
    found = detect(model, test)
    curves = [average_precision(found, truth, kind) for kind in range(len(KINDS))]
    strict = np.mean([average_precision(found, truth, kind, least=0.75)[0] for kind in range(len(KINDS))])
    mean = np.mean([area for area, _, _ in curves])
    for name, (area, recall, _) in zip(KINDS, curves):
        print(f"{name:9} average precision {area:.1%}, of those there {max(recall, default=0):.1%} were found")
    draw(test, truth, found, curves, args.out / "found.png")
    report(args, f"Mean average precision on {len(test)} held-out scenes, boxes overlapping by half: {mean:.1%} (by three "
                 f"quarters {strict:.1%}, of the network before training {before:.1%}).",
           picture="found.png", precision=float(mean), strict=float(strict), before=float(before))


if __name__ == "__main__":
    main()
