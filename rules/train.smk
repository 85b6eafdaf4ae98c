# Training has a RECIPE number (directions/core/recipe.py) in `asked` instead of its code as an input, so that a
# comment in the training loop does not cost a week of GPU time. A rule's shell command counts as code:
# changing that of `train` would retrain every network, so `train_distributed` has its own.
TRAIN = (
    f"{SCRIPTS}/train.py"
    " --data {input.data} --ledger {input.ledger} --asked {params.asked:q}"
    " --resume {params.resume} --model {output.model} --checkpoints {output.checkpoints}"
    " --history {output.history} --record {output.record}"
    " --device {resources.device} --threads {threads} > {log} 2>&1"
)


rule train:
    input:
        unpack(passed_with),  # only if networks_per_job is more than 1
        data=data_of,
        ledger=ledger_of,
    output:
        **paths.NETWORK.products,
    log:
        paths.NETWORK.log,
    benchmark:
        paths.NETWORK.benchmark
    wildcard_constraints:
        experiment=one_of(set(RUNS) - DISTRIBUTED),
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
    params:
        asked=asked("train"),
        # Not an output: Snakemake deletes the outputs of a killed job, and this must survive it.
        resume=RESUME,
    shell:
        f"{PYTHON} {TRAIN}"


# Networks that can be trained by several processes (docs/DEVIATIONS.md, D28). Set their number per machine:
# --set-resources train_distributed:processes=4 --set-threads train_distributed=32, both per node of `nodes`.
rule train_distributed:
    input:
        data=data_of,
        ledger=ledger_of,
    output:
        **paths.NETWORK.products,
    log:
        paths.NETWORK.log,
    benchmark:
        paths.NETWORK.benchmark
    wildcard_constraints:
        experiment=one_of(DISTRIBUTED),
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
        nodes=1,
        processes=1,
    params:
        asked=asked("train"),
        resume=RESUME,
    shell:
        f"{PYTHON} {SCRIPTS}/launch.py"
        " --nodes {resources.nodes} --processes {resources.processes}"
        f" --node-threads {{threads}} {TRAIN}"


# Several networks of an experiment in one pass over a device (docs/PERFORMANCE.md), if the profile asks for it:
# --set-resources train_many:networks_per_job=16. Each network's job of rule `train` takes its last step afterwards
# and has the same code, settings and products as without a pass.
rule train_many:
    input:
        unpack(inputs_of_pass),
    output:
        temp(PASS),
    log:
        "logs/{study}/passes/{experiment}/{batch}.log",
    benchmark:
        "benchmarks/{study}/passes/{experiment}/{batch}.tsv"
    wildcard_constraints:
        batch=r"\d+",
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
        networks_per_job=1,
    params:
        runs=runs_of_pass,
    shell:
        f"{PYTHON} {SCRIPTS}/train_many.py"
        " --runs {params.runs:q} --done {output}"
        " --device {resources.device} --threads {threads} > {log} 2>&1"


PASSES.update(passes_of(RUNS, rules.train_many.rule.resources["networks_per_job"].raw))
