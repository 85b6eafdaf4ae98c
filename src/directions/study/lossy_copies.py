"""Lossy copies of data sets, and which claims may be judged on them (D31)."""

COPIES = {  # copy -> the data set whose images it holds
    "cifar10_jpeg": "cifar10",
    "cifar10_jpeg_first4000": "cifar10_first4000",
}
CIFAR = {"genuine": "cifar10", "jpeg": "cifar10_jpeg"}  # values of `cifar` in config.yaml
# Claims of kind value that may be judged on a copy, with the quantity and the fraction corrupted in
# docs/results/jpeg_loss.csv whose change due to the loss is within the claim's tolerance.
VALUES = {
    "fig1b_area_1.0": ("area", 1.0),
    "fig2b_mean_1.0": ("accuracy under noise", 1.0),
    "fig6a_mean_with": ("selectivity", 0.0),
    "fig6b_mean_with": ("mutual information, bits", 0.0),
}


def original(dataset: str) -> str:
    """Map a copy to its original, any other data set to itself: original("cifar10_jpeg") is "cifar10"."""
    return COPIES.get(dataset, dataset)


def judged(kind: str, claim: str) -> bool:
    """Return whether a claim may be judged on a copy, by kind and id; most values need the original."""
    return kind != "value" or claim in VALUES


def switched(config: dict) -> dict:
    """Replace CIFAR-10, genuine or copy, by the version that the config's `cifar` names, if set.

    Only training data is replaced: `dataset` in defaults and experiments, fixed or varied.
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
