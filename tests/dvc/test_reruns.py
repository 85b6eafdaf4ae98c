"""Changes that are really run: by `dvc repro`, and by a job that fails."""

import re

BINS = ("configs/tiny.yaml", "bins: 4", "bins: 5")


def test_repro_in_a_clone_pulls_what_it_needs_and_does_what_snakemake_would(reader, tmp_path):
    study = reader.copy(tmp_path / "study")
    study.edit(*BINS)
    said = study.dvc("repro", "--pull", "--allow-missing", "fig7a")
    assert re.findall(r"Running stage '(.+)'", said) == [
        "asked", "units-mnist_selectivity", "table-mnist_selectivity-units", "fig7a"
    ]  # fmt: skip
    assert re.findall(r"^(?:local)?rule (\w+):", said, re.MULTILINE) == ["measure_units", "collect", "fig7a"]
    assert study.jobs("fig7a") == {}
    assert "Running stage" not in study.dvc("repro", "--allow-missing", "fig7a")


def test_an_old_figure_is_never_called_current(whole, tmp_path):
    """A failed job leaves a record of its new settings: Snakemake alone would take the old figure for new."""
    study = whole.copy(tmp_path / "study")
    study.edit(*BINS)
    blocked = study.folder / "results/tiny/figures/.fig7a.partial.png"
    blocked.mkdir()  # the figure's job will fail
    assert study.snakemake("--", "fig7a").returncode != 0
    blocked.rmdir()
    assert study.jobs("fig7a") == {"fig7a": 1}
    study.dvc("checkout", "fig7a")  # the old one, newer than all it could be made from
    assert study.jobs("fig7a") == {"fig7a": 1}
    assert "fig7a 1" in study.script("pull", "fig7a")
    assert "not up to date, so not recorded: fig7a" in study.refused("push", "fig7a")
    study.edit(*BINS[:1], *reversed(BINS[1:]))
    study.script("pull", "fig7a")  # settings taken back: what they made gives way to what is recorded
    assert study.jobs("fig7a") == {}
