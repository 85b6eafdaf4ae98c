rule ablate_cumulative:
    input:
        code=code("ablate_cumulative"),
        model="results/{study}/models/{experiment}/{run}/model.safetensors",
        data=data_of,
        ledger=ledger_of,
    output:
        "results/{study}/ablation/{experiment}/{run}.csv",
    log:
        "logs/{study}/ablation/{experiment}/{run}.log",
    benchmark:
        "benchmarks/{study}/ablation/{experiment}/{run}.tsv"
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
    params:
        asked=asked("ablate_cumulative"),
        code=DECIDING.code("ablate_cumulative"),
        resume="results/{study}/resume/ablation/{experiment}/{run}.pt",
    shell:
        "python scripts/ablate_cumulative.py --code {params.code} --model {input.model}"
        " --data {input.data} --ledger {input.ledger}"
        " --asked {params.asked:q} --table {output} --resume {params.resume}"
        " --device {resources.device} --threads {threads} > {log} 2>&1"


rule ablate_checkpoints:
    input:
        code=code("ablate_checkpoints"),
        model="results/{study}/models/{experiment}/{run}/model.safetensors",
        checkpoints="results/{study}/models/{experiment}/{run}/checkpoints.safetensors",
        data=data_of,
        ledger=ledger_of,
    output:
        "results/{study}/checkpoints/{experiment}/{run}.csv",
    log:
        "logs/{study}/checkpoints/{experiment}/{run}.log",
    benchmark:
        "benchmarks/{study}/checkpoints/{experiment}/{run}.tsv"
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
    params:
        asked=asked("ablate_checkpoints"),
        code=DECIDING.code("ablate_checkpoints"),
        resume="results/{study}/resume/checkpoints/{experiment}/{run}.pt",
    shell:
        "python scripts/ablate_checkpoints.py --code {params.code} --model {input.model}"
        " --checkpoints {input.checkpoints}"
        " --data {input.data} --ledger {input.ledger} --asked {params.asked:q} --table {output} --resume {params.resume}"
        " --device {resources.device} --threads {threads} > {log} 2>&1"


rule add_noise:
    input:
        code=code("add_noise"),
        model="results/{study}/models/{experiment}/{run}/model.safetensors",
        data=data_of,
        ledger=ledger_of,
    output:
        "results/{study}/noise/{experiment}/{run}.csv",
    log:
        "logs/{study}/noise/{experiment}/{run}.log",
    benchmark:
        "benchmarks/{study}/noise/{experiment}/{run}.tsv"
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
    params:
        asked=asked("add_noise"),
        code=DECIDING.code("add_noise"),
        resume="results/{study}/resume/noise/{experiment}/{run}.pt",
    shell:
        "python scripts/add_noise.py --code {params.code} --model {input.model}"
        " --data {input.data} --ledger {input.ledger}"
        " --asked {params.asked:q} --table {output} --resume {params.resume}"
        " --device {resources.device} --threads {threads} > {log} 2>&1"


rule ablate_single:
    input:
        code=code("ablate_single"),
        model="results/{study}/models/{experiment}/{run}/model.safetensors",
        data=data_of,
        ledger=ledger_of,
    output:
        "results/{study}/single/{experiment}/{run}.csv",
    log:
        "logs/{study}/single/{experiment}/{run}.log",
    benchmark:
        "benchmarks/{study}/single/{experiment}/{run}.tsv"
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
    params:
        asked=asked("ablate_single"),
        code=DECIDING.code("ablate_single"),
        resume="results/{study}/resume/single/{experiment}/{run}.pt",
    shell:
        "python scripts/ablate_single.py --code {params.code} --model {input.model}"
        " --data {input.data} --ledger {input.ledger}"
        " --asked {params.asked:q} --table {output} --resume {params.resume}"
        " --device {resources.device} --threads {threads} > {log} 2>&1"
