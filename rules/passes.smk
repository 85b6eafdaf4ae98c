"""Several networks in one pass over a device: which runs share one, and what its rule, `train_many`, is given."""

from types import SimpleNamespace

from directions.study import passes

PASS = "results/{study}/passes/{experiment}/{batch}.json"
PASSES = {}  # {experiment: {batch: runs that are trained together}}; filled once `train_many` is known


def passes_of(runs, size):
    """Return {experiment: {batch: runs}} of passes of at most `size` networks."""
    if not (isinstance(size, int) and 1 <= size <= 64):
        raise WorkflowError(
            f"networks_per_job of train_many is {size}: a whole number from 1 to 64 is needed"
        )
    return {
        name: {f"{place:03d}": batch for place, batch in enumerate(passes.passes(group, size), start=1)}
        for name, group in runs.items()
    }


def passed_with(wildcards):
    """Return the pass, as an input of `train`, in which a network is trained with others; nothing if it exists."""
    for batch, runs in PASSES[wildcards.experiment].items():
        if wildcards.run in runs and not trained(wildcards):
            return {"passed": PASS.format(batch=batch, **wildcards)}
    return {}


def trained(wildcards):
    """Return whether the model of a run exists, with its settings."""
    header = snakemake_records.header_of(Path(paths.NETWORK.at(**wildcards)["model"]))
    asked = json.loads(ANCESTRY.asked("train", **wildcards))
    return all(header.get(key) == asked[key] for key in ("settings", "recipe"))


def of_pass(wildcards):
    """List what `wildcards` are for each run of a pass."""
    runs = PASSES[wildcards.experiment].get(wildcards.batch, ())
    return [SimpleNamespace(study=wildcards.study, experiment=wildcards.experiment, run=run) for run in runs]


def inputs_of_pass(wildcards):
    """Return data and label ledgers of a pass, each once."""
    runs = of_pass(wildcards)
    return {"data": sorted({*map(data_of, runs)}), "ledgers": sorted({*map(ledger_of, runs)})}


def runs_of_pass(wildcards):
    """Return the option --runs of train_many.py."""
    found = {}
    for run in of_pass(wildcards):
        found[run.run] = {
            "settings": json.loads(ANCESTRY.asked("train", **vars(run)))["settings"],
            "data": data_of(run),
            "ledger": ledger_of(run),
            "resume": RESUME.format(**vars(run)),
            "model": paths.NETWORK.at(**vars(run))["model"],
        }
    return json.dumps(found, sort_keys=True)


def of_every_run(wildcards):
    """Return the files of all runs of an experiment from which a table is collected."""
    names = {"study": wildcards.study, "experiment": wildcards.experiment}
    return expand(paths.fill(paths.collected(wildcards.table), **names), run=RUNS[wildcards.experiment])
