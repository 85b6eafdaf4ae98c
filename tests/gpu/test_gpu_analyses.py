"""Analyses on a GPU: the CPU's tables, and memory that runs out."""

import logging

import numpy as np
import pytest
import torch
from devices import DEVICE, NETWORKS, analysed, trained

from directions.interventions import batching

CURVES = {"split": "train", "orderings": 2, "clamp": ["zero", "mean"], "points": 9, "layers": "all"}
EQUAL = {  # analysis: settings, columns that are equal but for rounding
    "ablate_cumulative": (CURVES, ["loss"]),
    "ablate_single": ({"split": "test"}, ["loss_before", "loss_after"]),
    "measure_units": ({"split": "test", "bins": 4, "shuffles": 2}, ["selectivity", "mean", "sd"]),
}


@pytest.fixture(scope="module", params=NETWORKS)
def network(request, folder):
    return trained(folder, NETWORKS[request.param], "cpu", f"{request.param}-to-analyse")


@pytest.mark.parametrize("analysis", EQUAL)
def test_tables_are_those_of_the_cpu(folder, network, analysis):
    settings, columns = EQUAL[analysis]
    there, here = (analysed(folder, network, analysis, settings, device) for device in ("cpu", DEVICE))
    np.testing.assert_allclose(here[columns], there[columns], rtol=1e-5, atol=1e-5)
    others = there.columns.difference(there.select_dtypes("number").columns)
    assert here[others].equals(there[others])


def test_noise_is_the_same_on_average(folder, network):
    """A GPU draws other numbers than a CPU."""
    settings = {"split": "train", "repeats": 20, "lowest": 0.1, "highest": 1.0, "points": 3}
    there, here = (analysed(folder, network, "add_noise", settings, device) for device in ("cpu", DEVICE))
    names = ["noise_sd_ratio"]
    means = [table.groupby(names)["loss"].mean() for table in (here, there)]
    spread = there.groupby(names)["loss"].std() / np.sqrt(20)
    assert ((means[0] - means[1]).abs() < 6 * spread + 1e-4).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="only PyTorch on a GPU limits its own memory")
def test_too_many_images_are_halved_until_they_fit(caplog):
    device = torch.device(DEVICE)
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, 2**28 / total), device)  # 256 MiB
    inputs, targets = torch.ones(64, 1, device=device), torch.zeros(64, device=device)

    def work(images, _targets, _first):
        large = images.expand(len(images), 2**21).contiguous()  # 8 MiB per image, 512 in all
        return np.array(float(large[:, 0].sum()))

    with caplog.at_level(logging.WARNING):
        assert batching.in_parts(work, inputs, targets, 0) == 64
    assert "out of memory with 64 images at a time: continuing with 32" in caplog.text
    torch.cuda.set_per_process_memory_fraction(1.0, device)
