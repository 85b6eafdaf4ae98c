"""The files of a checkout that determine a job's result, besides its settings and inputs.

Their digest is part of the job's fingerprint, so new content reruns the job whatever the file times say.
Preparing built-in data, corrupting labels and training carry RECIPE numbers for their code instead.
"""

from collections.abc import Mapping
from pathlib import Path

from directions.core.errors import InputError
from directions.core.files import contents
from directions.core.source_files import OWN, Known, code_of
from directions.data import imagefolder
from directions.study.catalogue import ANALYSES, DERIVED_BY, PAPER_CURVES, code_of_analysis, specs
from directions.study.paper_curves import COLUMNS as PANELS

CLAIMS = "data/paper/claims.csv"
SCRIPTS = {  # stage -> script that its jobs run
    "collect": "collect",
    **DERIVED_BY,
    "figure": "plot_figure",
    "claims": "check_claims",
}
SCRIPTS_OF_OWN = SCRIPTS | {
    "trial": "try_network", "import": "import_network", "summary": "plot_own", "comparison": "plot_own"
}  # fmt: skip


class Deciding:
    """Digest of the files that determine a job; called as (stage, settings), as in `Ancestry`."""

    def __init__(self, root: Path | str, config: Mapping | None = None):
        """config: the result of `config.load`; left out, there are no `analysis_files`."""
        self._root = root
        self._config = config or {}
        self._analyses = specs(self._config)
        self._known: dict[tuple[str, ...], tuple[list[str], str]] = {}
        self._imported: Known = {}

    def __call__(self, stage: str, settings: Mapping, *more: str) -> str:
        """Return the digest for a job of a study; "" if it depends on no file of the checkout.

        more: modules that the job imports by name, besides its analysis or figure.
        """
        if stage == "data":
            return images(settings["path"]) if "path" in settings else ""
        if stage in self._analyses:
            return self.code("analyse", *code_of_analysis(stage, self._config), *more)
        if stage not in SCRIPTS:
            return ""
        modules = [f"directions.figures.{settings['figure']}"] if stage == "figure" else []
        paper = paper_of(stage, settings)
        return self.code(SCRIPTS[stage], *modules) + (f" {contents(paper, self._root)}" if paper else "")

    def own(self, stage: str) -> str:
        """Return the code digest of a job for a user's own network; "" for preparing its data."""
        if stage in ANALYSES:
            return self.code("analyse", *code_of_analysis(stage, {}), OWN)
        return self.code(SCRIPTS_OF_OWN[stage]) if stage in SCRIPTS_OF_OWN else ""

    def files(self, script: str, *modules: str) -> list[str]:
        """List the script and all it imports, with `modules` that are named at run time."""
        return self._found(script, *modules)[0]

    def code(self, script: str, *modules: str) -> str:
        """Return the argument of `cli.check_code`: the digest of these files, and the names of `modules`."""
        return self._found(script, *modules)[1]

    def _found(self, script: str, *modules: str) -> tuple[list[str], str]:
        key = (script, *modules)
        if key not in self._known:
            files = code_of(f"scripts/{script}.py", self._root, modules, self._imported)
            self._known[key] = files, ",".join([contents(files, self._root), *modules])
        return self._known[key]


def paper_of(stage: str, settings: Mapping) -> list[str]:
    """List the files of the paper's own numbers that a job reads."""
    if stage == "figure":
        return list(settings.get("paper_curves", ()))
    if stage == "claims":
        return [CLAIMS, *(PAPER_CURVES.format(figure=name) for name in settings["figures"] if name in PANELS)]
    return []


def images(folder: str) -> str:
    """Fingerprint the images of a folder (see `imagefolder.state`); "" if the folder does not exist.

    Errors in the folder are left to the job that reads it.
    """
    tree = Path(folder).expanduser()
    try:
        return imagefolder.state(tree)[:16] if tree.is_dir() else ""
    except InputError as error:
        return str(error)
