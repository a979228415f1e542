"""Programs that are wrong, each in the line that says so: type checkers must find these, and no others. It is never run."""

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F

x = mg.randn(3)
layer = nn.Linear(3, 4)

mg.exp("abc")  # wrong: no tensor
mg.exp(x, axis=0)  # wrong: no such setting
mg.randm(3)  # wrong: no such function
x.summ()  # wrong: no such method
x + "abc"  # wrong: no number
x.sum(dim="rows")  # wrong: no dimension
x.reshape("abc")  # wrong: no size
mg.cat(x, "abc")  # wrong: no dimension
mg.sort(x).value  # wrong: no such result
mg.zeros(2, dtype="float99", requires_grad="yes")  # wrong: no dtype
layer("abc")  # wrong: no tensor
layer(x, x)  # wrong: one input too many
nn.Linear(3)  # wrong: an argument is missing
nn.Linear("3", 4)  # wrong: no number
F.softmax(x, dim="abc")  # wrong: no dimension
F.cross_entropy(x)  # wrong: the target is missing
optim.Adam(3)  # wrong: a number in the place of parameters
optim.SGD(layer.parameters(), lr="fast")  # wrong: no number
mg.linalg.solve(x)  # wrong: an argument is missing
layer.weight.grad.sum()  # wrong: it may be None
text: str = x.sum()  # wrong: a tensor is no text
number: int = layer(x)  # wrong: a tensor is no number
