"""Cross-field checks before the graph is built: settings valid alone but inconsistent together."""

import json
from collections.abc import Iterator

from directions.core import user_functions
from directions.core.errors import InputError
from directions.core.suggest import nearest
from directions.data.registry import KNOWN
from directions.interventions.layer_selection import chosen_layers
from directions.study import comparisons, needs, training_settings
from directions.study.architectures import ARCHITECTURES
from directions.study.catalogue import FIGURES, blocks, made_by, specs, tables_of
from directions.study.run_table import MODELS, Settings, choosing, models_of, product, text
from directions.study.training_settings import TrainingSettings
from directions.study.training_steps import steps_in_all, steps_per_epoch


def train_images(dataset: str) -> int | None:
    """Return the number of training images of a data set; None if only its files know."""
    return KNOWN[dataset].train_images if dataset in KNOWN else None


def used_images(settings: TrainingSettings) -> int | None:
    """Return the number of images a run trains on; None if only the data set's files know."""
    return train_images(settings.dataset) if isinstance(settings.images, str) else settings.images


def split_images(settings: TrainingSettings, split: str | None) -> int | None:
    """Return how many images of a split a run is measured on; None if only the data set's files know."""
    if split != "test":
        return used_images(settings)
    known = KNOWN[settings.dataset].test_images if settings.dataset in KNOWN else None
    return known if isinstance(settings.test_images, str) else settings.test_images


def streamed(dataset: str, study: dict) -> bool:
    """Return whether images are read from their files on demand rather than kept in memory."""
    return dataset == "imagenet" or (
        dataset == "imagefolder" and study.get("imagefolder", {}).get("stream", False)
    )


