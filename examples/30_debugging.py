"""30. When it does not learn: faults are planted, and asked where they are.

Teaches: `explain` for gradients that are missing or zero, `detect_anomaly`, errors that say what is wrong, hints, `graph_memory`,
gradients by layer, and the test of one batch, which every network must be able to learn by heart.
Source: Glorot and Bengio (2010), https://proceedings.mlr.press/v9/glorot10a.html, for vanishing gradients; He et al. (2015),
https://arxiv.org/abs/1502.01852, for the remedy.
Result: 6 of 6 planted faults are named by what minigrad says of them. Ten layers of sigmoids pass 3e-07 of the gradient
down to the first and learn 20% of one batch; ReLU with weights by He passes 0.3 and learns 100%.
Time: 2 s on one core.
"""

from common import options, plt, progress, report
from data import digits

import minigrad as torch
from minigrad import nn, optim
from minigrad.autograd import detect_anomaly, explain, graph_memory
from minigrad.nn import functional as F


def message(step):
    """What the error says that a step raises."""
    try:
        step()
    except RuntimeError as error:
        return str(error)
    return "no error"


def cut_off(x, labels):
    """A detach() left over from an experiment: the encoder has no gradient."""
    encoder, decoder = nn.Linear(64, 8), nn.Linear(8, 64)
    loss = F.mse_loss(decoder(encoder(x).detach()), x)
    loss.backward(retain_graph=True)
    return f"decoder: {explain(decoder.weight, loss)}\nencoder: {explain(encoder.weight, loss)}"


def dead(x, labels):
    """A bias so low that no unit is ever above zero."""
    layer = nn.Linear(64, 8)
    nn.init.constant_(layer.bias, -100.0)
    loss = layer(x).relu().sum()
    loss.backward(retain_graph=True)
    return str(explain(layer.weight, loss))


def not_a_number(x, labels):
    """The entropy of an image: a pixel may be 0, and 0 log 0 is no number."""
    p = (x[0] / x[0].sum()).requires_grad_()

    def step():
        with detect_anomaly():
            (-(p * p.log()).sum()).backward()

    return message(step)


def shapes(x, labels):
    """An image that was not flattened."""
    return message(lambda: nn.Linear(64, 10)(x.view(-1, 1, 8, 8)))


def overwritten(x, labels):
    """A value is changed in place that the derivative needs."""
    weight = torch.zeros(64, requires_grad=True)

    def step():
        y = weight.exp()
        y += 1
        y.sum().backward()

    return message(step)


def not_cleared(x, labels):
    """zero_grad() is forgotten: each step also takes all those before it once more."""
    torch.set_hints("strict")  # hints are warnings; this makes them errors
    model = nn.Linear(64, 10)
    optimizer = optim.SGD(model.parameters(), lr=0.01)

    def steps():
        for _ in range(3):
            F.cross_entropy(model(x), labels).backward()
            optimizer.step()

    said = message(steps)
    torch.set_hints("warn")
    return said


# Each fault, and a word by which we know that what is said of it names the cause.
FAULTS = {"Why has this parameter no gradient?": (cut_off, "detach"), "And why is this one zero?": (dead, "ReluBackward0"),
          "Where does the NaN come from?": (not_a_number, "log at"), "The shapes do not fit": (shapes, "8 features"),
          "The gradient cannot be computed": (overwritten, "add_ at"), "The loss jumps": (not_cleared, "zero_grad()")}


def deep(activation, gain):
    """Ten hidden layers whose weights are drawn with standard deviation gain / sqrt(inputs)."""
    layers = []
    for inputs in (64, *[64] * 9):
        linear = nn.Linear(inputs, 64)
        nn.init.normal_(linear.weight, std=gain / inputs**0.5)
        nn.init.zeros_(linear.bias)
        layers += [linear, activation()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def gradients(model, x, labels):
    """The gradient that arrives at the weights of each layer, as root mean square."""
    F.cross_entropy(model(x), labels).backward()
    return [layer.weight.grad.square().mean().sqrt().item() for layer in model if isinstance(layer, nn.Linear)]


def learn_by_heart(model, x, labels, steps):
    """The share of one batch that is named right after so many steps on it."""
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in (bar := progress(range(steps), "one batch")):
        loss = F.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        bar.set_postfix(loss=loss.item())
    return (model(x).argmax(dim=1) == labels).float().mean().item()


def draw(path, by_layer, memory):
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.4))
    for name, sizes in by_layer.items():
        left.semilogy(range(1, len(sizes) + 1), sizes, "o-", label=name)
    left.set(title="Gradients by layer", xlabel="layer, the last is the output", xticks=range(1, 12),
             ylabel="root mean square of the gradient")
    left.legend(fontsize=8)
    right.barh(list(memory), [size / 1024 for size in memory.values()])
    right.set(title="What keeps the memory", xlabel="kept for the backward pass, KiB")
    right.invert_yaxis()
    figure.savefig(path)


def main():
    args = options(__doc__, steps=(300, 200))
    torch.manual_seed(args.seed)
    images, labels = (torch.from_numpy(array[:100]) for array in digits())
    x = images.flatten(1)
    named = 0
    for title, (fault, cause) in FAULTS.items():
        said = fault(x, labels)
        named += cause in said
        print(f"\n{title}\n{'-' * len(title)}\n{said}")

    kinds = {"sigmoid, weights small": (nn.Sigmoid, 1.0), "ReLU, weights by He": (nn.ReLU, 2**0.5)}
    by_layer, by_heart = {}, {}
    for name, kind in kinds.items():
        model = deep(*kind)
        by_layer[name] = gradients(model, x, labels)
        by_heart[name] = learn_by_heart(model, x, labels, args.steps)
        print(f"\n{name}: the first layer's gradient is {by_layer[name][0] / by_layer[name][-1]:.0e} of the last one's, "
              f"{by_heart[name]:.0%} of one batch learnt by heart")

    model = nn.Sequential()
    model.conv, model.relu, model.pool = nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2)
    model.flatten, model.out = nn.Flatten(), nn.Linear(144, 10)
    kept = graph_memory(F.cross_entropy(model(images), labels), model)
    print(f"\n{kept}")
    draw(args.out / "debugging.png", by_layer, kept.by_module)
    vanishing, healthy = (sizes[0] / sizes[-1] for sizes in by_layer.values())
    stuck, learnt = by_heart.values()
    report(args, f"{named} of {len(FAULTS)} planted faults are named by what minigrad says of them. Ten layers of sigmoids pass "
           f"{vanishing:.0e} of the gradient down to the first and learn {stuck:.0%} of one batch; ReLU with weights by He "
           f"passes {healthy:.1g} and learns {learnt:.0%}.",
           picture="debugging.png", named=named, vanishing=vanishing, healthy=healthy, stuck=stuck, learnt=learnt)


if __name__ == "__main__":
    main()
