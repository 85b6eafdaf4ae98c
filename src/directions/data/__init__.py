"""Data sets: how their files are found and read (`registry`), and the one file that all later stages read.

Torch and torchvision are imported only where needed, by `Known.prepare`, as label corruption and the
workflow's parsing use this package too.
"""

from directions.data.dataset import SPLITS, Dataset, load, load_labels

__all__ = ["SPLITS", "Dataset", "load", "load_labels"]
