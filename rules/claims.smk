rule check_claims:
    input:
        code=code("check_claims"),
        claims=ours("data/paper/claims.csv"),
        paper=[ours(f"data/paper/figures/{figure}.csv") for figure in STUDY["figures"] if figure in PANELS],
        tables=[path for figure in STUDY["figures"] for path in tables_of_figure(figure).values()],
    output:
        csv=report(
            CLAIMS["csv"],
            caption="../report/claims.rst",
            category="Claims",
        ),
        json=CLAIMS["json"],
    log:
        CLAIMS.log,
    benchmark:
        CLAIMS.benchmark
    conda:
        ENVIRONMENT
    params:
        asked=asked("claims"),
        code=DECIDING.code("check_claims"),
        experiments=json.dumps({figure: STUDY["draw"][figure] for figure in STUDY["figures"]}),
        study=STUDY["study"],
        tables=lambda wildcards, output: Path(output.csv).parent,
    shell:
        f"{PYTHON} {SCRIPTS}/check_claims.py"
        " --code {params.code} --study {params.study}"
        " --claims {input.claims}"
        f" --paper {ours('data/paper/figures')}"
        " --experiments {params.experiments:q} --tables {params.tables} --csv {output.csv} --json {output.json} > {log} 2>&1"
