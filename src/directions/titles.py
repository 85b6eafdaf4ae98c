"""Printed names of data sets, for figures and for the claims table."""

DATASETS = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cifar10_jpeg": "CIFAR-10, JPEG copy",
    "imagenet": "ImageNet",
    "imagefolder": "own images",
}
