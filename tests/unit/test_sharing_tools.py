"""DVC is called with its state in a folder of the checkout that nobody else can enter."""

import subprocess
import sys

import pytest

from directions.sharing import tools


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv(tools.SITE_CACHE, raising=False)


def test_dvc_keeps_its_pickled_state_where_only_its_owner_may_go(tmp_path):
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=tmp_path, check=True,
                   env={tools.SITE_CACHE: str(tmp_path / "other"), "HOME": str(tmp_path)})  # fmt: skip
    (tmp_path / ".dvc/tmp").chmod(0o777)
    tools.Dvc(tmp_path).do("status", "--json")
    site = tmp_path / ".dvc/tmp/site"
    assert site.stat().st_mode & 0o777 == 0o700
    assert list(site.rglob("cache.db"))


def test_a_folder_that_the_user_chose_stays(tmp_path, monkeypatch):
    monkeypatch.setenv(tools.SITE_CACHE, "/elsewhere")
    assert tools.private(tmp_path) == "/elsewhere"
    assert not (tmp_path / ".dvc").exists()
