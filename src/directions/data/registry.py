"""Registry of data sets. To add one, write a module like `mnist.py` and list it here.

Not imported by the package's __init__, so that a change in how files are fetched reruns no analysis.
"""

from directions.data.cifar10 import CIFAR10
from directions.data.cifar10_first4000 import CIFAR10_FIRST4000, CIFAR10_JPEG_FIRST4000
from directions.data.cifar10_jpeg import CIFAR10_JPEG
from directions.data.clones import MNIST_CLONES_FULL, MNIST_CLONES_ISOTROPIC
from directions.data.imagefolder import IMAGEFOLDER
from directions.data.imagenet import IMAGENET
from directions.data.mnist import FASHION_MNIST, MNIST, MNIST_4V9
from directions.data.nlgp import NLGP, NLGP_GAUSSIAN
from directions.data.pvr import PVR, PVR_SUM, PVR_SUM_HOLDOUT
from directions.data.pvr_block import PVR_BLOCK, PVR_BLOCK_HOLDOUT
from directions.data.specs import Known

CIFAR = (CIFAR10, CIFAR10_JPEG, CIFAR10_FIRST4000, CIFAR10_JPEG_FIRST4000)
GENERATED = (
    *(PVR, PVR_SUM, PVR_SUM_HOLDOUT, PVR_BLOCK, PVR_BLOCK_HOLDOUT),
    *(MNIST_CLONES_ISOTROPIC, MNIST_CLONES_FULL, NLGP, NLGP_GAUSSIAN),
)
KNOWN: dict[str, Known] = {
    known.name: known
    for known in (MNIST, MNIST_4V9, FASHION_MNIST, *CIFAR, IMAGENET, IMAGEFOLDER, *GENERATED)
}
