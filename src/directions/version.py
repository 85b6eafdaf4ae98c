"""The version, in one place: pyproject.toml, `directions.__version__` and `directions --version` read it.

Jobs list the modules they import, and no job imports this one: a release makes no result stale.
"""

VERSION = "1.0.0"
