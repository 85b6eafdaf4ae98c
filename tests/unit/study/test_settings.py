"""Settings as dataclasses: their types agree with the values allowed, and plain data become objects."""

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import pytest
from jsonschema import Draft202012Validator

from directions.core.errors import InputError
from directions.study import schema, training_settings
from directions.study import settings as declared
from directions.study.catalogue import SPECS
from directions.study.settings import setting, whole
from directions.study.training_settings import TrainingSettings

NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
PROPERTIES = {spec.settings: declared.properties(spec.settings) for spec in SPECS.values()}
PROPERTIES |= {TrainingSettings: schema.read()["$defs"]["training"]["properties"]}


def of_type(hint) -> set[str]:
    """The JSON types of a type's values, without null."""
    if get_origin(hint) in (Union, UnionType):
        return set().union(*map(of_type, get_args(hint)))
    if get_origin(hint) is Literal:
        return {NAMES[type(value)] for value in get_args(hint)}
    return set() if hint is NoneType else {NAMES[get_origin(hint) or hint]}


def of_values(node: dict) -> set[str]:
    """The JSON types that a schema allows, without null."""
    named = node.get("type", [])
    constants = [*node.get("enum", ()), *([node["const"]] if "const" in node else ())]
    found = {named} if isinstance(named, str) else set(named)
    found |= {NAMES[type(value)] for value in constants if value is not None}
    return found.union(*map(of_values, node.get("anyOf", ()))) - {"null"}


@pytest.mark.parametrize("kind", PROPERTIES, ids=lambda kind: kind.__module__.split(".")[-1])
def test_types_are_those_of_the_values_allowed(kind):
    hints = get_type_hints(kind)
    for name, values in PROPERTIES[kind].items():
        assert of_type(hints[name]) == of_values(values), name


@pytest.mark.parametrize("name", SPECS)
def test_defaults_are_among_the_values_allowed(name):
    properties = declared.properties(SPECS[name].settings)
    for key, default in SPECS[name].defaults.items():
        assert Draft202012Validator(properties[key]).is_valid(default), key


@dataclass(frozen=True)
class Toy:
    layers: list = setting(["a"], "layers", {"type": "array"})
    points: int = setting(3, "points", whole(2))
    more: int | None = setting(None, "may be left out", whole(0))


def test_what_is_left_out_takes_its_default():
    assert declared.read(Toy, {"points": 5}) == Toy(["a"], 5, None)
    assert declared.defaults(Toy) == {"layers": ["a"], "points": 3}
    declared.defaults(Toy)["layers"].append("b")
    assert Toy().layers == ["a"]


def test_a_setting_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(InputError) as caught:
        declared.read(Toy, {"pionts": 5, "layers": []})
    assert str(caught.value) == (
        "pionts: unknown setting; did you mean points? (known here: layers, points, more)"
    )


def test_the_settings_of_a_run_are_all_there_but_those_that_older_studies_lack(settings):
    found = training_settings.read(settings)
    assert (found.learning_rate, found.test_images, found.init, found.keep_every) == (0.05, "all", None, None)
    assert training_settings.read(settings | {"build": "nets.py:build", "code": "0"}) == found
    del settings["batch"]
    with pytest.raises(
        InputError, match="lerning_rate: unknown setting; did you mean learning_rate"
    ) as caught:
        training_settings.read(settings | {"lerning_rate": 0.1})
    assert "batch: is missing (known here: dataset, images" in str(caught.value)
