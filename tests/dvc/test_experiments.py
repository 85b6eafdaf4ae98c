"""`dvc exp`: another setting tried out without a branch, and its verdicts beside those of the last commit."""

import csv


def test_a_setting_is_tried_out_and_its_verdicts_are_listed(author, tmp_path):
    study = author.copy(tmp_path / "study")
    study.dvc(
        "exp",
        "run",
        "--name",
        "more",
        "--set-param",
        "configs/tiny.yaml:defaults.add_noise.repeats=3",
        "claims",
    )
    print(study.said)
    shown = study.dvc("exp", "show", "--csv", "--only-changed")
    print(shown)
    print(study.dvc("exp", "diff"))
    print(study.do("git", "status", "--short"))
    assert 0
