"""Functions of functions: ``grad``, ``vjp``, ``jacrev``, ``vmap`` ... with the names of ``torch.func``.

What they take and give may be tensors or nested tuples, lists and dictionaries of tensors. They nest: ``grad(grad(f))``.

Costs: reverse mode is the only mode. A product with a Jacobian from the right (:func:`jvp`, :func:`jacfwd`, :func:`linearize`)
is the derivative of a derivative and costs about two backward passes. :func:`vmap` calls the function once for each index and
stacks: it saves writing the loop, not running it.
"""

from minigrad.func._modules import replace_all_batch_norm_modules_, stack_module_state
from minigrad.func._transforms import (
    debug_unwrap,
    functionalize,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)
from minigrad.func._vmap import vmap
from minigrad.nn.utils.stateless import functional_call

__all__ = ["debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp",
           "linearize", "replace_all_batch_norm_modules_", "stack_module_state", "value_and_grad", "vjp", "vmap"]
