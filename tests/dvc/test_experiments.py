"""`dvc exp`: another setting tried out without a branch, and what comes out beside the last commit."""

REPEATS = "configs/tiny.yaml:defaults.add_noise.repeats"


def test_a_setting_is_tried_out_and_its_verdicts_are_listed(author, tmp_path):
    """As docs/SHARING.md shows; afterwards, everything can be as it was."""
    study = author.copy(tmp_path / "study")
    study.dvc("exp", "run", "--name", "more", "--set-param", f"{REPEATS}=3", "fig2a", "claims")
    said = study.dvc("exp", "show", "--only-changed", "--drop", "^(?!Exp|.*(mean|repeats))", "--md")
    heads, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.strip().split("\n")]
    assert heads == ["Experiment", "fig2a_mean_0.0.estimate", "fig2a_mean_1.0.estimate", REPEATS]
    workspace, main, more = rows
    assert [workspace[0], main[0], more[0].split("[")[1]] == ["workspace", "main", "more]"]
    assert [workspace[-1], main[-1], more[-1]] == ["3", "2", "3"]
    assert workspace[1:] == more[1:]
    assert main[1] != more[1]
    assert study.jobs() == {}

    study.do("git", "checkout", "--quiet", "configs", "data", "dvc.lock")
    study.dvc("checkout")
    study.script("pull")
    assert study.jobs() == {}
    assert study.do("git", "status", "--porcelain") == ""
