"""One study, built and pushed once, and clones of it, copied for each test that changes something."""

import pytest
from dvc_shares import Share


@pytest.fixture(scope="session")
def author(built, tmp_path_factory) -> Share:
    """The tiny study, complete, recorded in dvc.lock, pushed and committed. Not to be changed."""
    folder = tmp_path_factory.mktemp("author")
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
    return made


@pytest.fixture(scope="session")
def reader(author, tmp_path_factory) -> Share:
    """A fresh clone with Figure 1a, pulled. Not to be changed."""
    made = author.clone(tmp_path_factory.mktemp("reader") / "checkout")
    made.script("pull", "fig1a")
    return made


@pytest.fixture(scope="session")
def whole(author, tmp_path_factory) -> Share:
    """A fresh clone with everything, pulled. Not to be changed."""
    made = author.clone(tmp_path_factory.mktemp("whole") / "checkout")
    made.script("pull")
    return made
