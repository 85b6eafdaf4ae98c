"""The rooms that know Snakemake and DVC: jobs, their cost and progress, what a run says at its end."""
