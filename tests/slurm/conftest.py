"""A real Slurm of the tests' own, and a study whose networks take long enough to be disturbed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from checkouts import Checkout, checkout
from clusters import LONG, Cluster, Study, copied, model

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
    for process in Study.started:
        process.kill()
    subprocess.run([CLUSTER, "stop", folder], check=True, timeout=120)
    shutil.rmtree(parent)


@pytest.fixture(scope="session")
def prepared(once) -> Checkout:
    """Data and labels of the study; nothing is trained."""

    def prepare(folder):
        made = checkout(folder)
        made.take_mnist()
        made.write_study(LONG)
        done = made.snakemake("--until", "corrupt_labels", "--", "fig7a", "fig1b")
        assert done.returncode == 0, done.stdout + done.stderr

    return Checkout(once("prepared", prepare))


@pytest.fixture(scope="session")
def unbroken(prepared, once) -> Study:
    """The study's networks, trained here and undisturbed."""

    def train(folder):
        folder.rmdir()
        done = copied(prepared, folder).snakemake("--", *(model(seed) for seed in range(5)))
        assert done.returncode == 0, done.stdout + done.stderr

    return Study(once("unbroken", train))


@pytest.fixture
def study(cluster, prepared, tmp_path) -> Study:
    """A checkout in which nothing is trained yet; its data and labels are there."""
    return copied(prepared, tmp_path / "study")
