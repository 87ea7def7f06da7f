"""What `@workload` accepts and marks, and how it says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from fearless import workload
from fearless._workload import is_workload, parameters


class Plain:
    """A class that has what a workload needs, and is not marked."""

    size = 3

    def items(self) -> range:
        return range(self.size)

    def work(self, item: int) -> int:
        return item


def made(**attributes: Any) -> type:
    """A class like `Plain` with other attributes; None takes one away."""
    known = {"items": Plain.items, "work": Plain.work, **attributes}
    return type("Made", (), {name: value for name, value in known.items() if value is not None})


def test_a_workload_stays_the_class_it_was() -> None:
    """Nothing is wrapped: the class can be used, and tested, by itself."""
    marked = workload(type("Marked", (Plain,), {}))

    assert is_workload(marked)
    assert list(marked().items()) == [0, 1, 2]


def test_a_subclass_does_not_inherit_the_mark() -> None:
    """A base class that others build on is one workload, not several."""
    marked = workload(type("Marked", (Plain,), {}))

    assert not is_workload(type("Child", (marked,), {}))
    assert not is_workload(Plain)
    assert not is_workload(workload)


def test_parameters_are_the_public_values_of_the_class() -> None:
    """Methods, properties, nested classes and private names are none."""
    kind = made(size=1, name="x", _hidden=2, inner=type("Inner", (), {}), view=property(lambda _: 1))

    assert parameters(kind) == {"size": 1, "name": "x"}


def test_a_subclass_has_the_parameters_of_its_base() -> None:
    """With its own values."""
    assert parameters(type("Child", (Plain,), {"size": 9, "more": 1})) == {"size": 9, "more": 1}


WRONG = [
    (made(items=None), "workload Made must have items(self)"),
    (made(work=None), "workload Made must have work(self, item)"),
    (made(stages=lambda _self: [int]), "workload Made has work() and stages(): stages come in place of work"),
    (made(work=None, stages=lambda _self, _item: [int]), "stages must be stages(self), got stages(_self, _item)"),
    (made(update=lambda _self, _state, _part: None), "has update() but no start(): update needs start(self)"),
    (made(merge=lambda _self, _state, _other: None), "has merge() but no start()"),
    (made(read=lambda _self, _state, _item: None), "has read() but no start()"),
    (made(keys=lambda _self, _item: []), "has keys() but no update()"),
    (made(work=lambda _self: None), "work must be work(self, item), got work(_self)"),
    (made(start=lambda _self, _extra: 0), "start must be start(self), got start(_self, _extra)"),
    (made(work=5), "work must be a method, got 5"),
    (made(__init__=lambda _self, _size: None), "must take no arguments, got (_size)"),
]


@pytest.mark.parametrize(("kind", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_cannot_run_is_refused_when_it_is_defined(kind: type, message: str) -> None:
    """The message names the class, the method and the rule."""
    with pytest.raises(TypeError) as caught:
        workload(kind)

    assert message in str(caught.value)


def test_a_coroutine_is_no_work() -> None:
    """It would return a coroutine object as its part; it belongs into work_async."""

    async def work(_self: object, item: int) -> int:
        return item

    with pytest.raises(TypeError, match="a coroutine is work_async"):
        workload(made(work=work))
    with pytest.raises(TypeError, match="work_async must be `async def`"):
        workload(made(work_async=Plain.work))


def test_stages_come_in_place_of_work() -> None:
    """One of the two is enough."""
    assert is_workload(workload(made(work=None, stages=lambda _self: [int])))


def test_a_function_needs_no_decorator() -> None:
    """The message says what to do instead."""
    with pytest.raises(TypeError, match="a function needs no decorator"):
        workload(Plain.work)  # type: ignore[type-var]  # that is the mistake


def test_methods_may_have_defaults_and_be_static() -> None:
    """What counts is that the lab can call them."""
    kind = made(work=staticmethod(lambda item: item), items=lambda self, size=2: range(size))  # noqa: ARG005

    assert is_workload(workload(kind))


def test_using_a_workload_loads_nothing_of_the_lab() -> None:
    """A program may hold its workload class and run without the extra."""
    code = "import sys; from fearless import workload; print([m for m in sys.modules if m.startswith('fearless.lab')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"
