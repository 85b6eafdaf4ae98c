import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from directions.core.errors import InputError
from directions.data import labels

TRUE = np.arange(1000) % 10


@given(fraction=st.floats(0, 1), seed=st.integers(0, 5))
def test_exactly_the_share_asked_for_is_selected_and_the_histogram_is_kept(fraction, seed):
    found, selected = labels.corrupt(TRUE, fraction, seed)
    assert selected.sum() == round(fraction * len(TRUE))
    np.testing.assert_array_equal(np.bincount(found, minlength=10), np.bincount(TRUE))
    np.testing.assert_array_equal(found[~selected], TRUE[~selected])


@given(pair=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted))
def test_selections_are_nested_in_the_share(pair):
    smaller, larger = (labels.corrupt(TRUE, fraction, 0)[1] for fraction in pair)
    assert not (smaller & ~larger).any()


def test_no_share_changes_nothing_and_all_changes_nine_tenths():
    assert (labels.corrupt(TRUE, 0.0, 0)[0] == TRUE).all()
    changed = [(labels.corrupt(np.arange(60_000) % 10, 1.0, seed)[0] != np.arange(60_000) % 10).mean()
               for seed in range(3)]  # fmt: skip
    np.testing.assert_allclose(changed, 0.9, atol=0.01)


def test_seeds_differ_and_repeat():
    zero, one = labels.corrupt(TRUE, 0.5, 0)[0], labels.corrupt(TRUE, 0.5, 1)[0]
    assert (zero != one).any()
    np.testing.assert_array_equal(zero, labels.corrupt(TRUE, 0.5, 0)[0])


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_an_impossible_share_is_refused(fraction):
    with pytest.raises(InputError, match="is outside 0..1"):
        labels.corrupt(TRUE, fraction, 0)


def test_subsets_of_images_are_nested_and_too_many_are_refused():
    few, more = labels.choose_images(1000, 10, "mnist"), labels.choose_images(1000, 500, "mnist")
    assert set(few) <= set(more)
    assert len(few) == 10
    with pytest.raises(InputError, match="1001 requested, but mnist has 1000"):
        labels.choose_images(1000, 1001, "mnist")


def written(tmp_path, **changed):
    path = tmp_path / "ledger.parquet"
    labels.save(path, labels.ledger(TRUE, "mnist", "all", 0.4, 0).assign(**changed))
    return path


def test_a_ledger_survives_the_way_through_its_file(tmp_path):
    pd.testing.assert_frame_equal(
        labels.load(written(tmp_path), TRUE), labels.ledger(TRUE, "mnist", "all", 0.4, 0)
    )


def test_a_ledger_of_another_length_than_the_data_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"ledger.parquet labels 1000 images.*has 900 training images"):
        labels.load(written(tmp_path), TRUE[:900])


def test_a_ledger_of_other_data_is_refused(tmp_path):
    with pytest.raises(InputError, match="for another data set"):
        labels.load(written(tmp_path), (TRUE + 1) % 10)


def test_garbage_in_place_of_a_ledger_is_refused_by_name(tmp_path):
    path = tmp_path / "ledger.parquet"
    path.write_bytes(b"PAR1 this is not one")
    with pytest.raises(InputError, match="ledger.parquet is not a label ledger"):
        labels.load(path, TRUE)
