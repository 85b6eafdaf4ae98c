"""What measure_cmi needs of the networks that it is to retrain, checked before anything trains."""

from collections.abc import Iterator, Mapping

from directions.study.training_settings import TrainingSettings


def problems(
    path: str, settings: TrainingSettings, asked: Mapping | None, images: int | None
) -> Iterator[str]:
    """List what stands in the way; asked: the settings of measure_cmi, images: trained on, None: unknown."""
    if asked is None:
        return
    if settings.model != "mlp":
        yield f"{path}: retrains only networks of model mlp, not {settings.model}; remove it"
    most = max(asked["pairs"])
    if images is not None and 2 * most > images:
        yield f"{path}: {most} pairs need {2 * most} images, and the networks train on {images}; lower pairs"
