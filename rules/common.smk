"""Names shared by all rules: which runs exist, the paths of their files, and job fingerprints."""

import json
import os
import re
import shlex
import sys
from pathlib import Path

# When Slurm signals the shell, it waits for its script, which may be writing a snapshot (preemption.py).
if HERE == BASE:
    shell.prefix(
        'export PYTHONPATH="src${{PYTHONPATH:+:$PYTHONPATH}}"; trap : TERM USR1; '
        # Jobs on this machine start with PyTorch loaded (forks.py); the variable is set by `onstart`.
        '[ -z "${{DIRECTIONS_FORKS:-}}" ] || python() {{ command python -IS src/directions/workflow/forks.py "$@"; }}; '
    )

from directions.core import user_functions
from directions.core.errors import InputError
from directions.core.files import atomic, contents
from directions.core.source_files import OWN
from directions.data.registry import KNOWN
from directions.study import config as study_config, paths
from directions.study.catalogue import (
    DERIVED,
    FIGURES,
    OWN_ANALYSES,
    code_of_analysis,
    made_by,
    paper_files,
    specs,
)
from directions.study.deciding_files import Deciding
from directions.study.fingerprints import Ancestry, digest
from directions.study.paper_curves import COLUMNS as PANELS
from directions.study.run_table import labels_name, expand as expand_runs, labels as label_ledgers
from directions.study.user_networks import Plan
from directions.workflow import forks
from directions.workflow.summary import places, summary, warnings

if HERE == BASE:  # tensors of a step of training are the size of the next one's: docs/PERFORMANCE.md
    for name, value in forks.KEPT.items():
        os.environ.setdefault(name, value)

try:
    if workflow.modifier.skip_configfile:  # as a module with `config:`, which then is all that there is
        config = study_config.merge(config_files.read_yaml(BASE / "config.yaml"), config)
    STUDY = study_config.load(config, BASE, HERE)
except InputError as error:
    raise WorkflowError(str(error)) from None
if HERE != BASE and "analysis_files" in STUDY:  # a relative path would be one of the checkout
    STUDY["analysis_files"] = [str(Path(file).expanduser().absolute()) for file in STUDY["analysis_files"]]
RUNS = expand_runs(STUDY)
DISTRIBUTED = {name for name, runs in RUNS.items() if all(run["norm_batch"] for run in runs.values())}
SPECS = specs(STUDY)
DECIDING = Deciding(BASE, STUDY)
ANCESTRY = Ancestry(STUDY, files=DECIDING)
PLAN = Plan(STUDY.get("own", {}), DECIDING.own)
DATA = paths.DATA.at(data_root=STUDY["data_root"])["data"]
CLAIMS = paths.CLAIMS.at(study=STUDY["study"])  # without wildcards, so that the rule can be requested by name
RESUME = "results/{study}/resume/{experiment}/{run}"  # folder of what a training needs to resume
ENVIRONMENT = f"{BASE}/environment.yaml"


def one_of(names):
    """Return a pattern that matches exactly these names, and so only files of this study.

    Names with the same beginning share it: 1,000 runs are planned in three quarters of the time.
    """
    ends = {}
    for name in sorted(set(names)):
        start, dash, end = name.rpartition("-")
        ends.setdefault(start + dash, []).append(re.escape(end))
    return "|".join(f"{re.escape(start)}(?:{'|'.join(found)})" for start, found in ends.items()) or "(?!)"


wildcard_constraints:
    study=re.escape(STUDY["study"]),
    dataset=one_of([*KNOWN, *STUDY["datasets"]]),
    labels=one_of(name for ledgers in label_ledgers(RUNS).values() for name in ledgers),
    experiment=one_of(RUNS),
    run=one_of(run for group in RUNS.values() for run in group),
    table=one_of(made_by(STUDY).keys() - set(DERIVED)),
    network=one_of(PLAN.networks),
    data=one_of(PLAN.data),


