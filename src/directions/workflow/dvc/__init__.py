"""Share a study's products through DVC: its stages (stages), what dvc.lock confirms (record), and how
products are fetched (pulling) and published (pushing).

Snakemake decides what runs; DVC stores and transfers the files; dvc.lock records the code, settings and
inputs behind each product. Only public commands of both are used (tools).
"""
