"""ImageNet (ILSVRC 2012): 1.28 million JPEGs in a thousand folders, streamed from their files."""

import logging
import shutil
import tarfile
from pathlib import Path

from directions.core.errors import InputError
from directions.core.types import present
from directions.data.dataset import Dataset
from directions.data.imagefolder import find_splits, labels, listed
from directions.data.specs import Known, Request

LOG = logging.getLogger(__name__)
CLASSES = 1_000
RESIZE = 256  # shorter side in pixels before the center crop (docs/DEVIATIONS.md, D27)
ARCHIVES = {"train": "ILSVRC2012_img_train.tar", "val": "ILSVRC2012_img_val.tar"}
DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"  # has the classes of the images in "val"


def read(known: Known, request: Request) -> Dataset:
    """List ImageNet's files, after unpacking its archives if need be.

    Raises InputError if neither folders nor archives exist, if classes or images are missing, and for
    unreadable images, naming them.
    """
    tree = request.raw / "imagenet"
    unpack(tree)
    train, val = find_splits(tree, ("train",), ("val",))
    for split, total in ((train, known.train_images), (val, known.test_images)):
        for what, expected, found in (
            ("classes", CLASSES, len(split.classes)),
            ("images", total, len(split.samples)),
        ):
            if expected != found:
                raise InputError(
                    f"{split.root}: expected {expected} {what}, found {found}: this is not exactly the"
                    " ImageNet of 2012; correct it, or delete the folder to have it unpacked again"
                )
    size = present(known.shape)[-1]
    images, test_images = (listed(split, RESIZE, size, request.threads) for split in (train, val))
    return Dataset(known.name, tuple(train.classes), images, labels(train), test_images, labels(val))


def unpack(tree: Path) -> None:
    """Unpack the original archives in `tree` to tree/train and tree/val, each completely or not at all.

    Existing folders are kept. Raises InputError if archives are missing or damaged.
    """
    wanted = {split: archive for split, archive in ARCHIVES.items() if not (tree / split).is_dir()}
    missing = [name for name in (*wanted.values(), DEVKIT) if not (tree / name).is_file()]
    if wanted and missing:
        raise InputError(_no_source(tree, list(wanted), missing))
    for split, archive in wanted.items():
        LOG.info("local: checking and unpacking %s, which takes a while", tree / archive)
        scratch = tree / ".unpacking"
        shutil.rmtree(scratch, ignore_errors=True)  # left by a killed run
        try:
            scratch.mkdir()
            for name in (archive, DEVKIT):
                (scratch / name).symlink_to((tree / name).resolve())
            _torchvision_unpacks(scratch, split)
            (scratch / split).rename(tree / split)
        except (OSError, RuntimeError, tarfile.TarError) as error:  # RuntimeError: wrong MD5
            said = str(error).replace(str(scratch), str(tree))
            raise InputError(f"{tree / archive} cannot be unpacked: {said}") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _torchvision_unpacks(folder: Path, split: str) -> None:
    from torchvision.datasets import ImageNet

    ImageNet(str(folder), split=split)


def _no_source(tree: Path, folders: list[str], missing: list[str]) -> str:
    absent = " and no ".join(f"{tree / name}/" for name in folders)
    return "\n".join(
        [
            "no source has data set imagenet:",
            f"  - local: no {absent}, and to unpack them, no {', '.join(missing)} in {tree}/",
            "two ways to get it:",
            f"  1. make {tree} a link to a copy of yours, with train/CLASS/*.JPEG and val/CLASS/*.JPEG,",
            "     in the layout of torchvision's ImageNet",
            "  2. register at https://image-net.org/download.php and download, of ILSVRC 2012, the training",
            "     images (138 GB), the validation images (6 GB) and the development kit (tasks 1 and 2); put",
            f"     {', '.join((*ARCHIVES.values(), DEVKIT))} into {tree}/,",
            "     where they are unpacked (another 150 GB)",
        ]
    )


IMAGENET = Known(
    name="imagenet",
    title="ImageNet",
    train_images=1_281_167,
    test_images=50_000,
    class_names=None,
    shape=(3, 224, 224),
    sources=("local",),
    read=read,
)
