"""Labels from a CSV file whose column says which image each is of."""

import numpy as np
import pytest
from PIL import Image

from directions.core.errors import InputError
from directions.data import label_file, user_arrays

NAMES = ["cat/0.png", "cat/1.png", "dog/2.png"]


def labels_of(tmp_path, text, images=NAMES):
    (tmp_path / "y.csv").write_text(text)
    return label_file.read(tmp_path / "y.csv", images).tolist()


@pytest.mark.parametrize("column", ["image", "file", "anything"])
@pytest.mark.parametrize("names", [
    ["dog/2.png", "cat/0.png", "cat/1.png"],
    ["train/dog/2.png", "train/cat/0.png", "train/cat/1.png"],
    ["2.png", "0.png", "1.png"],
])  # fmt: skip
def test_a_column_of_names_decides_which_image_a_label_is_of(tmp_path, column, names):
    rows = "".join(f"{name},{label}\n" for name, label in zip(names, (7, 5, 6), strict=True))
    assert labels_of(tmp_path, f"{column},label\n{rows}") == [5, 6, 7]


@pytest.mark.parametrize(("rows", "said"), [
    ("cat/0.png,1\ncat/1.png,1\nbird/2.png,1\n", "'bird/2.png' is not one of them"),
    ("cat/0.png,1\ncat/1.png,1\ncat/1.png,1\n", "some images do not have exactly one row"),
])  # fmt: skip
def test_names_of_other_images_are_refused(tmp_path, rows, said):
    with pytest.raises(InputError, match=f"y.csv: its column image should name .*; {said}"):
        labels_of(tmp_path, f"image,label\n{rows}")


def test_equal_file_names_in_two_classes_tell_nothing(tmp_path):
    with pytest.raises(InputError, match="should name the images of the folder, as in 'a/0.png'"):
        labels_of(tmp_path, "file,label\n0.png,1\n0.png,2\n", ["a/0.png", "b/0.png"])


@pytest.mark.parametrize("column", ["image", "index", ""])
def test_a_column_of_numbers_decides_for_arrays(tmp_path, column):
    assert labels_of(tmp_path, f"{column},label\n2,7\n0,5\n1,6\n", ()) == [5, 6, 7]
    with pytest.raises(InputError, match="should number the images from 0 to 2, each once"):
        labels_of(tmp_path, f"{column},label\n1,5\n2,6\n3,7\n", ())


def test_other_columns_leave_the_rows_in_their_order(tmp_path):
    text = "label,confidence\n0,0.5\n2,0.25\n1,0.75\n"
    assert labels_of(tmp_path, text) == labels_of(tmp_path, text, ()) == [0, 2, 1]


@pytest.mark.parametrize("column", ["2\n0\n1", "3\n1\n2", "img_2.png\nimg_0.png\nimg_1.png"])
@pytest.mark.parametrize("images", [(), ["cat/a.png", "cat/b.png", "dog/c.png"]])
def test_rows_numbered_in_another_order_under_a_name_not_known_are_refused(tmp_path, column, images):
    rows = "".join(f"{value},{label}\n" for value, label in zip(column.split(), (7, 5, 6), strict=True))
    with pytest.raises(InputError, match="y.csv: its column id seems to number the images"):
        labels_of(tmp_path, f"id,label\n{rows}", images)


def test_rows_in_an_order_that_a_column_does_not_have_are_doubted(tmp_path, caplog):
    assert labels_of(tmp_path, "id,label\n9,0\n10,2\n11,1\n", ()) == [0, 2, 1]
    assert labels_of(tmp_path, "id,label\nimg_9.png,0\nimg_10.png,2\nimg_11.png,1\n", ()) == [0, 2, 1]
    assert not caplog.text
    assert labels_of(tmp_path, "id,label\n907,0\n12,2\n105,1\n", ()) == [0, 2, 1]
    assert "labels are read in row order; column id has another order" in caplog.text


def test_labels_by_name_reach_the_images_of_a_folder(tmp_path):
    for split in ("train", "test"):
        for number, name in enumerate(("cat", "dog")):
            (tmp_path / split / name).mkdir(parents=True)
            Image.new("L", (4, 4), 100 * number).save(tmp_path / split / name / f"{number}.png")
    (tmp_path / "y.csv").write_text("image,label\ndog/1.png,0\ncat/0.png,1\n")
    made = user_arrays.dataset(
        {"imagefolder": str(tmp_path), "size": 4}, {"train": str(tmp_path / "y.csv")}, None
    )
    assert made.train_images[:, 0, 0, 0].tolist() == [0, 100]
    assert made.train_labels.tolist() == [1, 0]
    assert np.array_equal(made.test_labels, [0, 1])
