"""A study as its config says it: checked, expanded into runs, with what each product depends on.

Nothing here imports torch: Snakemake plans with it.
"""
