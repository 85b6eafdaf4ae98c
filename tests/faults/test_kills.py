"""Random kills of runs, pushes and pulls: at whatever moment, what is documented ends as if undisturbed.

Once each in `make test`; `make test-faults KILLS=20 SEED=1` for more, and for other moments.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from checkouts import Checkout
from kills import KILLS, Killer, contents

FIGURE, EXPERIMENT, KINDS = "fig1b", "conv_corruption", ("pdf", "png")
TABLES = [f"results/tiny/tables/{EXPERIMENT}", *(f"results/tiny/figures/{FIGURE}.{kind}" for kind in KINDS)]
MADE = [f"results/tiny/models/{EXPERIMENT}", f"results/tiny/ablation/{EXPERIMENT}", *TABLES]
RUN = [sys.executable, "-m", "snakemake", "--cores", "2", "--", FIGURE]
PUSH = [sys.executable, "tools/push.py"]
PULL = [sys.executable, "tools/pull.py", FIGURE]


def places(folder: Path) -> Iterator[Path]:
    """A path for each trial; what lies there is removed before the next."""
    for number in range(KILLS):
        yield folder / f"trial-{number}"
        shutil.rmtree(folder / f"trial-{number}")


def test_a_run_that_was_killed_whole_and_without_its_jobs_ends_with_the_same_bytes(built, tmp_path):
    right, killer = contents(built.folder, MADE), Killer("run")
    for place in places(tmp_path):
        study = Checkout(shutil.copytree(built.folder, place, symlinks=True))
        for path in right:
            (place / path).unlink()
        for whole in (True, False):
            if killer.run(RUN, place, whole):
                assert study.snakemake("--unlock").returncode == 0
        done = study.snakemake("--", FIGURE)
        assert done.returncode == 0, done.stdout + done.stderr
        assert contents(place, MADE) == right
        assert study.jobs(FIGURE) == {}


def test_a_push_that_was_killed_is_completed_by_the_next(author, tmp_path):
    records = [author.folder / "dvc.lock", *(author.folder / "data/raw").glob("*.dvc")]
    recorded_there = "".join(record.read_text() for record in records)
    stored = contents(Path(author.dvc("config", "remote.storage.url").strip()), ["files"])
    # Of what lies there, what the author recorded: other tests may have shared results of their own.
    right = {path: data for path, data in stored.items() if "".join(Path(path).parts[2:]) in recorded_there}
    assert len(right) > 20
    killer = Killer("push")
    for place in places(tmp_path):
        study = author.copy(place)
        study.remote(str(place / "storage"))
        (place / "dvc.lock").unlink()
        killer.run(PUSH, place)
        study.script("push")
        assert contents(place / "storage", ["files"]) == right
        assert recorded(study) == recorded(author)


def recorded(study: Checkout) -> dict:
    return yaml.load((study.folder / "dvc.lock").read_text(), Loader=yaml.CSafeLoader)


def test_a_pull_that_was_killed_is_completed_by_the_next_or_says_what_unlocks_it(author, tmp_path):
    right, killer = contents(author.folder, TABLES), Killer("pull")
    for place in places(tmp_path):
        study = author.clone(place)
        killer.run(PULL, place)
        if study.run(*PULL):
            assert "`snakemake --unlock`" in study.said
            assert study.snakemake("--unlock").returncode == 0
            study.do(*PULL)
        assert contents(place, TABLES) == right
        assert study.jobs(FIGURE) == {}