def asked(stage, **names):
    """Return a rule's `asked`, the job's fingerprint: its settings and the digest of all settings upstream."""
    return lambda wildcards: ANCESTRY.asked(stage, **names, **wildcards)


def function_files(wildcards):
    """Return the user's files behind a data set that a user's function returns; else nothing."""
    reference = STUDY["datasets"].get(wildcards.dataset)
    return user_functions.files(reference) if reference else []


def unchanged(_wildcards, input):
    """Return the option that makes a job fail if the user's files have changed since it was planned."""
    return shlex.join(["--unchanged", contents(input.files), *input.files]) if input.files else ""


def own_images(wildcards):
    """Return the options for a user's function, or for a folder of images; "" for other data sets."""
    if wildcards.dataset in STUDY["datasets"]:
        files = function_files(wildcards)
        return shlex.join(
            ["--function", STUDY["datasets"][wildcards.dataset], "--unchanged", contents(files), *files]
        )
    if wildcards.dataset != "imagefolder":
        return ""
    chosen = STUDY["imagefolder"]
    stream = " --stream" if chosen.get("stream") else ""
    return f"--imagefolder {shlex.quote(chosen['path'])} --size {chosen['size']}{stream}"


def code(script, *modules):
    """Return the script and all its imports, as inputs: a change there reruns exactly the jobs that run it."""
    return [*map(ours, DECIDING.files(script, *modules))]


def units_code(wildcards):
    """Return the module that finds the units of a user's model; nothing for the paper's networks."""
    return [OWN] if RUNS[wildcards.experiment][wildcards.run]["model"] in STUDY["models"] else []


def analysis_files(where):
    """Return the function that lists the code of an analysis, which is in the module or the files `where`."""
    return lambda wildcards: code("analyse", *where, *units_code(wildcards))


def analysis_code(where):
    """Return the function that digests the code of an analysis; see `analysis_files`."""
    return lambda wildcards: DECIDING.code("analyse", *where, *units_code(wildcards))


def data_of(wildcards):
    """Return the data set of a run."""
    return DATA.format(dataset=RUNS[wildcards.experiment][wildcards.run]["dataset"])


def ledger_of(wildcards):
    """Return the label ledger of a run; runs with the same labels share one."""
    settings = RUNS[wildcards.experiment][wildcards.run]
    names = {"dataset": settings["dataset"], "labels": labels_name(settings)}
    return paths.LABELS.at(study=wildcards.study, **names)["ledger"]


def collected(wildcards, input):
    """Return what collect.py joins: its --asked and one file per run.

    From a file if it is long: Linux starts no command of 128 KiB, which a thousand runs would make.
    """
    arguments = ["--asked", asked("collect")(wildcards), *input.files]
    if sum(map(len, arguments)) < 50_000:
        return shlex.join(arguments)
    listed = Path(".snakemake/arguments") / f"{digest(arguments)}.txt"
    listed.parent.mkdir(parents=True, exist_ok=True)
    with atomic(listed) as partial:
        partial.write_text("\n".join(arguments), encoding="utf-8")
    return f"@{listed}"


def tables_of_figure(figure):
    """Return {name: path} of the tables that a figure reads."""
    place = paths.TABLE.at(study=STUDY["study"], experiment=STUDY["draw"][figure])
    return {table: place.at(table=table)["table"] for table in FIGURES[figure]}


def own_asked(stage):
    """Return `asked` of a rule for own networks."""
    return lambda wildcards: PLAN.asked(stage, **wildcards)


def own_figures(_wildcards):
    """Return the targets of `own`: a figure for each own network, and a comparison of several."""
    if not PLAN.networks:
        raise WorkflowError(
            "the config names no network of your own: --configfile configs/own.yaml (docs/EXTENDING.md)"
        )
    compared = ["results/own/comparison.png"] if len(PLAN.networks) > 1 else []
    return expand("results/own/figures/{network}.png", network=PLAN.networks) + compared


