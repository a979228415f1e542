"""Drawings: the model of the graph, how it is read, recorded, folded, laid out and shown."""
