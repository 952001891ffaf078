"""Typed records that become JSON and are read back, each value checked."""

import math
from dataclasses import MISSING, fields
from types import UnionType
from typing import Self, get_args, get_origin, get_type_hints


class Record:
    """A dataclass that becomes JSON and is read back: tuples become arrays, absent parts are left out."""

    def to_json(self) -> dict:
        """The record as objects, arrays, strings and numbers."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: _to_json(value) for name, value in values.items() if value is not None and value != ()}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The record that `to_json` wrote; raises ValueError where a member is missing, unknown or of another type."""
        if not isinstance(value, dict):
            raise ValueError(f"{cls.__name__} must be an object, not {value!r:.40}")
        types = get_type_hints(cls)
        if unknown := value.keys() - types.keys():
            raise ValueError(f"{cls.__name__} has no member {min(unknown)}")
        required = {field.name for field in fields(cls) if field.default is MISSING}
        if missing := required - value.keys():
            raise ValueError(f"{cls.__name__} must have a member {min(missing)}")
        return cls(**{name: _from_json(types[name], each, f"{cls.__name__}.{name}") for name, each in value.items()})


def _to_json(value: object) -> object:
    if isinstance(value, Record):
        return value.to_json()
    return [_to_json(each) for each in value] if isinstance(value, tuple) else value


def _from_json(kind: type, value: object, place: str) -> object:
    """The value as the type that a field of a record has; raises ValueError where it is of another type."""
    if isinstance(kind, UnionType):  # X | None
        return None if value is None else _from_json(get_args(kind)[0], value, place)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_from_json(get_args(kind)[0], each, place) for each in value)
    if get_origin(kind) is dict and isinstance(value, dict):
        return {name: _from_json(get_args(kind)[1], each, place) for name, each in value.items()}
    if isinstance(kind, type) and issubclass(kind, Record):
        return kind.from_json(value)
    allowed = (int, float) if kind is float else (kind,)
    if type(value) not in allowed or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{place} must be of type {getattr(kind, '__name__', kind)}, not {value!r:.40}")
    return value
