rule collect:
    input:
        code=code("collect"),
        files=of_every_run,
    output:
        paths.TABLE["table"],
    log:
        paths.TABLE.log,
    benchmark:
        paths.TABLE.benchmark
    conda:
        ENVIRONMENT
    params:
        asked=asked("collect"),
        code=DECIDING.code("collect"),
        joined=collected,
    shell:
        f"{PYTHON} {SCRIPTS}/collect.py" " --code {params.code} --table {output} {params.joined} > {log} 2>&1"


rule measure_areas:
    input:
        code=code("measure_areas"),
        ablation=paths.TABLE.at(table="ablation")["table"],
        runs=paths.TABLE.at(table="runs")["table"],
    output:
        paths.TABLE.at(table="areas")["table"],
    log:
        paths.TABLE.at(table="areas").log,
    benchmark:
        paths.TABLE.at(table="areas").benchmark
    conda:
        ENVIRONMENT
    params:
        asked=asked("areas"),
        code=DECIDING.code("measure_areas"),
    shell:
        f"{PYTHON} {SCRIPTS}/measure_areas.py"
        " --code {params.code} --ablation {input.ablation} --runs {input.runs}"
        " --table {output} > {log} 2>&1"


rule select_settings:
    input:
        code=code("select_settings"),
        areas=paths.TABLE.at(table="areas")["table"],
        runs=paths.TABLE.at(table="runs")["table"],
    output:
        paths.TABLE.at(table="selection")["table"],
    log:
        paths.TABLE.at(table="selection").log,
    benchmark:
        paths.TABLE.at(table="selection").benchmark
    conda:
        ENVIRONMENT
    params:
        asked=asked("selection"),
        code=DECIDING.code("select_settings"),
    shell:
        f"{PYTHON} {SCRIPTS}/select_settings.py"
        " --code {params.code} --areas {input.areas} --runs {input.runs}"
        " --asked {params.asked:q} --table {output} > {log} 2>&1"
