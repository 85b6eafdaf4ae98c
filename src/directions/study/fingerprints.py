"""Job fingerprints: what a product depends on, its own settings and everything upstream.

Snakemake compares only a rule's parameters and the content of its inputs: a failed job still records its new
parameters, and an imported module is not an input of any rule. So every rule carries one string with its own
settings and the digest of all settings upstream (`Ancestry`), and the cheap rules list the source files that
they run as inputs (`code_of` in source_files.py).

Snakemake does not compare an input that is older than the outputs, though `mv`, `cp -p` and `tar` put new
content under an old time. So the string also holds a digest of the files that matter (`deciding_files.py`).
"""

import hashlib
import json
from collections.abc import Callable, Mapping

from directions.core import user_functions
from directions.core.recipe import RECIPES
from directions.core.source_files import OWN
from directions.core.types import present
from directions.study.catalogue import DERIVED, FIGURES, TRAINED, made_by, paper_files, specs
from directions.study.run_table import expand, key_columns, labels, labels_name


class Ancestry:
    """Computes the fingerprint of each job of a study, as sorted JSON: equal strings mean equal results.

    {"stage": its name, "settings": those of this job, "upstream": digest of all jobs before it}. Where the
    code is not an input, it adds {"recipe": number} (see recipe.py); for an analysis of a user's model,
    {"code": file.py:function}, which builds the model, and {"layers": those of its units}, if the config
    names them; and {"files": digest of the files of this checkout that the job depends on}, if any. Settings
    that change no result are left out: device, threads, folders, sources. Chain: data, labels, train, an
    analysis, collect, areas, selection, figure, claims.
    """

    def __init__(
        self,
        config: dict,
        recipes: Mapping[str, int] = RECIPES,
        files: Callable[..., str] = lambda _stage, _settings, *_modules: "",
    ):
        """Expand the run table of `config`, as returned by `config.load`.

        files: (stage, settings, modules imported by name) -> digest of the files that determine the job's
        result, "" for none (see deciding_files.py). Only Snakemake uses it: dvc.lock has its own digests of
        these files.
        """
        self._config = config
        self._recipes = recipes
        self._files = files
        self._stages = self._STAGES | dict.fromkeys(specs(config), Ancestry._analysis)
        self._made_by = made_by(config)
        self._runs = expand(config)
        self._ledgers = labels(self._runs)
        self._known: dict[tuple, str] = {}

    def asked(self, stage: str, **names: str) -> str:
        """Return the fingerprint of one job. Stages, and the names that identify their jobs:

        data(dataset) · labels(dataset, labels) · train(experiment, run) · each analysis(experiment, run) ·
        collect(experiment, table) · areas(experiment) · selection(experiment) · figure(figure) · claims().
        Names that a stage does not use are ignored, so all wildcards of a rule can be passed. Raises KeyError
        for a stage or name that the study does not have: that is a bug in a rule.
        """
        key = (stage, *sorted(names.items()))
        if key not in self._known:
            self._known[key] = self._stages[stage](self, stage=stage, **names)
        return self._known[key]

    def _say(self, stage: str, settings: dict, upstream: object, *modules: str, **more: object) -> str:
        recipe = {"recipe": self._recipes[stage]} if stage in self._recipes else {}
        files = self._files(stage, settings, *modules)
        more |= {"files": files} if files else {}
        return said(stage, settings, upstream, **recipe, **more)

    def _data(self, stage: str, dataset: str, **_) -> str:
        own = self._config.get("imagefolder", {}) if dataset == "imagefolder" else {}
        if dataset in self._config["datasets"]:
            own = written(self._config["datasets"][dataset], "read")
        return self._say(stage, {"dataset": dataset, **own}, None)

    def _labels(self, stage: str, dataset: str, labels: str, **_) -> str:
        settings = {"dataset": dataset, **self._ledgers[dataset][labels]}
        return self._say(stage, settings, self.asked("data", dataset=dataset))

    def _train(self, stage: str, experiment: str, run: str, **_) -> str:
        settings = self._runs[experiment][run]
        if settings["model"] in self._config["models"]:
            settings = settings | written(self._config["models"][settings["model"]]["build"], "build")
        ledger = {"dataset": settings["dataset"], "labels": labels_name(settings)}
        return self._say(stage, settings, self.asked("labels", **ledger))

    def _analysis(self, stage: str, experiment: str, run: str, **_) -> str:
        settings = self._config["experiments"][experiment][stage]
        model = self._config["models"].get(self._runs[experiment][run]["model"])
        upstream = self.asked("train", experiment=experiment, run=run)
        if model is None:
            return self._say(stage, settings, upstream)
        layers = {"layers": model["layers"]} if "layers" in model else {}
        # `code` is the only function that the model file may name.
        return self._say(stage, settings, upstream, OWN, code=model["build"], **layers)

    def _collect(self, stage: str, experiment: str, table: str, **_) -> str:
        source = "train" if table in TRAINED else present(self._made_by[table])
        settings = {"experiment": experiment, "runs": key_columns(self._config, experiment), "table": table}
        runs = self._runs[experiment]
        return self._say(
            stage, settings, {run: self.asked(source, experiment=experiment, run=run) for run in runs}
        )

    def _areas(self, stage: str, experiment: str, **_) -> str:
        upstream = [self._table(experiment, table) for table in ("ablation", "runs")]
        return self._say(stage, {"experiment": experiment}, upstream)

    def _selection(self, stage: str, experiment: str, **_) -> str:
        settings = self._config["experiments"][experiment]["select_settings"] | {"experiment": experiment}
        upstream = [self._table(experiment, table) for table in ("areas", "runs")]
        return self._say(stage, settings, upstream)

    def _table(self, experiment: str, table: str) -> str:
        if table in DERIVED:
            return self.asked(table, experiment=experiment)
        return self.asked("collect", experiment=experiment, table=table)

    def _tables(self, figure: str) -> dict[str, str]:
        return {table: self._table(self._config["draw"][figure], table) for table in FIGURES[figure]}

    def _figure(self, stage: str, figure: str, **_) -> str:
        settings = {
            "experiment": self._config["draw"][figure], "figure": figure, "study": self._config["study"]
        }  # fmt: skip
        if behind := paper_files(figure, self._config["paper_curves"]):
            settings["paper_curves"] = behind
        return self._say(stage, settings, self._tables(figure))

    def _claims(self, stage: str, **_) -> str:
        shown = {figure: self._config["draw"][figure] for figure in self._config["figures"]}
        settings = {"figures": shown, "study": self._config["study"]}
        return self._say(stage, settings, {figure: self._tables(figure) for figure in shown})

    _STAGES: dict[str, Callable[..., str]] = {
        "data": _data,
        "labels": _labels,
        "train": _train,
        "collect": _collect,
        "areas": _areas,
        "selection": _selection,
        "figure": _figure,
        "claims": _claims,
    }


def written(reference: str, what: str) -> dict[str, str]:
    """Describe a user's function, file.py:function, with a digest of its file's code."""
    return {what: reference, "code": user_functions.digest(reference)[:16]}


def said(stage: str, settings: dict, upstream: object, **more: object) -> str:
    """Return a job's fingerprint as sorted JSON: its own settings, and a digest of everything upstream."""
    return json.dumps(
        {"stage": stage, "settings": settings, "upstream": digest(upstream)} | more, sort_keys=True
    )


def digest(upstream: object) -> str:
    """Digest plain data to 16 hex digits of SHA-256; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(upstream, sort_keys=True).encode()).hexdigest()[:16]
