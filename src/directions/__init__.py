"""The science of "On the importance of single directions for generalization" as a library.

It knows neither Snakemake nor where a study keeps its files: `scripts/` join the two.
"""
