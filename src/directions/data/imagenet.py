"""ImageNet (ILSVRC 2012): 1.28 million JPEGs in a thousand folders, read from their files whenever needed."""

from directions.data.imagefolder import read
from directions.data.known import Known

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
