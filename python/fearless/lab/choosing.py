"""`choose`: from answers to a pattern, with the reasons, a program and what would verify it.

Joins the questions with the rules, which decide from facts alone. Measures nothing but the build it runs on; prints
nothing and asks nobody.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fearless.lab import advice, catalog, emit, emit_subject, gil, machine, pages, questions, techniques
from fearless.lab._errors import LabError
from fearless.lab.advice import Advice
from fearless.lab.emit_subject import TEMPLATES
from fearless.lab.facts import Facts
from fearless.lab.job import State
from fearless.lab.questions import Question
from fearless.lab.report import choice as shown
from fearless.lab.techniques import TradeOffs

SCHEMA = 1
VERDICT, NO_VERDICT = 0, 1
LIKELY = 0.001  # seconds an item waits, from which on the example waits too
PROGRAM = "start.py"
# The flag that states a fact.
FLAGS = {one.fact or next(iter(one.options[0].facts)): one.flag for one in questions.QUESTIONS}
FLAGS |= {"state": "--join", "shape": "--shared"}


@dataclass(frozen=True)
class Choice:
    """What `choose` came to. Shows itself as text, and in a notebook as HTML.

    Thread safety: immutable.
    """

    answers: Mapping[str, str]  # by question, as they were given
    detected: tuple[str, ...]  # what nobody said and was read off this machine, a sentence each
    facts: Facts
    advice: Advice

    @property
    def pattern(self) -> str | None:
        """The pattern to begin with: the recommended one, or the simplest that runs today in its place."""
        return self.advice.instead or self.advice.pattern

    @property
    def trade_offs(self) -> TradeOffs | None:
        """What the recommended pattern gives and takes."""
        return techniques.TRADE_OFFS.get(self.advice.pattern or "")

    @property
    def twin(self) -> str | None:
        """The pattern in Rust, as text, where it has a twin."""
        return pages.twin(self.pattern) if self.pattern else None

    @property
    def topic(self) -> str | None:
        """The page of the guide about the recommended pattern."""
        return pages.of_pattern(self.advice.pattern) if self.advice.pattern else None

    @property
    def missing(self) -> list[Question]:
        """The questions whose answers would make it tell."""
        by_flag = {one.flag: one for one in questions.QUESTIONS}
        return [by_flag[FLAGS[name]] for name in self.advice.missing if name in FLAGS]

    @property
    def command(self) -> str:
        """The command that gives this answer again, and takes ``--emit``."""
        return " ".join(["fearless choose", *(f"{_flag(name)} {text}" for name, text in self.answers.items())])

    @property
    def exit_code(self) -> int:
        """0: an answer; 1: it cannot tell."""
        return NO_VERDICT if self.advice.kind == "cannot tell" else VERDICT

    @cached_property
    def program(self) -> str | None:
        """The pattern as a program around a small example; ``None`` if there is no pattern to write."""
        return self.program_for(PROGRAM)

    def program_for(self, file: str) -> str | None:
        """The program, for a file of this name. It is a workload, too: ``fearless compare`` takes it as it is."""
        if self.pattern is None:
            return None
        state, reads = _example(self.facts, self.pattern)
        waits = (self.facts.wait or 0.0) >= LIKELY
        subject = emit_subject.example(state, waits=waits, reads=reads, awaits=self.pattern == "asyncio", file=file)
        known = self.advice
        return emit.program(
            self.pattern, subject, workers=known.workers or 2, because=known.because, capacity=known.capacity
        )

    def to_json(self) -> str:
        """Answers, facts, advice and program as JSON, schema 1."""
        facts = {name: value for name, value in _fields(self.facts).items() if value not in (None, (), frozenset(), "")}
        known = dataclasses.asdict(self.advice)
        data = {
            "schema": SCHEMA,
            "answers": dict(self.answers),
            "detected": list(self.detected),
            "facts": facts,
            "advice": known,
            "program": self.program,
            "verify": [f"{self.command} --emit {PROGRAM}", f"fearless compare {PROGRAM}"] if self.pattern else [],
        }
        return json.dumps(data, indent=2, default=list) + "\n"

    def __str__(self) -> str:
        return "\n".join(line.text for line in shown.lines(self))

    def _repr_html_(self) -> str:
        return shown.html(self)


def choose(**answers: Any) -> Choice:
    """Which pattern fits a problem that is described by ``answers``.

    Each names a question of ``fearless choose``: ``owner``, ``shared``, ``items``, ``item_cost`` and so on; what is
    left out or ``None`` is not known. A value is what the flag takes, as ``"20us"`` or ``"95%"``, or a Python value:
    True, a number, a number of seconds.

    Raises: `LabError`, naming the rule and the value, for an answer that cannot be, and naming both for two that
    contradict each other.

    Example:
        >>> from fearless.lab import choose
        >>> choose(owner=True, join="list", items="1e6", item_cost="20us", gil="off", cores=8).pattern
        'par'
    """
    given = questions.checked(answers)
    stated = questions.stated(given)
    detected, here = _detected(stated)
    facts = Facts("", (), **{**here, **stated})
    wrong = advice.contradictions(facts)
    if wrong:
        raise LabError(f"the answers contradict each other: {'; '.join(map(_by_flags, wrong))}")
    return Choice(given, detected, facts, advice.advise(facts))


def _detected(stated: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """What this machine says where no answer does: sentences and facts."""
    said: list[str] = []
    found: dict[str, Any] = {}
    if "gil" not in stated:
        found = {"gil": gil.is_on(), "free_threaded": gil.free_threaded()}
        said.append(f"the GIL is {'on' if found['gil'] else 'off'} in this interpreter (--gil on|off for another)")
    if "cores" not in stated:
        limits = (machine.cpu_count(), machine.affinity(), machine.cgroup_cpus())
        cores = max(1, int(min(one for one in limits if one is not None)))
        found["cores"] = cores
        said.append(f"{cores} {'core' if cores == 1 else 'cores'} here (--cores for another machine)")
    return tuple(said), found


def _example(facts: Facts, pattern: str) -> tuple[State, bool]:
    """The kind of example that fits both the answers and the pattern: its state, and whether its items read that."""
    likely: State = "add" if facts.adds else "none"
    given = facts.state if facts.state in TEMPLATES else "none"
    wanted = [one for one in TEMPLATES if one == given and given != "none"]
    shared: list[State] = ["update"] if facts.shape in {"cell", "map", "arbitrary"} else []
    order: list[State] = [*wanted, *shared, likely, "none", "update", "merge", "add"]
    plain = [(one, False) for one in order]
    return next(
        (state, reads)
        for state, reads in [*plain, ("update", True)]
        if not isinstance(catalog.fit(pattern, state, whole=state == "add", reads=reads, awaits=True), str)
    )


def _flag(name: str) -> str:
    return questions.BY_NAME[name].flag


def _by_flags(sentence: str) -> str:
    """A sentence about facts with the flags that state them."""
    return re.sub(r"\b[a-z_]+\b", lambda found: FLAGS.get(found[0], found[0]), sentence)


def _fields(facts: Facts) -> dict[str, Any]:
    return {one.name: getattr(facts, one.name) for one in dataclasses.fields(facts)}
