"""Networks of the user's own: their factory, weights, layers, data, and what the workflow asks about them.

`userfile`, `plan`: what the workflow reads while it plans; `weightfile`, `activations`, `layers`, `network`:
from a factory to a network whose units are known; `arrays`: data; `call`: all of it from plain Python.
"""
