"""What figures compare, checked before anything trains: experiments that cannot show it are refused."""

import json
from collections.abc import Iterator

from directions.study.catalogue import ALONE, CLAMPED, COUNTED, SCORED_ON, VARIED
from directions.study.run_table import product, text


def problems(figure: str, name: str, experiment: dict, models: dict) -> Iterator[str]:
    """Check that the experiment varies what the figure compares."""
    rows = [settings for _, settings in product(experiment, models)]
    for key in {"dataset", "model"} - {VARIED.get(figure)}:
        if key in experiment["vary"] and len(experiment["vary"][key]) > 1:
            yield f"draw.{figure}: shows one {key}, experiments.{name} varies it; make an experiment of each"
    varied = VARIED.get(figure)
    if varied and len({text(settings.get(varied)) for settings in rows}) < 2:
        yield f"draw.{figure}: compares values of {varied}, experiments.{name} has one; vary it there"
    for key in (key for key, values in experiment["vary"].items() if len(values) > 1):
        if figure in ALONE and key not in (*ALONE[figure], "seed"):
            yield f"draw.{figure}: shows one {key}, experiments.{name} varies it; make an experiment of each"
    if "epochs" in ALONE.get(figure, ()) and any(settings["epochs"] is None for settings in rows):
        yield f"draw.{figure}: compares epochs, experiments.{name} has steps; set steps: null"
    if figure in SCORED_ON:
        yield from _of_wrong_labels(f"draw.{figure}", name, rows)
    split = experiment.get("ablate_cumulative", {}).get("split")
    if split != SCORED_ON.get(figure, split):
        wanted = SCORED_ON[figure]
        yield f"draw.{figure}: needs experiments.{name}.ablate_cumulative.split: {wanted}, not {split}"
    unseeded = {json.dumps(settings | {"seed": None}, sort_keys=True) for settings in rows}
    noun, least = COUNTED.get(figure, ("networks", 1))
    have = {"networks": len(rows), "settings": len(unseeded)}[noun]
    if have < least:
        yield f"draw.{figure}: needs {least} {noun} or more, experiments.{name} has {have}"
    for clamp in CLAMPED.get(figure, ()):
        if clamp not in experiment["ablate_cumulative"]["clamp"]:
            yield f"draw.{figure}: needs {clamp} in experiments.{name}.ablate_cumulative.clamp"


def _of_wrong_labels(path: str, name: str, rows: list[dict]) -> Iterator[str]:
    """Find what keeps an experiment from showing reliance against wrong labels reproduced."""
    if any(not row["corrupt"] for row in rows):
        yield f"{path}: needs wrong labels, experiments.{name} has networks with corrupt 0; set corrupt: 0.5"
    dropouts = {row["dropout"] for row in rows}
    if len(dropouts) > 1 and 0 not in dropouts:
        yield f"{path}: compares with networks without dropout, experiments.{name} has none; vary 0.0, too"
