"""What analyses need of their settings and of the networks that they take, checked before anything trains."""

from collections.abc import Iterator, Mapping

from directions.study.analysis_spec import AnalysisSpec
from directions.study.training_settings import TrainingSettings

RETRAINED = {"model": ("mlp",), "dropout": (0,), "method": (None, "cross_entropy"), "precision": ("float32",)}
ONLY = "retrains only networks of model mlp, without dropout, by cross-entropy, in float32"


def unlike(settings: TrainingSettings) -> list[str]:
    """List the settings of networks that cannot be retrained: ["model conv11"]."""
    found = {name: getattr(settings, name) for name in RETRAINED}
    return [f"{name} {value}" for name, value in found.items() if value not in RETRAINED[name]]


def to_retrain(
    path: str, settings: TrainingSettings, asked: Mapping | None, images: int | None
) -> Iterator[str]:
    """List what measure_cmi lacks; asked: its settings, images: trained on, None: unknown."""
    if asked is None:
        return
    if found := unlike(settings):
        yield f"{path}: {ONLY}, not with {', '.join(found)}; remove it"
    most = max(asked["pairs"])
    if images is not None and 2 * most > images:
        yield f"{path}: {most} pairs need {2 * most} images, and the networks train on {images}; lower pairs"


def checkpoints(path: str, experiment: Mapping, specs: Mapping[str, AnalysisSpec]) -> Iterator[str]:
    """List what analyses that read the weights kept during training lack."""
    training = experiment["training"]
    for name, spec in specs.items():
        if name not in experiment or not spec.checkpoints:
            continue
        if not (training["keep_epochs"] or training["keep_every"]):
            way = "list epochs in training.keep_epochs, or set training.keep_every to a number of steps"
            yield f"{path}: {name} needs checkpoints; {way}"
        elif spec.start and 0 not in training["keep_epochs"]:
            yield f"{path}: {name} needs the weights before training; add 0 to training.keep_epochs"


def together(blocks: Mapping) -> Iterator[str]:
    """List what is wrong with settings of {analysis: settings} that are valid alone."""
    noise, curves = blocks.get("add_noise"), blocks.get("ablate_cumulative", {})
    if noise and noise["lowest"] >= noise["highest"]:
        yield f"add_noise: lowest {noise['lowest']} must be below highest {noise['highest']}"
    size = curves.get("norm_images")
    if size is not None and (curves["clamp"] != ["zero"] or curves["precision"] != "float32"):
        yield f"ablate_cumulative: norm_images {size} needs clamp: [zero] and precision: float32; change one"
    scored, split = curves.get("images", "all"), curves.get("split")
    have = blocks.get(f"{split}_images")  # of an own network
    for key, asked, most, of in (
        ("norm_images", size, scored, "images"),
        ("norm_images", size, have, f"{split}_images"),
        ("images", scored, have, f"{split}_images"),
    ):
        if not isinstance(asked, str | None) and not isinstance(most, str | None) and asked > most:
            yield f"ablate_cumulative: {key} {asked} is more than {of} {most}; change one"
