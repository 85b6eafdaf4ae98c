"""Own networks, supplied by the user: factory, weights, layers, data, and the jobs that they need.

`userfile`, `plan`: read by the workflow while it plans; `weightfile`, `activations`, `layers`, `network`:
from a factory to a network with known units; `arrays`: data; `call`: everything from plain Python.
"""
