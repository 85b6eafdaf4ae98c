# One rule per figure, under the figure's own name: `snakemake --cores 2 -- fig1a`.
for figure in STUDY["figures"]:
    drawn = paths.FIGURE.at(study=STUDY["study"], figure=figure)

    rule:
        name:
            figure
        input:
            **tables_of_figure(figure),
            paper=[*map(ours, paper_files(figure, STUDY["paper_curves"]))],
            code=code("plot_figure", f"directions.figures.{figure}"),
        output:
            pdf=drawn["pdf"],
            png=report(
                drawn["png"],
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels={"figure": figure},
            ),
        log:
            drawn.log,
        benchmark:
            drawn.benchmark
        conda:
            ENVIRONMENT
        params:
            asked=asked("figure", figure=figure),
            code=DECIDING.code("plot_figure", f"directions.figures.{figure}"),
            figure=figure,
            study=STUDY["study"],
            paper=[f"--paper {ours(path)}" for path in paper_files(figure, STUDY["paper_curves"])],
            tables=lambda wildcards, input: Path(input.runs).parent,
        shell:
            f"{PYTHON} {SCRIPTS}/plot_figure.py"
            " --code {params.code} --figure {params.figure}"
            " --study {params.study}"
            " --tables {params.tables} {params.paper} --pdf {output.pdf} --png {output.png} > {log} 2>&1"
