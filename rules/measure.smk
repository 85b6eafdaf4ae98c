rule measure_units:
    input:
        code=code("measure_units"),
        model="results/{study}/models/{experiment}/{run}/model.safetensors",
        data=data_of,
        ledger=ledger_of,
    output:
        "results/{study}/units/{experiment}/{run}.csv",
    log:
        "logs/{study}/units/{experiment}/{run}.log",
    benchmark:
        "benchmarks/{study}/units/{experiment}/{run}.tsv"
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
    params:
        asked=asked("measure_units"),
        code=DECIDING.code("measure_units"),
    shell:
        "python scripts/measure_units.py --code {params.code} --model {input.model}"
        " --data {input.data} --ledger {input.ledger}"
        " --asked {params.asked:q} --table {output}"
        " --device {resources.device} --threads {threads} > {log} 2>&1"
