"""One study, built and pushed once, and clones of it, copied for each test that changes something."""

from pathlib import Path

import pytest
from dvc_shares import Share


@pytest.fixture(scope="session")
def author(built, once) -> Share:
    """The tiny study, complete, recorded in dvc.lock, pushed and committed. Not to be changed."""

    def share(folder: Path) -> None:
        made = Share(built.folder).copy(folder / "checkout")
        made.do("git", "init", "--quiet", "--initial-branch=main")
        made.remote(str(folder / "storage"))
        for path in (made.folder / "asked").glob("*.yaml"):
            path.unlink()  # the studies that this repository shares
        (made.folder / "dvc.lock").unlink(missing_ok=True)
        made.script("write_stages")
        made.commit("The code")
        made.script("push")
        made.commit("The study")

    return Share(once("author", share) / "checkout")


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
