"""Stricter checks than Snakemake's: options given twice, and its records of files (snakemake_records.py)."""

import sys

# This checkout's library, even if another copy is installed: here and in all jobs.
sys.path.insert(0, f"{workflow.basedir}/src")

from directions.core.errors import InputError
from directions.study import config_files
from directions.workflow import snakemake_records
from snakemake.exceptions import WorkflowError

snakemake_records.install()

try:
    config_files.check_arguments(sys.argv[1:])
    config_files.check_files(["config.yaml", *workflow.overwrite_configfiles])
except InputError as error:
    raise WorkflowError(str(error)) from None
