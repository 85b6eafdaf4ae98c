"""Stricter checks than Snakemake's: options given twice, and its records of files (bookkeeping.py)."""

import sys

# This checkout's library, even if another copy is installed: here and in all jobs.
sys.path.insert(0, f"{workflow.basedir}/src")

from directions import bookkeeping, configfiles
from directions.errors import InputError
from snakemake.exceptions import WorkflowError

bookkeeping.install()

try:
    configfiles.check_arguments(sys.argv[1:])
    configfiles.check_files(["config.yaml", *workflow.overwrite_configfiles])
except InputError as error:
    raise WorkflowError(str(error)) from None
