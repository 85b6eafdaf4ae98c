# Training carries a RECIPE number (directions/recipe.py) in `asked` instead of its code as an input,
# so that a comment in the training loop does not cost a GPU week.
rule train:
    input:
        data=data_of,
        ledger=ledger_of,
    output:
        model="results/{study}/models/{experiment}/{run}/model.safetensors",
        checkpoints="results/{study}/models/{experiment}/{run}/checkpoints.safetensors",
        history="results/{study}/models/{experiment}/{run}/history.csv",
        record="results/{study}/models/{experiment}/{run}/record.json",
    log:
        "logs/{study}/models/{experiment}/{run}.log",
    benchmark:
        "benchmarks/{study}/models/{experiment}/{run}.tsv"
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
    params:
        asked=asked("train"),
        # No output: Snakemake deletes the outputs of a killed job, and this must outlive it.
        resume="results/{study}/resume/{experiment}/{run}",
    shell:
        "python scripts/train.py --data {input.data} --ledger {input.ledger} --asked {params.asked:q}"
        " --resume {params.resume} --model {output.model} --checkpoints {output.checkpoints}"
        " --history {output.history} --record {output.record}"
        " --device {resources.device} --threads {threads} > {log} 2>&1"
