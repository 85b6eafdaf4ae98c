"""Clones of the author's study, copied for each test that changes something."""

import pytest
from dvc_shares import Share


@pytest.fixture(scope="session")
def reader(author, once) -> Share:
    """A fresh clone with Figure 1a, pulled. Not to be changed."""
    made = once("reader", lambda folder: author.clone(folder / "checkout").script("pull", "fig1a"))
    return Share(made / "checkout")


@pytest.fixture(scope="session")
def whole(author, once) -> Share:
    """A fresh clone with everything, pulled. Not to be changed."""
    made = once("whole", lambda folder: author.clone(folder / "checkout").script("pull"))
    return Share(made / "checkout")
