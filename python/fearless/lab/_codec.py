"""Dataclasses to JSON values and back, with errors that name the key. Knows no type of the record."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union

SHOWN = 60  # characters of a wrong value in a message

T = TypeVar("T")


class SchemaError(ValueError):
    """A record that does not follow its schema."""


def encode(value: Any) -> Any:
    """``value`` as JSON values. A float that JSON cannot hold (infinite, NaN) becomes None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: encode(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [encode(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def dump(value: Any) -> str:
    """JSON text of JSON values."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def parse(text: str) -> Any:
    """The JSON values in ``text``. Raises: `SchemaError`."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise SchemaError(f"not JSON: {error}") from None


def decode(kind: type[T], value: Any, where: str = "record") -> T:
    """The dataclass ``kind`` in ``value``; unknown keys are ignored. Raises: `SchemaError`."""
    if not isinstance(value, dict):
        raise SchemaError(f"{where} must be an object, got {_shown(value)}")
    hints = typing.get_type_hints(kind)
    found: dict[str, Any] = {}
    for one in dataclasses.fields(kind):  # type: ignore[arg-type]  # T is a dataclass wherever this is called
        path = f"{where}.{one.name}"
        if one.name in value:
            found[one.name] = _value(hints[one.name], value[one.name], path)
        elif one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
            raise SchemaError(f"{path} is missing")
    return kind(**found)


def _value(kind: Any, value: Any, where: str) -> Any:  # noqa: PLR0911  # one line for each kind of annotation
    """``value`` if it is of the annotated ``kind``."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (one,) = (one for one in inner if one is not type(None))
        return _value(one, value, where)
    if origin is Literal:
        return _literal(inner, value, where)
    if origin is Mapping:
        return _mapping(inner[1], value, where)
    if origin is Sequence:
        return _sequence(inner[0], value, where)
    if dataclasses.is_dataclass(kind):
        return decode(typing.cast("type[Any]", kind), value, where)
    return _plain(kind, value, where)


def _literal(allowed: tuple[Any, ...], value: Any, where: str) -> Any:
    if value not in allowed:
        raise SchemaError(f"{where} must be one of {list(allowed)}, got {_shown(value)}")
    return value


def _mapping(kind: Any, value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SchemaError(f"{where} must be an object, got {_shown(value)}")
    return {key: _value(kind, one, f"{where}.{key}") for key, one in value.items()}


def _sequence(kind: Any, value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise SchemaError(f"{where} must be a list, got {_shown(value)}")
    return tuple(_value(kind, one, f"{where}[{index}]") for index, one in enumerate(value))


def _plain(kind: type, value: Any, where: str) -> Any:
    """A str, bool, int or float; an int will do for a float, a bool never for a number."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    names = {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}
    raise SchemaError(f"{where} must be {names[kind]}, got {_shown(value)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
