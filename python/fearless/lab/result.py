"""Are two results the same? A canonical form that can be hashed, and words for the first difference.

The digest is taken of everything but the floats, whose places are marked in it; the floats themselves are compared to
1e-9 relative. So a sum that another order of adding rounds differently is the same result, and nothing else is. Dicts
and sets have no order; lists have. Floats that are keys of a dict or members of a set are compared exactly.
"""

from __future__ import annotations

import array
import dataclasses
import hashlib
import math
import pickle
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

RELATIVE = 1e-9
LEAVES = frozenset({str, int, bool, bytes, type(None)})
DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Canonical:
    """A result in canonical form."""

    sha256: str
    floats: array.array[float]

    def equals(self, other: Canonical) -> bool:
        """True if both stand for the same result."""
        same_shape = self.sha256 == other.sha256 and len(self.floats) == len(other.floats)
        return same_shape and all(map(_close, self.floats, other.floats))


def canonical(value: Any) -> Canonical:
    """The canonical form of ``value``. Raises: `TypeError` if it nests deeper than any result should."""
    form = _Form()
    form.add(value, 0)
    return Canonical(form.digest.hexdigest(), form.floats)


def difference(result: Any, reference: Any, where: str = "the result") -> str | None:
    """Where ``result`` first differs from ``reference``, in words; None if nothing was found."""
    if isinstance(reference, float) and isinstance(result, float):
        return None if _close(result, reference) else _differs(where, result, reference)
    if isinstance(reference, Mapping) and isinstance(result, Mapping):
        return _difference_of_mappings(result, reference, where)
    if isinstance(reference, AbstractSet) and isinstance(result, AbstractSet):
        missing, extra = reference - result, result - reference
        return f"{where}: {_count(missing, 'lacks')}, {_count(extra, 'adds')}" if missing or extra else None
    if isinstance(reference, list | tuple) and isinstance(result, list | tuple):
        if len(result) != len(reference):
            return f"{where} has {len(result)} elements, serial has {len(reference)}"
        pairs = enumerate(zip(result, reference, strict=True))
        return next((text for at, (one, two) in pairs if (text := difference(one, two, f"{where}[{at}]"))), None)
    same = canonical(result).equals(canonical(reference))
    return None if same else _differs(where, result, reference)


class _Form:
    """The digest and the floats of one value as it is walked."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.floats: array.array[float] = array.array("d")

    def add(self, value: Any, depth: int) -> None:
        kind = type(value)
        if depth > DEEPEST:
            raise TypeError(f"the result nests more than {DEEPEST} deep")
        if kind in LEAVES:
            self._text(kind.__name__, repr(value))
        elif isinstance(value, float):
            self.digest.update(b"float;")
            self.floats.append(value)
        elif isinstance(value, Mapping):
            self._mapping(value, depth)
        elif isinstance(value, AbstractSet):
            self._text("set", "\n".join(_sorted_keys(value)))
        elif isinstance(value, list | tuple):
            self._sequence(value, depth)
        else:
            self._other(value, depth)

    def _text(self, kind: str, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self.digest.update(f"{kind}:{len(data)}:".encode() + data)

    def _sequence(self, value: list[Any] | tuple[Any, ...], depth: int) -> None:
        if LEAVES.issuperset(map(type, value)):
            self._text("leaves", repr(list(value)))
            return
        self._text("list", str(len(value)))
        for one in value:
            self.add(one, depth + 1)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> None:
        if LEAVES.issuperset(map(type, value.values())):
            self._text("flat", "\n".join(sorted(f"{_key(key)}={one!r}" for key, one in value.items())))
            return
        self._text("dict", str(len(value)))
        for name, one in sorted(((_key(key), one) for key, one in value.items()), key=_first):
            self._text("key", name)
            self.add(one, depth + 1)

    def _other(self, value: Any, depth: int) -> None:
        name = type(value).__qualname__
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            self._text("object", name)
            self.add({one.name: getattr(value, one.name) for one in dataclasses.fields(value)}, depth + 1)
        elif callable(to_list := getattr(value, "tolist", None)):  # arrays, also those of numpy
            self._text("array", f"{getattr(value, 'shape', '')} {getattr(value, 'dtype', '')}")
            self.add(to_list(), depth + 1)
        elif not _shows_only_its_address(value):
            self._text(name, repr(value))
        elif hasattr(value, "__dict__"):
            self._text("object", name)
            self.add(vars(value), depth + 1)
        else:
            self._text("pickled", f"{name} {pickle.dumps(value, protocol=4).hex()}")


def _key(key: Any) -> str:
    """A name for a dict key or set member that sorts, and tells equal ones from others; 1, 1.0 and True are equal."""
    if isinstance(key, float) and key.is_integer():
        return repr(int(key))
    if isinstance(key, bool):
        return repr(int(key))
    if isinstance(key, tuple | frozenset):
        names = _sorted_keys(key) if isinstance(key, frozenset) else map(_key, key)
        return f"{type(key).__name__}({','.join(names)})"
    return repr(key)


def _sorted_keys(keys: AbstractSet[Any]) -> list[str]:
    return sorted(map(_key, keys))


def _shows_only_its_address(value: object) -> bool:
    """True if its class left ``__repr__`` as it was, so that equal values show differently."""
    shown: object = type(value).__repr__
    return shown is object.__repr__


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


def _close(one: float, two: float) -> bool:
    return math.isclose(one, two, rel_tol=RELATIVE) or (math.isnan(one) and math.isnan(two))


def _difference_of_mappings(result: Mapping[Any, Any], reference: Mapping[Any, Any], where: str) -> str | None:
    missing, extra = reference.keys() - result.keys(), result.keys() - reference.keys()
    if missing or extra:
        return f"{where}: {_count(missing, 'lacks')}, {_count(extra, 'adds')}"
    return next(
        (text for key, one in reference.items() if (text := difference(result[key], one, f"{where}[{key!r}]"))), None
    )


def _count(keys: AbstractSet[Any], verb: str) -> str:
    example = f", such as {_shown(min(keys, key=repr))}" if keys else ""
    return f"{verb} {len(keys)} of the serial keys{example}" if verb == "lacks" else f"{verb} {len(keys)}{example}"


def _differs(where: str, result: Any, reference: Any) -> str:
    return f"{where} is {_shown(result)}, serial has {_shown(reference)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004  # a line of the table
