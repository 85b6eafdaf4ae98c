"""Where Snakemake is too trusting: of what is said twice it keeps the last; its records (bookkeeping.py)."""

import sys

# The library of this very checkout, wherever another copy of it may be installed: here and in all jobs.
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