def own_unlabelled(wildcards):
    """Return the data of an own network before labels are replaced: a known data set, or the user's."""
    made = PLAN.data_name(wildcards.network)
    ours = PLAN.networks[wildcards.network]["data"]
    return f"results/own/data/{made}.safetensors" if made else DATA.format(dataset=ours)


def own_dataset(wildcards):
    """Return the data of an own network, with replaced labels if it has any."""
    if PLAN.label_files(wildcards.network):
        return f"results/own/labelled/{wildcards.network}.safetensors"
    return own_unlabelled(wildcards)


def own_trial_of(wildcards):
    """Return the trial of a network, run before its data are prepared, if the image shape is known by then."""
    return f"results/own/trials/{wildcards.network}.json" if PLAN.shape(wildcards.network) else []


def resume(spec, folder, name):
    """Return the --resume option of an analysis that can resume."""
    return f"--resume {folder}/{spec.table}/{name}" if spec.resumes else ""


def checkpoints_of(spec):
    """Return the checkpoints of training as an input, for an analysis that reads them."""
    return {"checkpoints": paths.NETWORK["checkpoints"]} if spec.checkpoints else {}


def checkpoints_option(_wildcards, input):
    """Return the --checkpoints option of an analysis that reads them."""
    return f"--checkpoints {input.checkpoints}" if "checkpoints" in input.keys() else ""


def own_collected(wildcards):
    """Return the file from which a table of an own network is made."""
    name = "models/{network}/record.json" if wildcards.table == "runs" else "{table}/{network}.csv"
    return f"results/own/{name}".format(**wildcards)


def own_tables(networks):
    """Return all tables of these own networks."""
    return [f"results/own/tables/{name}/{table}.csv" for name in networks for table in PLAN.tables(name)]


def many_jobs_here():
    """Return whether this process itself starts so many jobs that to load libraries once for all pays."""
    elsewhere = workflow.non_local_exec or workflow.deployment_settings.deployment_method
    return not elsewhere and len(list(workflow.dag.needrun_jobs())) >= 10


def drawn_by(job):
    """Return the name of the figure that a job draws: a paper figure, an own network, or the comparison."""
    return Path(job.output[0]).stem if job.rule.name in ("own_summary", "own_comparison") else job.rule.name


def failed_jobs():
    """Return the failed jobs, with those of a group listed individually."""
    groups = [job if job.is_group() else [job] for job in workflow.scheduler.failed]
    return [job for group in groups for job in group]


def failed_run():
    """Return the summary of a failed run: which figures are ready, which are not, and why."""
    graph = workflow.dag
    planned, unfinished = ({drawn_by(job) for job in jobs} for jobs in (graph.jobs, graph.needrun_jobs()))
    figures = [figure for figure in [*STUDY["figures"], *PLAN.networks, "comparison"] if figure in planned]
    failed = {}
    for job in failed_jobs():
        stopped = {drawn_by(after) for after in graph.bfs(graph.depending, job)}
        failed[job.log[0]] = [figure for figure in figures if figure in stopped]
    drawn = [figure for figure in figures if figure not in unfinished]
    return summary(drawn, [f for f in figures if f in unfinished], failed) + doubtful()


def drawn_run():
    """Return the summary of a successful run: the paths of the requested figures, and warnings."""
    drawn = places(job.output.png for job in workflow.dag.jobs if "png" in job.output.keys())
    return drawn + doubtful()


def doubtful():
    """Return the warnings in the logs of jobs on own networks, which would otherwise go unread."""
    warning = (
        "own_data",
        "own_labels",
        "own_trial",
        "own_import",
        *(f"own_{analysis}" for analysis in OWN_ANALYSES),
        "own_summary",
        "own_comparison",
    )  # in this order
    logs = {job.log[0]: warning.index(job.rule.name) for job in workflow.dag.jobs if job.rule.name in warning}
    return warnings(sorted(logs, key=lambda log: (logs[log], log)))
