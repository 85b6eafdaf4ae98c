"""Data sets: what is known of each, how its files are found and read, and the one file all stages read.

Torch and torchvision are imported only where they are needed, by `Known.prepare`: label corruption
and the workflow's parsing use this package too. A new data set is one module like `mnist.py` and one
entry of `KNOWN`.
"""

from directions.data.cifar10 import CIFAR10
from directions.data.dataset import SPLITS, Dataset, load, load_labels
from directions.data.imagefolder import IMAGEFOLDER
from directions.data.known import Known, Request
from directions.data.mnist import FASHION_MNIST, MNIST

KNOWN: dict[str, Known] = {known.name: known for known in (MNIST, FASHION_MNIST, CIFAR10, IMAGEFOLDER)}

__all__ = ["KNOWN", "SPLITS", "Dataset", "Known", "Request", "load", "load_labels"]
