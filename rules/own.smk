# Own networks: snakemake --cores all --quiet rules --configfile configs/own.yaml -- own
# Their tables are made by the same scripts as those of a study's networks, and are in results/own.
rule own:
    input:
        own_figures,


rule own_data:
    input:
        files=lambda wildcards: PLAN.data_files(wildcards.data),
    output:
        "results/own/data/{data}.safetensors",
    log:
        "logs/own/data/{data}.log",
    benchmark:
        "benchmarks/own/data/{data}.tsv"
    conda:
        ENVIRONMENT
    params:
        asked=own_asked("base"),
        unchanged=unchanged,
    shell:
        f"{PYTHON} {SCRIPTS}/prepare_own_data.py"
        " --asked {params.asked:q} --output {output}"
        " --threads {threads} {params.unchanged} > {log} 2>&1"


rule own_labels:
    input:
        known=own_unlabelled,
        files=lambda wildcards: PLAN.label_files(wildcards.network),
    output:
        "results/own/labelled/{network}.safetensors",
    log:
        "logs/own/labelled/{network}.log",
    benchmark:
        "benchmarks/own/labelled/{network}.tsv"
    conda:
        ENVIRONMENT
    params:
        asked=own_asked("data"),
        unchanged=unchanged,
    shell:
        f"{PYTHON} {SCRIPTS}/prepare_own_data.py"
        " --asked {params.asked:q} --known {input.known} --output {output}"
        " --threads {threads} {params.unchanged} > {log} 2>&1"


# Runs before all other jobs, to report weights or layers that do not fit before time is spent on images.
rule own_trial:
    input:
        code=code("try_network"),
        files=lambda wildcards: PLAN.files(wildcards.network),
    output:
        "results/own/trials/{network}.json",
    log:
        "logs/own/trials/{network}.log",
    benchmark:
        "benchmarks/own/trials/{network}.tsv"
    priority: 100
    conda:
        ENVIRONMENT
    params:
        asked=own_asked("trial"),
        unchanged=unchanged,
        code=DECIDING.code("try_network"),
    shell:
        f"{PYTHON} {SCRIPTS}/try_network.py"
        " --code {params.code} --asked {params.asked:q} --output {output}"
        " {params.unchanged} > {log} 2>&1"


rule own_import:
    input:
        code=code("import_network"),
        files=lambda wildcards: PLAN.files(wildcards.network),
        trial=own_trial_of,
        data=own_dataset,
    output:
        model="results/own/models/{network}/model.safetensors",
        ledger="results/own/models/{network}/ledger.parquet",
        record="results/own/models/{network}/record.json",
    log:
        "logs/own/models/{network}.log",
    benchmark:
        "benchmarks/own/models/{network}.tsv"
    conda:
        ENVIRONMENT
    resources:
        device=STUDY["device"],
    params:
        asked=own_asked("import"),
        unchanged=unchanged,
        code=DECIDING.code("import_network"),
    shell:
        f"{PYTHON} {SCRIPTS}/import_network.py"
        " --code {params.code} --asked {params.asked:q}"
        " --data {input.data} --model {output.model}"
        " --ledger {output.ledger} --record {output.record}"
        " --device {resources.device} --threads {threads} {params.unchanged} > {log} 2>&1"


for analysis in OWN_ANALYSES:

    rule:
        name:
            f"own_{analysis}"
        input:
            code=code("analyse", *code_of_analysis(analysis, STUDY), OWN),
            model=rules.own_import.output.model,
            data=own_dataset,
            ledger=rules.own_import.output.ledger,
        output:
            f"results/own/{SPECS[analysis].table}/{{network}}.csv",
        log:
            f"logs/own/{SPECS[analysis].table}/{{network}}.log",
        benchmark:
            f"benchmarks/own/{SPECS[analysis].table}/{{network}}.tsv"
        conda:
            ENVIRONMENT
        resources:
            device=STUDY["device"],
        params:
            asked=own_asked(analysis),
            code=DECIDING.code("analyse", *code_of_analysis(analysis, STUDY), OWN),
            analysis=code_of_analysis(analysis, STUDY)[0],
            resume=resume(SPECS[analysis], "results/own/resume", "{network}.pt"),
        shell:
            f"{PYTHON} {SCRIPTS}/analyse.py"
            " --code {params.code} --analysis {params.analysis} --model {input.model}"
            " --data {input.data} --ledger {input.ledger}"
            " --asked {params.asked:q} --table {output} {params.resume}"
            " --device {resources.device} --threads {threads} > {log} 2>&1"


rule own_collect:
    input:
        code=code("collect"),
        files=own_collected,
    output:
        "results/own/tables/{network}/{table}.csv",
    log:
        "logs/own/tables/{network}/{table}.log",
    benchmark:
        "benchmarks/own/tables/{network}/{table}.tsv"
    conda:
        ENVIRONMENT
    params:
        asked=own_asked("collect"),
        code=DECIDING.code("collect"),
    shell:
        f"{PYTHON} {SCRIPTS}/collect.py"
        " --code {params.code} --asked {params.asked:q}"
        " --table {output} {input.files} > {log} 2>&1"


rule own_areas:
    input:
        code=code("measure_areas"),
        ablation="results/own/tables/{network}/ablation.csv",
        runs="results/own/tables/{network}/runs.csv",
    output:
        "results/own/tables/{network}/areas.csv",
    log:
        "logs/own/tables/{network}/areas.log",
    benchmark:
        "benchmarks/own/tables/{network}/areas.tsv"
    conda:
        ENVIRONMENT
    params:
        asked=own_asked("areas"),
        code=DECIDING.code("measure_areas"),
    shell:
        f"{PYTHON} {SCRIPTS}/measure_areas.py"
        " --code {params.code} --ablation {input.ablation} --runs {input.runs}"
        " --errors --table {output} > {log} 2>&1"


rule own_summary:
    input:
        code=code("plot_own"),
        tables=lambda wildcards: own_tables([wildcards.network]),
    output:
        pdf="results/own/figures/{network}.pdf",
        png="results/own/figures/{network}.png",
    log:
        "logs/own/figures/{network}.log",
    benchmark:
        "benchmarks/own/figures/{network}.tsv"
    conda:
        ENVIRONMENT
    params:
        asked=own_asked("summary"),
        code=DECIDING.code("plot_own"),
    shell:
        f"{PYTHON} {SCRIPTS}/plot_own.py"
        " --code {params.code} --pdf {output.pdf}"
        " --png {output.png} {input.tables} > {log} 2>&1"


rule own_comparison:
    input:
        code=code("plot_own"),
        tables=own_tables(PLAN.networks),
    output:
        pdf="results/own/comparison.pdf",
        png="results/own/comparison.png",
    log:
        "logs/own/comparison.log",
    benchmark:
        "benchmarks/own/comparison.tsv"
    conda:
        ENVIRONMENT
    params:
        asked=PLAN.asked("comparison"),
        code=DECIDING.code("plot_own"),
    shell:
        f"{PYTHON} {SCRIPTS}/plot_own.py"
        " --code {params.code} --pdf {output.pdf}"
        " --png {output.png} {input.tables} > {log} 2>&1"
