"""Stricter checks than Snakemake's: options given twice, and its records of files (snakemake_records.py)."""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import LocalSourceFile

if not isinstance(workflow.current_basedir, LocalSourceFile):
    raise WorkflowError(
        "this workflow runs scripts of its repository: clone it, and name the Snakefile of the clone"
        " (docs/MODULE.md)"
    )
# The folder of this checkout; `workflow.basedir` would be that of a Snakefile that uses this one as a module.
BASE = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent.resolve()
HERE = Path.cwd().resolve()  # where results go
# This checkout's library, even if another copy is installed: here and in all jobs.
sys.path.insert(0, f"{BASE}/src")

from directions.core.errors import InputError
from directions.study import config_files
from directions.workflow import snakemake_records, snakemake_scheduling

snakemake_records.install()
snakemake_scheduling.install()

try:
    config_files.check_arguments(sys.argv[1:])
    config_files.check_files([BASE / "config.yaml", *workflow.overwrite_configfiles])
except InputError as error:
    raise WorkflowError(str(error)) from None


def ours(path):
    """Return the path of a file of this checkout from where the workflow runs; others are as they were."""
    return path if HERE == BASE or os.path.isabs(path) else os.path.relpath(BASE / path, HERE)


# A shell command counts as code: in this checkout it must stay as it is, elsewhere it must not name a folder.
PYTHON, SCRIPTS = "python", "scripts"
if HERE != BASE:
    os.environ.update(DIRECTIONS=str(BASE))
    PYTHON = 'export PYTHONPATH="$DIRECTIONS/src${{PYTHONPATH:+:$PYTHONPATH}}"; trap : TERM USR1; python'
    SCRIPTS = '"$DIRECTIONS"/scripts'
