"""The repository's own studies, loaded with values on top as the command line puts them."""

from pathlib import Path

import pytest

from directions.core.errors import InputError
from directions.study import config

ROOT = Path(__file__).parents[1]


def given(**over):
    """config.yaml as it is in the repository, with values as the command line puts them."""
    return config.merge(config.read_yaml(ROOT / "config.yaml"), over)


def load(**over):
    return config.load(given(**over), ROOT)


def refused(**over):
    with pytest.raises(InputError) as caught:
        load(**over)
    return str(caught.value)


def corruption(**over):
    """An override of one experiment; the paper study, as its values are the paper's and not tuned."""
    return {"study": "paper", "experiments": {"mnist_corruption": over}}


def convolutional(name, **over):
    """An override of one of the paper's experiments with conv11."""
    return {"study": "paper", "experiments": {name: over}}


def residual(name="resnet_corruption", **over):
    """An override of one of the paper's experiments with ResNet-50 on ImageNet."""
    return {"study": "paper", "experiments": {name: over}}
