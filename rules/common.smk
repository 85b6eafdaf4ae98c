"""Names: which runs exist, where their files lie, what each job is asked. Nothing else is computed here."""

import json
import re
import shlex
import sys
from pathlib import Path

# The library of this very checkout, wherever another copy of it may be installed: here and in all jobs.
sys.path.insert(0, f"{workflow.basedir}/src")
shell.prefix('export PYTHONPATH="src${{PYTHONPATH:+:$PYTHONPATH}}"; ')

from directions import config as study_config
from directions.analyses import DERIVED, MADE_BY
from directions.data.registry import KNOWN
from directions.ending import summary
from directions.errors import InputError
from directions.figures import FIGURES
from directions.provenance import Ancestry, code_of
from directions.runs import expand as expand_runs, labels as label_ledgers, labels_name
from snakemake.exceptions import WorkflowError

try:
    STUDY = study_config.load(config, Path(workflow.basedir))
except InputError as error:
    raise WorkflowError(str(error)) from None
RUNS = expand_runs(STUDY)
DISTRIBUTED = {name for name, runs in RUNS.items() if all(run["norm_batch"] for run in runs.values())}
ANCESTRY = Ancestry(STUDY)
DATA = f"{STUDY['data_root']}/{{dataset}}.safetensors"
ENVIRONMENT = f"{workflow.basedir}/environment.yaml"


def one_of(names):
    """A pattern for exactly these names: any other is no file of this study."""
    return "|".join(re.escape(name) for name in sorted(set(names))) or "(?!)"


wildcard_constraints:
    study=re.escape(STUDY["study"]),
    dataset=one_of(KNOWN),
    labels=one_of(name for ledgers in label_ledgers(RUNS).values() for name in ledgers),
    experiment=one_of(RUNS),
    run=one_of(run for group in RUNS.values() for run in group),
    table=one_of(MADE_BY.keys() - set(DERIVED)),


def asked(stage, **names):
    """The one parameter of a rule: what the job does and the digest of all settings upstream of it."""
    return lambda wildcards: ANCESTRY.asked(stage, **names, **wildcards)


def imagefolder_options(wildcards):
    """Where the user's own images lie, how large they are made, whether they stay in their files; else nothing."""
    if wildcards.dataset != "imagefolder":
        return ""
    chosen = STUDY["imagefolder"]
    stream = " --stream" if chosen.get("stream") else ""
    return f"--imagefolder {shlex.quote(chosen['path'])} --size {chosen['size']}{stream}"


def code(script, *modules):
    """The script and all it imports, as inputs: a change there redoes exactly the jobs that run it."""
    return code_of(f"scripts/{script}.py", workflow.basedir, modules)


def in_study(path):
    """A path without wildcards, so that its rule can be asked for by name."""
    return path.format(study=STUDY["study"])


def data_of(wildcards):
    """The data set of a run."""
    return DATA.format(dataset=RUNS[wildcards.experiment][wildcards.run]["dataset"])


def ledger_of(wildcards):
    """The label ledger of a run; runs that train on equal labels share one."""
    settings = RUNS[wildcards.experiment][wildcards.run]
    return f"results/{wildcards.study}/labels/{settings['dataset']}/{labels_name(settings)}.parquet"


def of_every_run(wildcards):
    """The files of all runs of an experiment that a table is collected from."""
    folder, name = {
        "runs": ("models", "{run}/record.json"),
        "history": ("models", "{run}/history.csv"),
    }.get(wildcards.table, (wildcards.table, "{run}.csv"))
    path = f"results/{wildcards.study}/{folder}/{wildcards.experiment}/{name}"
    return expand(path, run=RUNS[wildcards.experiment])


def tables_of_figure(figure):
    """{name: path} of the tables that a figure reads."""
    folder = in_study(f"results/{{study}}/tables/{STUDY['draw'][figure]}")
    return {table: f"{folder}/{table}.csv" for table in FIGURES[figure]}


def failed_run():
    """For the end of a run that failed: which figures are ready, which are not, and why."""
    graph = workflow.dag
    planned, unfinished = ({job.rule.name for job in jobs} for jobs in (graph.jobs, graph.needrun_jobs()))
    figures = [figure for figure in STUDY["figures"] if figure in planned]
    failed = {}
    for job in workflow.scheduler.failed:
        stopped = {after.rule.name for after in graph.bfs(graph.depending, job)}
        failed[job.log[0]] = [figure for figure in figures if figure in stopped]
    drawn = [figure for figure in figures if figure not in unfinished]
    return summary(drawn, [f for f in figures if f in unfinished], failed)
