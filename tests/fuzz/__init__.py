"""Random programs of views, in-place writes, indexing, promotion, layers and backward passes, and what must hold for all of them.

    python -m tests.fuzz --programs 20000                          against PyTorch, where it is installed
    python -m tests.fuzz --programs 2000 --oracle differences      against finite differences
    python -m tests.fuzz.files --files 20000                       another one: changed files, and their reader (`files`)

A program is a list of lines of Python that use ``torch``, which is minigrad or PyTorch. After every line everything that a user
can see of every tensor must agree. What does not is made as short as it gets and printed, so that it can be pasted and run.

* `program`: what a program is, how it is run, what is seen of it.
* `grammar`: the lines that are drawn.
* `oracles`: comparing with PyTorch, and gradients with finite differences.
* `shrink`: the shortest program that still shows a disagreement.
"""
