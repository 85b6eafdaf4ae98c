"""Copies of data sets that lost something: which there are, what may be claimed on them (D31)."""

COPIES = {  # copy: the data set whose images it has
    "cifar10_jpeg": "cifar10",
    "cifar10_jpeg_first4000": "cifar10_first4000",
}
CIFAR = {"genuine": "cifar10", "jpeg": "cifar10_jpeg"}  # what `cifar` in config.yaml may say
# Claims of kind value that may be judged on a copy: the quantity and the fraction corrupted in
# docs/results/jpeg_loss.csv whose change by the loss lies within the claim's tolerance.
VALUES = {
    "fig1b_area_1.0": ("area", 1.0),
    "fig2b_mean_1.0": ("accuracy under noise", 1.0),
    "fig6a_mean_with": ("selectivity", 0.0),
    "fig6b_mean_with": ("mutual information, bits", 0.0),
}


def original(dataset: str) -> str:
    """The data set that a copy is a copy of; any other is its own: original("cifar10_jpeg") is "cifar10"."""
    return COPIES.get(dataset, dataset)


def judged(kind: str, claim: str) -> bool:
    """Tell whether a claim of this kind and id may be judged on a copy: numbers are the original's."""
    return kind != "value" or claim in VALUES


def switched(config: dict) -> dict:
    """The config with CIFAR-10, genuine or copy, replaced by the one that its `cifar` names, if it names one.

    Only what networks are trained on is replaced: `dataset` of defaults and experiments, fixed or varied.
    """
    if "cifar" not in config:
        return config
    chosen = CIFAR[config["cifar"]]
    return config | {block: _replaced(config[block], chosen) for block in ("defaults", "experiments")}


def _replaced(value: object, chosen: str, key: str = "") -> object:
    if isinstance(value, dict):
        return {name: _replaced(item, chosen, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, chosen, key) for item in value]
    return chosen if key == "dataset" and value in CIFAR.values() else value
