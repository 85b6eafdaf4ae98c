"""Printed names of data sets, for figures and the claims table."""

DATASETS = {
    "mnist": "MNIST",
    "mnist_4v9": "MNIST, 4 and 9",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cifar10_jpeg": "CIFAR-10, JPEG copy",
    "cifar10_first4000": "CIFAR-10, first 4,000 images",
    "cifar10_jpeg_first4000": "CIFAR-10, JPEG copy, first 4,000 images",
    "imagenet": "ImageNet",
    "imagefolder": "own images",
    "pvr": "pointer value retrieval",
    "pvr_sum": "pointer value retrieval, sum of two",
    "pvr_sum_holdout": "pointer value retrieval, sum of two, held-out pairs",
    "pvr_block": "pointer value retrieval, MNIST digits",
    "pvr_block_holdout": "pointer value retrieval, MNIST digits, held out",
    "mnist_clones_isotropic": "MNIST's Gaussian clones, isotropic",
    "mnist_clones_full": "MNIST's Gaussian clones, full covariance",
    "nlgp": "non-linear Gaussian process",
    "nlgp_gaussian": "Gaussian process with nlgp's covariance",
}
