"""Declaring operations, and recording what is done with them.

Read :mod:`~minigrad.recording.op` (how an operation is declared), :mod:`~minigrad.recording.codegen` (the call path that is
generated from the declaration), :mod:`~minigrad.recording.graph` (the nodes and edges that a call records). Nothing here
differentiates: that is :mod:`minigrad.autograd`.
"""
