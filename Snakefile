# The whole study, top to bottom:
#   data -> labels -> train -> ablate | add noise | measure -> tables -> figures -> claims
# Read rules/common.smk for names and paths, README.md for which figure comes from where.
from snakemake.utils import min_version

min_version("9.27")  # snakemake_records.py knows its records from within


include: "rules/strict.smk"


configfile: ours("config.yaml")


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/passes.smk"
include: "rules/train.smk"
include: "rules/analyses.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/claims.smk"
include: "rules/own.smk"


rule all:
    default_target: True
    input:
        [paths.FIGURE.at(study=STUDY["study"], figure=figure)["png"] for figure in STUDY["figures"]],
        rules.check_claims.output,


onstart:
    if not workflow.touch:
        snakemake_records.check(workflow.persistence)
        if many_jobs_here():
            forks.begin()


onsuccess:
    print(drawn_run(), end="", file=sys.stderr)


onerror:
    print(failed_run(), file=sys.stderr)
