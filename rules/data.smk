rule prepare_data:
    input:
        function_files,  # only for a user's own data set
    output:
        DATA,
    log:
        paths.DATA.log,
    benchmark:
        paths.DATA.benchmark
    priority: 1  # before any training, so that missing data are reported at once
    conda:
        ENVIRONMENT
    resources:  # the source does not affect results, as all files are checked against a digest
        raw=f"{STUDY['data_root']}/raw",
        sources=lambda wildcards: ",".join(STUDY["sources"].get(wildcards.dataset, ["none"])),
    params:
        asked=asked("data"),
        imagefolder=own_images,
    shell:
        f"{PYTHON} {SCRIPTS}/prepare_data.py"
        " --dataset {wildcards.dataset} {params.imagefolder}"
        " --raw {resources.raw} --sources {resources.sources} --output {output}"
        " --threads {threads} > {log} 2>&1"


rule corrupt_labels:
    input:
        data=DATA,
    output:
        paths.LABELS["ledger"],
    log:
        paths.LABELS.log,
    benchmark:
        paths.LABELS.benchmark
    conda:
        ENVIRONMENT
    params:
        asked=asked("labels"),
    shell:
        f"{PYTHON} {SCRIPTS}/corrupt_labels.py"
        " --data {input.data} --asked {params.asked:q}"
        " --ledger {output} > {log} 2>&1"
