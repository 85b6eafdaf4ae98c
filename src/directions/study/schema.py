"""Check the config against its closed JSON Schema; every error names path, value and what is allowed."""

import json
import math
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators

from directions.core.errors import InputError
from directions.core.suggest import nearest
from directions.core.types import present
from directions.data.registry import KNOWN
from directions.interventions.names import ACTIVATIONS
from directions.study.analysis_spec import AnalysisSpec
from directions.study.catalogue import FIGURES, OWN_ANALYSES, SPECS, specs
from directions.study.run_table import MODELS, OPTIMIZERS
from directions.study.settings import properties
from directions.study.training_settings import OF_METHOD, VARIABLE, TrainingSettings

Keys = tuple[str | int, ...]


def read(config: dict | None = None) -> dict:
    """Read config.json, beside this file, and fill its open lists from the code and the config."""
    schema = json.loads(Path(__file__).with_name("config.json").read_text(encoding="utf-8"))
    known = specs(_plain_files(config))
    _declare(schema, known)
    training = _declare_training(schema)
    analyses = schema["$defs"]["experiment"]["properties"]["analyses"]["items"]
    figures = schema["properties"]["draw"]["propertyNames"]
    followed_by = schema["$defs"]["unit_layers"]["additionalProperties"]
    added = schema["properties"]["models"]["additionalProperties"]["properties"]["reads"]["items"]
    homes = (
        (training["dataset"], [*KNOWN, *_names(config, "datasets")]),
        (training["model"], [*MODELS, *_names(config, "models")]),
        (added, dict.fromkeys(setting for read in MODELS.values() for setting in read)),
        (training["optimizer"], OPTIMIZERS),
        (analyses, known),
        (figures, FIGURES),
        (followed_by, ACTIVATIONS),
        (schema["$defs"]["own_analyses"]["items"], OWN_ANALYSES),
    )
    for node, names in homes:
        node["enum"] = list(dict.fromkeys(names))
        node["description"] = ", ".join(node["enum"])
    schema["properties"]["sources"] |= {
        "required": list(KNOWN),
        "properties": {name: _sources(one.sources) for name, one in KNOWN.items()},
    }
    return schema


def _declare_training(schema: dict) -> dict:
    """Put the training settings where a config may set or vary them; return {setting: its schema}.

    A study's defaults must set all but `precision`, which the config has for all experiments, and the method
    of learning, which is cross-entropy where none is named.
    """
    training = properties(TrainingSettings)
    schema["$defs"]["training"]["properties"] = training
    for name in VARIABLE:
        items = {"$ref": f"#/$defs/training/properties/{name}"}
        schema["$defs"]["vary"]["properties"][name] = {"$ref": "#/$defs/values", "items": items}
    defaults = schema["properties"]["defaults"]["properties"]["training"]
    defaults["required"] = [name for name in training if name != "precision" and name not in OF_METHOD]
    return training


def _declare(schema: dict, known: Mapping[str, AnalysisSpec]) -> None:
    """Put what each analysis declares where a config may set it.

    A study's defaults must set all that the base study sets; analyses of `analysis_files` bring their own.
    """
    defaults = schema["properties"]["defaults"]
    defaults["description"] = defaults["description"].replace("ANALYSES", ", ".join(known))
    places = [defaults, schema["$defs"]["experiment"]]
    of_own = [schema["properties"]["own"], schema["$defs"]["own_network"]]
    for name, spec in known.items():
        schema["$defs"][name] = spec.schema()
        for place in places + (of_own if name in OWN_ANALYSES else []):
            place["properties"][name] = {"$ref": f"#/$defs/{name}"}
        if name in SPECS:
            defaults["required"].append(name)
            defaults["properties"][name]["required"] = list(spec.defaults)


def declared_defaults(config: dict) -> dict:
    """Map each analysis of `analysis_files` to the defaults of its settings.

    Raises InputError for a default that the setting itself does not allow.
    """
    own = {name: spec for name, spec in specs(_plain_files(config)).items() if name not in SPECS}
    for name, spec in own.items():
        allowed = properties(spec.settings)
        for key, value in spec.defaults.items():
            if not _VALIDATOR(allowed[key]).is_valid(value):
                wanted = allowed[key].get("description", "what its schema says")
                raise InputError(
                    f"analysis_files: {name}.py: {key}: its default {value!r} is not allowed; allowed is"
                    f" {wanted}"
                )
    return {name: spec.defaults for name, spec in own.items()}


def _plain_files(config: dict | None) -> dict:
    """The `analysis_files` of a config that nobody has checked yet; what is no path is left to the schema."""
    files = (config or {}).get("analysis_files")
    return {
        "analysis_files": [file for file in files if isinstance(file, str)] if isinstance(files, list) else []
    }


