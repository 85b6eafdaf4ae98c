"""With what a page was made: commit and versions."""

import platform
import subprocess
from importlib import metadata

PACKAGES = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "snakemake", "dvc")


def commit() -> str:
    """Return the commit of this checkout and whether files differ from it, if it is a git checkout."""
    try:
        said = [
            subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        ]
    except (OSError, subprocess.CalledProcessError):
        return "unknown: this is not a git checkout"
    return said[0] + (", with uncommitted changes" if said[1] else "")


def versions() -> list[tuple[str, str]]:
    """Return the versions installed on the machine that writes the page."""
    found = {name: metadata.version(name) for name in PACKAGES}
    return [("Python", platform.python_version()), *found.items(), ("system", platform.platform())]
