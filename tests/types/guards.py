"""What type checkers make of guards: what a guard passes on is typed by its value, and misuse is refused.

Nobody runs this file; mypy (strict) and pyright read it. Each comment that ignores an error is needed: a line that
is not refused is an error by itself, as an unnecessary comment. Not here: what happens when a guard is used
(`tests/test_guard.py`).
"""

from collections.abc import Iterator
from typing import assert_type

import fearless as fl

counts: fl.Mutex[dict[str, int]] = fl.Mutex({})
names: fl.Mutex[list[str]] = fl.Mutex([])
total = fl.Mutex(0)
mean = fl.Mutex(0.0)
text = fl.Mutex("")
seen: fl.Mutex[set[int]] = fl.Mutex(set())
table: fl.RwLock[dict[str, int]] = fl.RwLock({})


def reads_and_writes() -> None:
    """What goes through a guard has the types of the value."""
    with counts as guard:
        assert_type(guard.value, dict[str, int])
        assert_type(guard["a"], int)
        assert_type(iter(guard), Iterator[str])
        assert_type(len(guard), int)
        assert_type("a" in guard, bool)
        guard["a"] = 1
        guard["a"] += 1
        guard |= {"b": 2}
        del guard["a"]
    with names as guard_of_list:
        assert_type(guard_of_list[0], str)
        assert_type(guard_of_list[1:], list[str])
        guard_of_list[0] = "a"
        guard_of_list[1:] = ["b"]
        guard_of_list += ["c"]
        guard_of_list += ("d",)
        guard_of_list *= 2
        del guard_of_list[0], guard_of_list[1:]


def in_place_operators() -> None:
    """An operator is there if the value stays of its type."""
    with total as number:
        number += 1
        number //= 2
        number <<= 3
        assert_type(number.value, int)
    with mean as average:
        average += 1
        average /= 2
    with text as string:
        string += "a"
        string *= 2
        assert_type(string[0], str)
    with seen as numbers:
        numbers |= {1}
        numbers -= {2}
        numbers.value.add(3)


def wrong_types() -> None:
    """A key, an item or an operand that the value does not take."""
    with counts as guard:
        guard["a"] = "b"  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
        guard[1] = 1  # type: ignore[index]  # pyright: ignore[reportArgumentType]
        del guard[1]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with names as guard_of_list:
        guard_of_list["a"]  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    with total as number:
        number += "a"  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue]
    with total as number:
        number /= 2  # type: ignore[misc]  # pyright: ignore[reportOperatorIssue]


def what_the_value_has_not() -> None:
    """A number has no items, and is not iterated."""
    with total as number:
        number[0]  # type: ignore[misc, call-overload]  # pyright: ignore[reportIndexIssue]
        len(number)  # pyright: ignore[reportArgumentType]
        1 in number  # type: ignore[misc]  # pyright: ignore[reportOperatorIssue]
        iter(number)  # pyright: ignore[reportArgumentType, reportCallIssue]


def what_no_guard_has() -> None:
    """Attributes, calls, comparisons and binary operators are those of `guard.value`."""
    with total as number:
        number + 1  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
        number.bit_length()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        number < 1  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
        number == 1  # type: ignore[comparison-overlap]


def read_guards_only_read() -> None:
    """Nothing is stored through a guard that others may have, too."""
    with table.read() as guard:
        assert_type(guard["a"], int)
        assert_type(guard.value, dict[str, int])
        guard.value = {}  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
        guard["a"] = 1  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
        del guard["a"]  # type: ignore[attr-defined]  # pyright: ignore[reportIndexIssue]
    with table.read() as guard:
        guard |= {"a": 1}  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    with table.write() as writer:
        writer["a"] = 1
        writer |= {"b": 2}
        writer[1] = 1  # type: ignore[index]  # pyright: ignore[reportArgumentType]


async def tasks() -> None:
    """What is awaited has the same types."""
    async with counts.lock_async() as guard:
        assert_type(guard["a"], int)
    awaited = await total.lock_async()
    assert_type(awaited.value, int)
    async with table.read_async() as reader:
        assert_type(reader["a"], int)
    async with fl.lock_all(counts, total) as (first, second):
        assert_type(first.value, dict[str, int])
        assert_type(second.value, int)
