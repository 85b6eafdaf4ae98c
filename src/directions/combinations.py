"""Values that are allowed each for itself and make no sense together, found before the graph is built."""

import json
from collections.abc import Iterator

from directions import schema
from directions.analyses import MADE_BY, tables_of
from directions.data.registry import KNOWN
from directions.figures import FIGURES
from directions.runs import MODELS, OPTIMIZERS, Settings, product, text


def train_images(dataset: str) -> int | None:
    """How many training images a data set has; None where only its files know."""
    return KNOWN[dataset].train_images if dataset in KNOWN else None


def problems(study: dict, written: dict) -> list[str]:
    """What is impossible in a completed study; `written` are its experiments before defaults went in."""
    found = list(_of_figures(study))
    if not study["experiments"]:
        found.append("experiments: the study has none, so there is nothing to do")
    for name, experiment in study["experiments"].items():
        path = f"experiments.{name}"
        faults = [*_of_writing(path, experiment, written[name]), *_of_values(path, experiment)]
        found += faults or _of_runs(path, experiment, written[name], study)
        found += _of_use(path, name, study)
    return list(dict.fromkeys(found))


def _of_figures(study: dict) -> Iterator[str]:
    draw, experiments = study["draw"], study["experiments"]
    for figure, name in draw.items():
        if name not in experiments:
            known = ", ".join(experiments) or "none"
            hint = schema.nearest(name, experiments)
            yield f"draw.{figure}: {name} is no experiment of this study{hint}; there are {known}"
            continue
        missing = {MADE_BY[t] for t in FIGURES[figure]} - {None, *experiments[name]["analyses"]}
        for analysis in sorted(missing):
            yield f"draw.{figure}: needs {analysis}, which experiments.{name}.analyses does not list"
    for figure in study["figures"] if study["figures"] != "all" else ():
        if figure not in draw:
            drawn = f"study {study['study']} draws {', '.join(draw) or 'none'}"
            yield f"figures: {figure} is not among them{schema.nearest(figure, draw)}; {drawn}"


def _of_writing(path: str, experiment: dict, written: dict) -> Iterator[str]:
    """Values that are written down and would be passed over."""
    for key in written.get("training", {}):
        if key in written["vary"]:
            yield f"{path}: {key} is fixed in training and varied too; set one of them to null"
    for analysis in (key for key in written if key in MADE_BY.values()):
        if analysis not in experiment["analyses"]:
            yield f"{path}.{analysis}: is set, but analyses does not list it; add it there or remove it here"


def _of_values(path: str, experiment: dict) -> Iterator[str]:
    for key, values in experiment["vary"].items():
        names = [text(value) for value in values]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{path}.vary.{key}: {name} stands {names.count(name)} times; each value makes one run"
    noise = experiment.get("add_noise")
    if noise and noise["lowest"] >= noise["highest"]:
        yield f"{path}.add_noise: lowest {noise['lowest']} must be below highest {noise['highest']}"


def _of_runs(path: str, experiment: dict, written: dict, study: dict) -> Iterator[str]:
    rows = product(experiment)
    for _, settings in rows:
        yield from _of_settings(path, settings, study)
    for kind, choices in (("model", MODELS), ("optimizer", OPTIMIZERS)):
        for choice, read in choices.items():
            for key in read:
                explicit = key in written.get("training", {}) or key in written["vary"]
                if explicit and all(settings[key] is None for _, settings in rows):
                    yield f"{path}: {key} is read by {kind} {choice} only, which no run has; remove it"
    seen: dict[str, str] = {}
    for run, settings in rows:
        same = seen.setdefault(json.dumps(settings, sort_keys=True), run)
        if same != run:
            yield f"{path}: runs {same} and {run} would be the same training; vary something they read"


def _of_settings(path: str, settings: Settings, study: dict) -> Iterator[str]:
    dataset, images, batch = settings["dataset"], settings["images"], settings["batch"]
    have = train_images(dataset)
    if dataset == "imagefolder" and "imagefolder" not in study:
        yield f"{path}: dataset imagefolder needs `imagefolder: {{path: ..., size: ...}}` in config.yaml"
    if images != "all" and have is not None and images > have:
        yield f"{path}: images {images} is more than the {have} training images of {dataset}"
    used = have if images == "all" else images
    if used is not None and batch > used:
        yield f"{path}: batch {batch} is more than the {used} images trained on"
    for epoch in settings["keep_epochs"]:
        if epoch > settings["epochs"]:
            yield f"{path}: keep_epochs has {epoch}, but training ends after {settings['epochs']} epochs"


def _of_use(path: str, name: str, study: dict) -> Iterator[str]:
    if study["experiments"][name]["analyses"]:
        return
    enough = set(tables_of([]))
    if not any(n == name and set(FIGURES[f]) <= enough for f, n in study["draw"].items()):
        yield f"{path}.analyses: is empty, and no figure shows this experiment; list an analysis or draw it"
