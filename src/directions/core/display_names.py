"""Printed names of data sets, for figures and the claims table."""

DATASETS = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cifar10_jpeg": "CIFAR-10, JPEG copy",
    "cifar10_first4000": "CIFAR-10, first 4,000 images",
    "cifar10_jpeg_first4000": "CIFAR-10, JPEG copy, first 4,000 images",
    "imagenet": "ImageNet",
    "imagefolder": "own images",
}
