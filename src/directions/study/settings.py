"""Settings as frozen dataclasses, whose fields carry default, help and the values allowed.

    @dataclass(frozen=True)
    class Settings:
        bins: int = setting(20, "bins of equal frequency", whole(2))

The schema of the config, defaults and documentation follow from such a class.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, field, fields
from typing import Any, TypeVar

from directions.core.errors import InputError
from directions.core.suggest import nearest

Kind = TypeVar("Kind")
Values = Mapping[str, object]


def setting(default: object, help: str, values: Values, **more: object) -> Any:
    """Declare a setting of a dataclass.

    Args:
        default: plain data; MISSING: there is none; None: the setting may be left out.
        help: what it is, for the documentation.
        values: JSON Schema of the values allowed; its `description` ends the error "allowed is ...".
        more: what else a class declares.

    Returns:
        The field of the dataclass.

    Example:
        >>> from dataclasses import dataclass
        >>> from directions.study.settings import setting, whole
        >>> @dataclass(frozen=True)
        ... class Settings:
        ...     bins: int = setting(20, "bins of equal frequency", whole(2))
        >>> Settings(), Settings(bins=5)
        (Settings(bins=20), Settings(bins=5))
    """
    made: dict[str, Any] = {} if default is MISSING else {"default_factory": lambda: default}
    return field(**made, metadata={"help": help, "values": values, **more})


def settings_of(kind: type) -> dict[str, Field]:
    """Map the names of a class's settings to their fields. Raises TypeError for what is no such class."""
    declared = {one.name: one for one in fields(kind)}
    if plain := [name for name, one in declared.items() if "values" not in one.metadata]:
        raise TypeError(f"{plain[0]}: declare it as setting(default, help, values)")
    return declared


def properties(kind: type) -> dict[str, dict[str, object]]:
    """Map settings to the JSON Schema of their values."""
    return {name: dict(one.metadata["values"]) for name, one in settings_of(kind).items()}


def defaults(kind: type) -> dict[str, object]:
    """Map settings to their defaults, for a class in which all have one; without those of None."""
    return {name: value for name, value in asdict(kind()).items() if value is not None}


def read(kind: type[Kind], given: Mapping[str, object]) -> Kind:
    """Build settings from plain data that their schema accepts; what is left out takes its default.

    Raises InputError for a setting that does not exist, and for one that is missing and has no default.
    """
    known = settings_of(kind)
    faults = [f"{key}: unknown setting{nearest(key, known)}" for key in given if key not in known]
    needed = (name for name, one in known.items() if one.default_factory is MISSING)
    faults += [f"{name}: is missing" for name in needed if name not in given]
    if faults:
        raise InputError(f"{'; '.join(faults)} (known here: {', '.join(known)})")
    return kind(**{key: _plain(value, known[key].metadata["values"]) for key, value in given.items()})


def _plain(value: Any, values: Any) -> Any:
    """Turn numbers and arrays of NumPy and PyTorch into plain Python, and 2.0 into 2 for a whole number.

    JSON Schema takes 2.0 for 2.
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    kinds: set[str] = set()
    for one in (values, *values.get("anyOf", ())):
        kind = one.get("type", ())
        kinds |= {kind} if isinstance(kind, str) else set(kind)
    whole = isinstance(value, float) and value.is_integer() and "integer" in kinds and "number" not in kinds
    return int(value) if whole else value


def one_of(*words: str) -> Values:
    """Allow these words.

    Args:
        words: two or more.

    Returns:
        JSON Schema, with the description for an error.

    Example:
        >>> from directions.study.settings import one_of
        >>> one_of("zero", "mean")
        {'enum': ['zero', 'mean'], 'description': 'zero or mean'}
    """
    return {"enum": list(words), "description": f"{', '.join(words[:-1])} or {words[-1]}"}


def whole(least: int, note: str = "", most: int = 10**9) -> Values:
    """Allow whole numbers from `least` to `most`.

    Args:
        least: the smallest number allowed.
        note: what follows `least` in errors.
        most: the largest number allowed.

    Returns:
        JSON Schema, with the description for an error.

    Example:
        >>> from directions.study.settings import whole
        >>> whole(2)["minimum"], whole(2)["description"]
        (2, 'a whole number >= 2, at most 1e9')
    """
    zeros = len(str(most)) - 1
    limit = f"1e{zeros}" if most == 10**zeros else str(most)
    described = f"a whole number >= {least}{note}, at most {limit}"
    return {"type": "integer", "minimum": least, "maximum": most, "description": described}


def or_null(values: Values) -> Values:
    """Allow null besides these numbers.

    Args:
        values: of one JSON type.

    Returns:
        JSON Schema, with their description.

    Example:
        >>> from directions.study.settings import number, or_null
        >>> or_null(number("a share from 0 to 1, or null", minimum=0, maximum=1))["type"]
        ['number', 'null']
    """
    return {**values, "type": [values["type"], "null"]}


def whole_or_all(least: int) -> Values:
    """Allow "all" and whole numbers from `least` on.

    Args:
        least: the smallest number allowed.

    Returns:
        JSON Schema, with the description for an error.

    Example:
        >>> from directions.study.settings import whole_or_all
        >>> whole_or_all(1)["description"]
        'all, or a whole number >= 1, at most 1e9'
    """
    number = {key: value for key, value in whole(least).items() if key != "description"}
    return {"anyOf": [{"const": "all"}, number], "description": f"all, or {whole(least)['description']}"}


def number(described: str, **bounds: float) -> Values:
    """Allow numbers within bounds.

    Args:
        described: ends the error "allowed is ...".
        bounds: as JSON Schema calls them: minimum, exclusiveMinimum, maximum, exclusiveMaximum.

    Returns:
        JSON Schema, with the description for an error.

    Example:
        >>> from directions.study.settings import number
        >>> number("a number > 0 (seconds)", exclusiveMinimum=0)["description"]
        'a number > 0 (seconds)'
    """
    return {"type": "number", **bounds, "description": described}