def last_epoch(settings: TrainingSettings) -> int | None:
    """Return the epoch in which training ends; None if only the data set's files determine it."""
    if settings.steps is None:
        return settings.epochs
    images = used_images(settings)
    return None if images is None else -(-settings.steps // max(1, steps_per_epoch(settings, images)))


def last_step(settings: TrainingSettings) -> int | None:
    """Return the step at which training ends; None if only the data set's files determine it."""
    images = used_images(settings)
    return settings.steps if images is None else steps_in_all(settings, images)


def unit_layers(settings: Settings) -> list[str] | None:
    """List a run's layers of units; None for a user's model, whose layers are known once it is built."""
    built_in = ARCHITECTURES.get(settings["model"])
    return built_in.layers(settings) if built_in else None


def problems(study: dict, written: dict) -> list[str]:
    """List the contradictions in a completed study; `written` holds its experiments before defaults.

    If figures are chosen, the others, and networks that only these show, are not checked.
    """
    if found := list(_of_added(study)):
        return found
    found = list(_of_figures(study))
    if not study["experiments"]:
        found.append("experiments: the study has none, so there is nothing to do")
    chosen = study["figures"]
    needed = study["experiments"] if chosen == "all" else {study["draw"].get(figure) for figure in chosen}
    for name, experiment in study["experiments"].items():
        path = f"experiments.{name}"
        faults = [*_of_writing(path, experiment, written[name], study), *_of_values(path, experiment)]
        found += faults or (_of_runs(path, experiment, written[name], study) if name in needed else ())
        found += _of_use(path, name, study)
    return list(dict.fromkeys(found))


def _of_added(study: dict) -> Iterator[str]:
    """Check user data sets and models: names that are taken, functions that do not exist."""
    builds = {name: entry["build"] for name, entry in study["models"].items()}
    for block, functions, ours in (("datasets", study["datasets"], KNOWN), ("models", builds, MODELS)):
        for name, reference in functions.items():
            if name in ours:
                yield f"{block}.{name}: this name is built in; choose another"
            try:
                user_functions.check(reference)
            except InputError as error:
                yield f"{block}.{name}: {error}"


def _of_figures(study: dict) -> Iterator[str]:
    draw, experiments, chosen = study["draw"], study["experiments"], study["figures"]
    makers = made_by(study)
    for figure, name in draw.items():
        if chosen != "all" and figure not in chosen:
            continue
        if name not in experiments:
            known = ", ".join(experiments) or "none"
            hint = nearest(name, experiments)
            yield f"draw.{figure}: {name} is not an experiment of this study{hint}; there are {known}"
            continue
        for table in (table for table in FIGURES[figure] if table not in makers):
            yield f"draw.{figure}: no analysis makes the table {table}; name its file in analysis_files"
        wanted = {makers.get(table) or "" for table in FIGURES[figure]}
        missing = wanted - {"", *experiments[name]["analyses"]}
        for analysis in sorted(missing):
            yield (
                f"draw.{figure}: needs {analysis}, which experiments.{name}.analyses does not list: list it,"
                f" or set `draw: {{{figure}: null}}`"
            )
        if not missing:
            yield from comparisons.problems(figure, name, experiments[name], models_of(study))
    for figure in chosen if chosen != "all" else ():
        if figure not in draw:
            drawn = f"study {study['study']} draws {', '.join(draw) or 'none'}"
            yield f"figures: {figure} is not among them{nearest(figure, draw)}; {drawn}"


def _of_writing(path: str, experiment: dict, written: dict, study: dict) -> Iterator[str]:
    """Find settings that are written down but would be ignored."""
    fixed, varied = written.get("training", {}), written["vary"]
    for key in (key for key in fixed if key in varied):
        yield f"{path}: {key} is both fixed in training and varied; set one of them to null"
    steps = experiment["training"]["steps"]
    if steps is not None and ("epochs" in fixed or "epochs" in varied):
        yield f"{path}: epochs is not read where training ends after steps ({steps}); set one of them to null"
    follows = blocks(study)
    for block in (key for key in written if key in follows):
        if (needed := follows[block]) not in experiment["analyses"]:
            what = "it" if needed == block else f"{needed}, on which it depends"
            yield f"{path}.{block}: is set, but analyses does not list {what}; add it there or remove it here"


def _of_values(path: str, experiment: dict) -> Iterator[str]:
    for key, values in experiment["vary"].items():
        names = [text(value) for value in values]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{path}.vary.{key}: {name} appears {names.count(name)} times; each value makes one run"
    yield from (f"{path}.{fault}" for fault in needs.together(experiment))


def _of_runs(path: str, experiment: dict, written: dict, study: dict) -> Iterator[str]:
    yield from needs.checkpoints(path, experiment, specs(study))
    models = models_of(study)
    rows = product(experiment, models)
    for _, run in rows:
        settings = training_settings.read(run)
        yield from _of_settings(path, settings, study)
        yield from _of_augmenting(path, settings, study)
        yield from _of_network(path, settings, unit_layers(run), experiment)
        yield from _of_normalising(path, settings)
        asked = experiment.get("measure_cmi")
        yield from needs.to_retrain(f"{path}.measure_cmi", settings, asked, used_images(settings))
    for kind, choices in choosing(models):
        for key in dict.fromkeys(key for read in choices.values() for key in read):
            explicit = key in written.get("training", {}) or key in written["vary"]
            if explicit and all(settings.get(key) is None for _, settings in rows):
                reads = ", or name it in `reads` of a model of yours" if study["models"] else ""
                readers = " and ".join(choice for choice, read in choices.items() if key in read)
                way = f"remove it, or set it to null where configs/paper.yaml has it{reads}"
                yield f"{path}: {key} is read only by {kind} {readers}, which no run has; {way}"
    seen: dict[str, str] = {}
    for name, row in rows:
        same = seen.setdefault(json.dumps(row, sort_keys=True), name)
        if same != name:
            yield f"{path}: runs {same} and {name} would be the same training; vary a setting they read"


def _of_settings(path: str, settings: TrainingSettings, study: dict) -> Iterator[str]:
    dataset, images, batch = settings.dataset, settings.images, settings.batch
    have = train_images(dataset)
    if dataset == "imagefolder" and "imagefolder" not in study:
        yield f"{path}: dataset imagefolder needs `imagefolder: {{path: ..., size: ...}}` in config.yaml"
    if not isinstance(images, str) and have is not None and images > have:
        yield f"{path}: images {images} is more than the {have} training images of {dataset}"
    used = used_images(settings)
    if used is not None and batch > used:
        yield f"{path}: batch {batch} is more than the {used} images trained on"
    last = last_epoch(settings)
    late = [str(epoch) for epoch in settings.keep_epochs if last is not None and epoch > last]
    if late:
        ends = f"ends after {last} epochs" + (f" ({settings.steps} steps)" if settings.steps else "")
        yield f"{path}: keep_epochs has {', '.join(late)}, but training {ends}"
    every, steps = settings.keep_every, last_step(settings)
    if every and steps is not None and every > steps:
        yield f"{path}: keep_every {every} is more than the {steps} steps of training; lower it"
    if settings.method == "limit":
        for key in ("limit_loss", "limit_lambda"):
            if getattr(settings, key) is None:
                yield f"{path}: method limit needs {key}; set or vary it"
        if settings.norm_batch is not None:
            yield f"{path}: method limit trains in one process, without norm_batch; set norm_batch: null"


def _of_augmenting(path: str, settings: TrainingSettings, study: dict) -> Iterator[str]:
    if not settings.augment:
        return
    dataset, corrupt = settings.dataset, settings.corrupt
    if not streamed(dataset, study):
        files = "images streamed from their files: imagenet, or imagefolder with stream: true"
        yield f"{path}: augment is for {files}, not for {dataset}; set augment: false"
    if corrupt > 0:
        why = "images that keep changing cannot be memorised with their labels"
        yield f"{path}: augment does not go with corrupt {text(corrupt)}, as {why}; set augment: false"


def _of_network(
    path: str, settings: TrainingSettings, units: list[str] | None, experiment: dict
) -> Iterator[str]:
    model = settings.model
    if settings.dropout > 0 and model != "mlp":
        yield f"{path}: dropout {settings.dropout} works only in model mlp, not in {model}; remove it"
    chosen = {name: block["layers"] for name, block in experiment.items() if "layers" in block}
    for analysis, layers in chosen.items():
        if isinstance(layers, int) and units is not None and layers > len(units):
            yield (
                f"{path}.{analysis}: layers {layers} is more than the {len(units)} layers of units of {model}"
            )
        elif units is not None:
            try:
                chosen_layers(units, layers)
            except InputError as error:
                yield f"{path}.{analysis}.{error}"
    curves = (("ablate_cumulative", "images"), ("ablate_cumulative", "norm_images"))
    for analysis, key in (("ablate_checkpoints", "images"), *curves):
        block = experiment.get(analysis, {})
        asked, have = block.get(key), split_images(settings, block.get("split"))
        if isinstance(asked, int) and have is not None and asked > have:
            split = block["split"]
            yield f"{path}.{analysis}: {key} {asked} is more than the {have} {split} images of a network"


def _of_normalising(path: str, settings: TrainingSettings) -> Iterator[str]:
    batch, group, used = settings.batch, settings.norm_batch, used_images(settings)
    built_in = ARCHITECTURES.get(settings.model)
    normalised = settings.batch_norm or (built_in is not None and built_in.batch_norm)
    if group is None:
        if normalised and (batch == 1 or (used is not None and used % batch == 1)):
            yield f"{path}: batch {batch} leaves one image in a batch, too few for batch norm; change one"
    elif not normalised:
        yield f"{path}: norm_batch {group} needs batch norm, but batch_norm is false; set norm_batch: null"
    elif batch % group:
        yield f"{path}: norm_batch {group} does not divide batch {batch} into whole groups; change one"


def _of_use(path: str, name: str, study: dict) -> Iterator[str]:
    if study["experiments"][name]["analyses"]:
        return
    enough = set(tables_of([], study))
    if not any(n == name and set(FIGURES[f]) <= enough for f, n in study["draw"].items()):
        yield f"{path}.analyses: is empty, and no figure shows this experiment; list an analysis or draw it"
