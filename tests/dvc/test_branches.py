"""Two branches with different settings, both recorded: what a checkout of either leaves to do."""


def test_two_branches_each_have_nothing_to_do_after_a_checkout(author, tmp_path):
    study = author.copy(tmp_path / "study")
    study.do("git", "checkout", "-q", "-b", "more")
    study.edit("configs/tiny.yaml", "repeats: 2", "repeats: 3")
    assert "not up to date, so not recorded: fig2a" in study.refused("push", "fig2a")
    assert study.snakemake().returncode == 0
    recorded = "asked, noise-mnist_corruption, table-mnist_corruption-noise, fig2a, claims\n"
    assert f"recorded: {recorded}" in study.script("push")
    study.commit("More repeats")
    assert "fig2a_clean_above_corrupted" in study.dvc("metrics", "diff", "main")
    assert "defaults.add_noise.repeats" in study.dvc("params", "diff", "main")
    for branch in ("main", "more"):
        study.do("git", "checkout", "-q", branch)
        study.dvc("checkout")
        study.script("pull")
        assert study.jobs() == {}
        assert "up to date" in study.dvc("status")
        assert study.do("git", "status", "--porcelain") == ""
