rule collect:
    input:
        code=code("collect"),
        files=of_every_run,
    output:
        "results/{study}/tables/{experiment}/{table}.csv",
    log:
        "logs/{study}/tables/{experiment}/{table}.log",
    benchmark:
        "benchmarks/{study}/tables/{experiment}/{table}.tsv"
    conda:
        ENVIRONMENT
    params:
        asked=asked("collect"),
        code=DECIDING.code("collect"),
    shell:
        "python scripts/collect.py --code {params.code} --asked {params.asked:q}"
        " --table {output} {input.files} > {log} 2>&1"


rule measure_areas:
    input:
        code=code("measure_areas"),
        ablation="results/{study}/tables/{experiment}/ablation.csv",
        runs="results/{study}/tables/{experiment}/runs.csv",
    output:
        "results/{study}/tables/{experiment}/areas.csv",
    log:
        "logs/{study}/tables/{experiment}/areas.log",
    benchmark:
        "benchmarks/{study}/tables/{experiment}/areas.tsv"
    conda:
        ENVIRONMENT
    params:
        asked=asked("areas"),
        code=DECIDING.code("measure_areas"),
    shell:
        "python scripts/measure_areas.py --code {params.code} --ablation {input.ablation} --runs {input.runs}"
        " --table {output} > {log} 2>&1"


rule select_settings:
    input:
        code=code("select_settings"),
        areas="results/{study}/tables/{experiment}/areas.csv",
        runs="results/{study}/tables/{experiment}/runs.csv",
    output:
        "results/{study}/tables/{experiment}/selection.csv",
    log:
        "logs/{study}/tables/{experiment}/selection.log",
    benchmark:
        "benchmarks/{study}/tables/{experiment}/selection.tsv"
    conda:
        ENVIRONMENT
    params:
        asked=asked("selection"),
        code=DECIDING.code("select_settings"),
    shell:
        "python scripts/select_settings.py --code {params.code} --areas {input.areas} --runs {input.runs}"
        " --asked {params.asked:q} --table {output} > {log} 2>&1"
