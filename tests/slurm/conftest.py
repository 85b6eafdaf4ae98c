"""A real Slurm of the tests' own, and a study whose one network takes long enough to be disturbed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from clusters import MODEL, Cluster, Study, prepared

CLUSTER = Path(__file__).parent / "cluster.sh"


@pytest.fixture(scope="session")
def cluster():
    """One for each process of pytest; it ends with it."""
    if os.geteuid() != 0:
        pytest.skip("starting a Slurm needs root")
    if shutil.which("slurmctld") is None:
        pytest.skip("no Slurm here: on Debian, as root and with a network, `make test-slurm` installs it")
    parent = Path(tempfile.mkdtemp(prefix="slurm-"))
    parent.chmod(0o755)  # munge runs as a user of its own, and pytest's folders are for one user only
    folder = parent / "cluster"
    subprocess.run([CLUSTER, "start", folder], check=True, stdin=subprocess.DEVNULL, timeout=120)
    os.environ["SLURM_CONF"] = f"{folder}/etc/slurm.conf"
    os.environ["PATH"] = f"{folder}/bin:{os.environ['PATH']}"
    yield Cluster(folder)
    subprocess.run([CLUSTER, "stop", folder], check=True, timeout=120)
    shutil.rmtree(parent)


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory) -> Study:
    """The study's network, trained here and undisturbed."""
    made = prepared(tmp_path_factory.mktemp("unbroken"))
    done = made.snakemake("--", MODEL)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture
def study(cluster, unbroken, tmp_path) -> Study:
    """A checkout in which nothing is trained yet; its data and labels are there."""
    made = Study(shutil.copytree(unbroken.folder, tmp_path / "study", symlinks=True))
    shutil.rmtree(made.folder / "results/tiny/models")
    shutil.rmtree(made.folder / "logs")
    return made