def _names(config: dict | None, block: str) -> list[str]:
    """List the names in a block of a config that has not been checked yet."""
    entries = (config or {}).get(block)
    return [name for name in entries if isinstance(name, str)] if isinstance(entries, dict) else []


def _sources(known: tuple[str, ...]) -> dict:
    words = ", ".join(known)
    items = {"enum": list(known), "description": words}
    described = f"a list, in the order to try them, of one or more of {words}, each once"
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": items, "description": described}


def problems(config: dict, schema: dict) -> list[tuple[Keys, str]]:
    """List [(keys down to the error, what is wrong)] for a merged config; empty if it is valid."""
    found: dict[tuple[Keys, str], None] = {}  # a dict, as one fault may be reported by several keywords
    for error in _VALIDATOR(schema).iter_errors(config):
        for keys, message in _in_words(error, config):
            found[keys, message] = None
    return list(found)


def dotted(keys: Iterable[str | int]) -> str:
    """Format ("experiments", "a", "vary", "seed", 2) as experiments.a.vary.seed[2]."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def _in_words(error: ValidationError, config: dict) -> Iterator[tuple[Keys, str]]:
    keys = tuple(error.absolute_path)
    schema = error.schema
    if error.validator == "additionalProperties":
        known = schema["properties"]
        for key in error.instance:
            if key not in known:
                hint = nearest(key, known)
                yield (*keys, key), f"unknown key{hint} (known here: {', '.join(known)})"
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                siblings = config["experiments"] if keys[:1] == ("experiments",) else {}
                hint = nearest(keys[-1], set(siblings) - {keys[-1]}) if siblings else ""
                yield keys, f"lacks {key}{', which a new experiment needs' if siblings else ''}{hint}"
    else:
        hint = _hint(error.instance, schema)
        yield keys, f"{reprlib.repr(error.instance)} is refused: allowed is {schema['description']}{hint}"


def _hint(value: object, schema: dict) -> str:
    if isinstance(value, bool):
        return "; note that YAML reads yes, no, on and off as true and false"
    if isinstance(value, str):
        if kinds(schema) & {"number", "integer"} and (number := yaml_number(value)):
            return (
                f"; this is text to YAML: write {number} without quotes"
                " (and give numbers inside a section by --configfile: --config makes them text)"
            )
        return nearest(value, [known for known in schema.get("enum", ()) if isinstance(known, str)])
    return ""


def yaml_number(word: str) -> str | None:
    """Rewrite a number that YAML 1.1 reads as text, 1.0e-3 for 1e-3; return None for other words."""
    match = re.fullmatch(r"\s*([+-]?)(\d*)(\.?)(\d*)(?:[eE]([+-]?)(\d+))?\s*", word)
    if not match or not (match[2] or match[4]):
        return None
    sign, whole, point, fraction, exponent_sign, exponent = match.groups()
    if not (point or exponent):
        return f"{sign}{int(whole)}"
    tail = f"e{exponent_sign or '+'}{exponent}" if exponent else ""
    return f"{sign}{whole or 0}.{fraction or 0}{tail}"


def _is_number(_checker, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(checker, value: Any) -> bool:
    return _is_number(checker, value) and value == int(value)


# Infinity and NaN are floats in Python and pass every bound; here they are not numbers.
_VALIDATOR = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number).redefine(
        "integer", _is_integer
    ),
)


def exact(value: Any, node: dict, schema: dict) -> Any:
    """Convert the numbers of a valid value to the schema's types, so that equal settings have equal digests.

    0 becomes 0.0 where any number is allowed, 5.0 becomes 5 where an integer is required.
    """
    node = resolved(node, schema)
    if isinstance(value, dict):
        inner, other = node.get("properties", {}), node.get("additionalProperties")
        return {key: exact(item, present(inner.get(key) or other), schema) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item, node.get("items", {}), schema) for item in value]
    if isinstance(value, int | float) and "number" in kinds(node):
        return float(value) + 0.0  # -0.0 becomes 0.0
    return int(value) if isinstance(value, float) and "integer" in kinds(node) else value


def resolved(node: Mapping, schema: Mapping) -> dict:
    """Return a node with what it refers to in its place."""
    if "$ref" not in node:
        return dict(node)
    target = schema
    for key in node["$ref"].removeprefix("#/").split("/"):
        target = target[key]
    return resolved(target, schema) | {key: value for key, value in node.items() if key != "$ref"}


def kinds(node: dict) -> set[str]:
    """Collect the JSON types that a schema node accepts, itself or in one of its branches."""
    named = node.get("type", [])
    own = {named} if isinstance(named, str) else set(named)
    return own.union(*(kinds(branch) for branch in node.get("anyOf", ())))
