import numpy as np
import pandas as pd
import pytest

from directions.analyses import auc


def test_corrections():
    assert auc.relative(0.45, 0.9) == pytest.approx(0.5)
    assert auc.chance_corrected(0.1, 10) == pytest.approx(0)
    assert auc.chance_corrected(1.0, 10) == pytest.approx(1)
    assert auc.chance_corrected(0.25, 20, guesses=5) == pytest.approx(0)
    assert np.isnan(auc.chance_corrected(0.25, 5, guesses=5))  # a guess of all classes is never wrong


def test_all_variants_of_many_curves_and_of_one():
    ablated, accuracy = np.array([0, 5, 10]), np.array([[0.8, 0.4, 0.2], [0.8, 0.8, 0.2]])
    found = auc.variants(ablated, accuracy, 5)
    assert list(found) == ["auc", "auc_relative", "auc_chance_corrected"]
    assert found["auc"] == pytest.approx([0.45, 0.65])
    assert found["auc_relative"] == pytest.approx([0.45 / 0.8, 0.65 / 0.8])
    assert found["auc_chance_corrected"] == pytest.approx([0.25 / 0.8, 0.45 / 0.8])
    of_five = auc.variants(ablated, accuracy[0], 20, guesses=5)
    assert of_five == pytest.approx(
        {"auc_top5": 0.45, "auc_relative_top5": 0.45 / 0.8, "auc_chance_corrected_top5": 0.2 / 0.75}
    )


def test_networks_that_do_not_read_a_varied_setting_have_areas_too():
    curve = pd.DataFrame({"clamp": "zero", "ordering": 0, "ablated": [0, 5, 10], "accuracy": [1.0, 0.5, 0.0]})
    keys = [{"run": "sgd", "momentum": 0.9}, {"run": "adam", "momentum": None}]
    curves = pd.concat([curve.assign(**key)[[*key, *curve]] for key in keys])
    found = auc.of_curves(curves, {"sgd": 10, "adam": 10}).set_index("run")
    assert found["auc"].to_dict() == {"sgd": 0.5, "adam": 0.5}
    assert np.isnan(found.loc["adam", "momentum"])


def test_an_area_has_no_relation_to_an_accuracy_of_0():
    found = auc.variants(np.array([0, 1]), np.array([[0.0, 0.5], [0.0, 0.0], [0.5, 0.5]]), 10)["auc_relative"]
    np.testing.assert_array_equal(found, [np.nan, np.nan, 1.0])


def test_areas_say_which_images_batch_norm_normalised_together():
    curve = pd.DataFrame({"clamp": "zero", "ordering": 0, "ablated": [0, 5, 10], "accuracy": [1.0, 0.5, 0.0]})
    curves = pd.concat([curve.assign(run="a", norm_images=500), curve.assign(run="b")])
    curves.insert(0, "run", curves.pop("run"))
    found = auc.of_curves(curves, {"a": 10, "b": 10}).set_index("run")["norm_images"]
    assert found["a"] == 500
    assert np.isnan(found["b"])
    assert "norm_images" not in auc.of_curves(curves.drop(columns="norm_images"), {"a": 10, "b": 10})
