"""The settings that analyses of single training examples share."""

from dataclasses import dataclass

from directions.core.types import Count
from directions.study.settings import number, setting, whole_or_all


@dataclass(frozen=True)
class ScoreSettings:
    """Settings of unique information.

    Attributes:
        images: training images, of which one at a time is left out.
        scored: test images on which a change of the outputs is measured.
        ridge: weight of the penalty on changes of the weights, as a share of the kernel's mean diagonal.
    """

    images: Count = setting(
        1000, "training images, drawn at random: all, or at most so many", whole_or_all(20)
    )
    scored: Count = setting(1000, "test images, drawn at random: all, or at most so many", whole_or_all(10))
    ridge: float = setting(
        0.1,
        "weight of the penalty on changes of the weights, as a share of the kernel's mean diagonal",
        number("a number > 0", exclusiveMinimum=0),
    )
