# One rule per analysis, under its own name: of this library, and of the files that `analysis_files` names.
for analysis, spec in SPECS.items():
    where, made = code_of_analysis(analysis, STUDY), paths.MEASURED.at(table=spec.table)

    rule:
        name:
            analysis
        input:
            **checkpoints_of(spec),
            code=analysis_files(where),
            model=paths.NETWORK["model"],
            data=data_of,
            ledger=ledger_of,
        output:
            made["table"],
        log:
            made.log,
        benchmark:
            made.benchmark
        conda:
            ENVIRONMENT
        resources:
            device=STUDY["device"],
        params:
            asked=asked(analysis),
            code=analysis_code(where),
            analysis=shlex.quote(where[0]),
            checkpoints=checkpoints_option,
            resume=resume(spec, "results/{study}/resume", "{experiment}/{run}.pt"),
        shell:
            f"{PYTHON} {SCRIPTS}/analyse.py"
            " --code {params.code} --analysis {params.analysis} --model {input.model}"
            " {params.checkpoints} --data {input.data} --ledger {input.ledger}"
            " --asked {params.asked:q} --table {output} {params.resume}"
            " --device {resources.device} --threads {threads} > {log} 2>&1"
