import math

from directions.workflow.run_times import times


def test_memory_of_forked_jobs_is_not_known(tmp_path):
    """Snakemake has measured the process that asked for the fork."""
    for name, seconds, memory in (("units/a", 4.0, 14.7), ("units/b", 6.0, 812.0), ("labels/c", 1.0, 14.6)):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"s\tmax_rss\n{seconds}\t{memory}\n")
    found = times(tmp_path)
    assert list(found.loc["units"]) == [2, 5.0, 10.0, 812.0]
    assert math.isnan(found.loc["labels", "memory_mib"])
