"""A study's products shared through DVC: what they are (stages), what dvc.lock says of them (record), how
they are brought (pull) and handed on (push).

Snakemake decides what runs; DVC names, stores and moves the bytes; dvc.lock is the record of which code,
settings and inputs made each product. Only public commands of both are used (tools).
"""
