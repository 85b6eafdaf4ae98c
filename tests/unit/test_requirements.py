"""requirements.lock: exact versions, each with the hashes of its files, and nothing about where they lie."""

import re

import yaml
from checkouts import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
ENTRY = r"[a-z][a-z0-9.-]*==\S+(?: ; [^\\\n]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n"


def test_every_package_has_a_version_and_hashes_and_no_line_says_else():
    assert re.fullmatch(f"(?:{ENTRY})+", LOCK)
    assert re.search(r"^setuptools==", LOCK, re.MULTILINE)  # which builds those that come as source


def test_conda_gets_the_same_versions():
    pinned: dict[str, str] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", LOCK, re.MULTILINE):
        pinned.setdefault(name, version)  # the first of several is that of Python 3.11
    *_, last = yaml.safe_load((ROOT / "environment.yaml").read_text())["dependencies"]
    for line in last["pip"]:
        name, version = line.split("==")
        assert pinned[name] == version
