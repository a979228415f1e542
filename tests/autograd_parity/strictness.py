"""What ``autograd.functional`` refuses, in general and in strict mode."""

from tests.autograd_parity import program


def said(calls):
    """For each call and word, whether the call raises an error that says the word; else the error, or that there is none."""
    found = []
    for call, kind, word in calls:
        try:
            call()
            found.append("no error")
        except kind as error:
            found.append(True if word in str(error) else str(error))
    return found


@program
def what_functional_refuses(t):
    f = t.autograd.functional
    x, v = t.rand(4), t.ones(4)

    def many(a):
        return 3 * a.narrow(0, 0, 3)

    def number(a):
        return a.sum()

    def text(a):
        return a * 10, "text"

    calls = []
    functions = {"vjp": many, "jvp": many, "jacobian": many, "hessian": number, "hvp": number, "vhp": number}
    for name, function in functions.items():
        rest = () if name in ("jacobian", "hessian") else (t.ones(3) if name == "vjp" else v,)
        called = getattr(f, name)
        calls += [(lambda c=called, g=function, r=rest: c(g, (x, 2), *r), TypeError,
                   f"The inputs given to {name} must be either a Tensor"),
                  (lambda c=called, r=rest: c(text, x, *r), TypeError,
                   f"The outputs of the user-provided function given to {name} must")]
        if rest:
            calls += [(lambda c=called, g=function, r=rest: c(g, x, r * 2), RuntimeError,
                       "The given v should contain a single Tensor."),
                      (lambda c=called, g=function, r=rest: c(g, x, r[0][:2]), RuntimeError, "v has invalid size: should be"),
                      (lambda c=called, g=function: c(g, x), RuntimeError, "v can only be None if")] if name != "hvp" else []
        if name in ("hessian", "hvp", "vhp"):
            calls += [(lambda c=called, r=rest: c(lambda a: (a.sum(), a.sum()), x, *r), RuntimeError,
                       f"The function given to {name} should return a single Tensor"),
                      (lambda c=called, r=rest: c(lambda a: a, x, *r), RuntimeError,
                       f"The Tensor returned by the function given to {name} should contain a single element")]
    return said(calls)


@program
def what_strict_mode_refuses(t):
    f = t.autograd.functional
    x, v = t.rand(4), t.ones(4)

    def cut(a):
        return a.detach().sum() if a.ndim else a.detach()

    def unrelated(a):
        return a.long().float().requires_grad_().clone().sum()

    def linear(a):
        return a.sum()

    def square(a):
        return (a * a).sum()

    calls, one = [], t.ones(())
    for name in ("vjp", "jvp", "jacobian", "hessian", "hvp", "vhp"):
        called = getattr(f, name)
        rest = () if name in ("jacobian", "hessian") else (one if name == "vjp" else v,)
        calls += [(lambda c=called, r=rest: c(cut, x, *r, strict=True), RuntimeError,
                   "Output 0 of the user-provided function does not require gradients."),
                  (lambda c=called, r=rest: c(unrelated, x, *r, strict=True), RuntimeError,
                   "independent of")]
        if name in ("vjp", "jvp", "jacobian"):
            calls.append((lambda c=called, r=rest: c(linear, x, *r, create_graph=True, strict=True), RuntimeError,
                          "jacobian of the user-provided function is independent of input 0."))
        else:
            calls.append((lambda c=called, r=rest: c(linear, x, *r, strict=True), RuntimeError,
                          "jacobian of the user-provided function with respect to input 0"))
        if name in ("hvp", "vhp"):
            calls.append((lambda c=called, r=rest: c(square, x, *r, create_graph=True, strict=True), RuntimeError,
                          "hessian of the user-provided function is independent of input 0"))
    return said(calls)
