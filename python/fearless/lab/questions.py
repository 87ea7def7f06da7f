"""The questions of ``choose``, as data: what each asks, what its answers say, and when another makes it idle.

Holds the order, safety first, and the walk through them. Asks nobody and decides nothing: whoever asks is a function.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fearless.lab import units
from fearless.lab._errors import LabError

UNKNOWN: Final = "unknown"  # the answer of who does not know, as text

Answers = Mapping[str, str | None]  # by name of the question; None: not known


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers that can be picked, and the facts that it states."""

    value: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Idle:
    """Another answer that leaves nothing to ask: to ``question``, one of ``values``, and why."""

    question: str
    values: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question. With ``options`` one is picked; otherwise ``read`` makes the fact ``fact`` of what is typed."""

    name: str
    text: str
    help: str
    options: tuple[Option, ...] = ()
    read: Callable[[str, str], Any] | None = None
    fact: str = ""
    idle: tuple[Idle, ...] = ()
    flag_only: bool = False  # too fine to be asked

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def facts(self, text: str) -> dict[str, Any]:
        """The facts that the answer ``text`` states. Raises: `LabError` naming the rule and the value."""
        if self.read is not None:
            return {self.fact: self.read(text, self.flag)}
        for option in self.options:
            if option.value == text:
                return dict(option.facts)
        known = ", ".join(option.value for option in self.options)
        raise LabError(f"{self.flag} must be one of {known}, or {UNKNOWN}; got {text!r}")


OWNED = "one task owns the data, so nothing is shared"
PASSED = "the data is passed on, so nothing is shared"
COUNTER = "a counter is only added to"
APART = (Idle("owner", ("yes",), OWNED), Idle("pass_on", ("yes",), PASSED))
LISTED = "what is listed is not shared"
NO_LOCK = (
    *APART,
    Idle("shared", ("counter",), COUNTER),
    Idle("join", ("list",), LISTED),
    Idle("join", ("add",), "what is added up is a counter"),
)
NO_GIL = (Idle("gil", ("off",), "without the GIL there is nothing to release or to get around"),)


def _yes_no(fact: str, yes: str = "yes", no: str = "no") -> tuple[Option, ...]:
    """Yes and no. Turn them round where no is the usual answer: whoever presses Enter gets the first."""
    return (Option("yes", yes, {fact: True}), Option("no", no, {fact: False}))


QUESTIONS: tuple[Question, ...] = (
    Question(
        "owner",
        "Can one task own the data?",
        "Each worker has its own part and nobody else touches it; the results are put together afterwards. The safest.",
        _yes_no("one_owner", "yes: each worker has a part of its own", "no: several tasks need the same data"),
    ),
    Question(
        "pass_on",
        "Can the data be passed on?",
        "A task sends it to the next and does not touch it again, as in a pipeline. Safe: one owner at a time.",
        _yes_no("handed_on", "yes: the sender is done with it", "no: several tasks use it at the same time"),
        idle=(Idle("owner", ("yes",), "one task owns the data, so none is passed on"),),
    ),
    Question(
        "shared",
        "What must be shared?",
        "It goes behind a lock, or is an atomic if it is one number.",
        (
            Option("counter", "a counter, or totals that are added to", {"shape": "counter"}),
            Option("cell", "one value that is read and replaced", {"shape": "cell"}),
            Option("map", "a dict or a list", {"shape": "map"}),
            Option("arbitrary", "several things that change together", {"shape": "arbitrary"}),
        ),
        idle=APART,
    ),
    Question(
        "join",
        "What becomes of the results?",
        "If two partial results can be joined, workers need not share anything while they work.",
        (
            Option("list", "they are listed, or stored one by one", {"shape": "none"}),
            Option("add", "they are added up", {"state": "add"}),
            Option("merge", "each goes into a state, and two states can be joined", {"state": "merge"}),
            Option("update", "each goes into a state, and two states cannot be joined", {"state": "update"}),
        ),
        idle=(
            Idle("shared", ("counter",), "a counter is added to"),
            Idle("shared", ("cell",), "a single value is replaced"),
        ),
    ),
    Question(
        "locks",
        "How many locks does one step need at the same time?",
        "Moving money from one account to another needs two, if each account has its lock.",
        (
            Option("1", "one", {"locks": 1}),
            Option("2", "two", {"locks": 2}),
            Option("3", "three or more", {"locks": 3}),
        ),
        idle=(*NO_LOCK, Idle("shared", ("cell",), "a single value has one lock at most")),
    ),
    Question(
        "optimize",
        "What do you want most?",
        "The simplest pattern within 10 % of the best at this is chosen.",
        (
            Option("throughput", "throughput: the whole job is done soon", {"aim": "throughput"}),
            Option("latency", "latency: each result is there soon", {"aim": "latency"}),
            Option("cpu", "cpu: little processor time", {"aim": "cpu"}),
            Option("memory", "memory: little of it", {"aim": "memory"}),
            Option("simplicity", "simplicity: the simplest that is faster at all", {"aim": "simplicity"}),
        ),
    ),
    Question(
        "items",
        "How many items are there?",
        "Files, rows, requests: what the work is done for, one by one. As in 5000, 10k, 1e6.",
        read=units.count,
        fact="items",
    ),
    Question(
        "item_cost",
        "How much processor time does an item take?",
        "A guess will do: 1us is a few lines of Python, 1ms parses a small file. As in 20us, 1.5ms, 2s.",
        read=units.seconds,
        fact="cpu_per_item",
    ),
    Question(
        "wait",
        "How long does an item wait for a network, a disk or another program?",
        "0 if it only computes. A request to another machine is 1ms to 1s.",
        read=units.seconds,
        fact="wait_per_item",
    ),
    Question(
        "coroutines",
        "Can that waiting be awaited?",
        "With a library for asyncio, as for HTTP or a database; a file or another program mostly cannot.",
        _yes_no("coroutines", "yes: what it waits for has an async interface", "no, or it would be much to rewrite")[
            ::-1
        ],
        idle=(Idle("wait", ("0",), "an item waits for nothing"),),
    ),
    Question(
        "gil",
        "Is the GIL on where this will run?",
        "Free-threaded Python (3.13t, 3.14t) runs without it. Who does not know gets this interpreter's.",
        (
            Option("on", "on: the usual build of Python", {"gil": True, "free_threaded": False}),
            Option("off", "off: a free-threaded build", {"gil": False, "free_threaded": True}),
        ),
    ),
    Question(
        "released",
        "How much of the work lets go of the GIL?",
        "Compression, hashing and most of NumPy do; code in Python does not.",
        (
            Option("none", "none: it is Python code", {"released": 0.0}),
            Option("half", "about half", {"released": 0.5}),
            Option("most", "nearly all: compression, hashing, NumPy", {"released": 0.95}),
        ),
        idle=NO_GIL,
    ),
    Question(
        "variation",
        "Do items differ much in what they cost?",
        "Uneven items need to be shared out in small portions.",
        (
            Option("little", "hardly", {"item_cv": 0.1}),
            Option("some", "some take twice as long as others", {"item_cv": 0.5}),
            Option("much", "a few take most of the time", {"item_cv": 2.0}),
        ),
    ),
    Question(
        "reads",
        "What share of the accesses to the shared state only read it?",
        "As in 95%.",
        read=units.share,
        fact="reads",
        idle=NO_LOCK,
    ),
    Question(
        "hold",
        "How long is the shared state held for one access?",
        "The time inside the lock. A dict lookup is 100ns; a few lines are 1us.",
        read=units.seconds,
        fact="hold",
        idle=NO_LOCK,
    ),
    Question(
        "replaced",
        "Do writers replace the whole value?",
        "As a configuration that is loaded anew. Readers can then keep the old one while they use it.",
        _yes_no("replaced")[::-1],
        idle=NO_LOCK,
    ),
    Question(
        "ordered",
        "Must the results come in the order of the items?",
        "Some patterns keep it at no cost.",
        _yes_no("ordered")[::-1],
        idle=(
            Idle("join", ("add",), "a sum has no order"),
            Idle("shared", ("counter",), "a sum has no order"),
        ),
    ),
    Question(
        "dependent",
        "Do tasks wait for other tasks that they start?",
        "A usual pool stands still when all its workers wait for tasks of the same pool.",
        _yes_no("dependent")[::-1],
    ),
    Question(
        "rate",
        "How many messages a second are passed on?",
        "As in 500 or 10k.",
        read=units.rate,
        fact="rate",
        idle=(
            Idle("owner", ("yes",), "one task owns the data, so no messages are sent"),
            Idle("pass_on", ("no",), "nothing is passed on, so no messages are sent"),
        ),
    ),
    Question(
        "batch",
        "May several messages travel as one?",
        "It makes the channel up to ten times cheaper, and each message a little later.",
        _yes_no("batchable"),
        idle=(
            Idle("owner", ("yes",), "one task owns the data, so no messages are sent"),
            Idle("pass_on", ("no",), "nothing is passed on, so no messages are sent"),
        ),
    ),
    Question("cores", "How many cores are there?", "As in 8.", read=units.count, fact="cores", flag_only=True),
    Question(
        "gap",
        "How long does a worker work between two accesses to the shared state?",
        "As in 50us; by default the time of an item.",
        read=units.seconds,
        fact="gap",
        idle=NO_LOCK,
        flag_only=True,
    ),
    Question(
        "transfer",
        "How long does moving an item and its result to another process take?",
        "As in 30us.",
        read=units.seconds,
        fact="transfer",
        flag_only=True,
    ),
)
BY_NAME: Mapping[str, Question] = {one.name: one for one in QUESTIONS}

# Answers that cannot both be given although each may be: what is shared is no list of results.
CLASHES = tuple((("shared", value), ("join", "list"), LISTED) for value in ("map", "arbitrary"))


def idle(question: Question, answers: Answers) -> Idle | None:
    """The answer that leaves ``question`` idle, if there is one."""
    return next((one for one in question.idle if answers.get(one.question) in one.values), None)


def options(question: Question, answers: Answers) -> list[Option]:
    """The options that earlier answers leave open."""
    closed = {other for first, other, _ in CLASHES if answers.get(first[0]) == first[1]}
    return [one for one in question.options if (question.name, one.value) not in closed]


def following(answers: Answers) -> Question | None:
    """The first question that is neither answered nor idle."""
    waiting = (one for one in QUESTIONS if one.name not in answers and not one.flag_only)
    return next((one for one in waiting if idle(one, answers) is None), None)


class Back(Exception):
    """Raised by who asks, to go back to the question before."""


def walk(ask: Callable[[Question, Answers], str | None]) -> dict[str, str | None]:
    """The answers that ``ask`` gives, question by question; idle ones are not asked. `Back` goes one back."""
    answers: dict[str, str | None] = {}
    while (question := following(answers)) is not None:
        try:
            answers[question.name] = ask(question, answers)
        except Back:
            if answers:
                answers.popitem()
    return answers


def checked(given: Mapping[str, Any]) -> dict[str, str]:
    """``given`` as text, without what is not known. Raises: `LabError` naming unknown names and contradictions."""
    for name in given:
        if name not in BY_NAME:
            near = difflib.get_close_matches(name, BY_NAME, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise LabError(f"there is no question {name!r}{hint}; known: {', '.join(BY_NAME)}")
    answers = {name: _as_text(BY_NAME[name], value) for name, value in given.items() if value not in {None, UNKNOWN}}
    for name, text in answers.items():
        BY_NAME[name].facts(text)
        _check_idle(BY_NAME[name], answers)
    for (first, value), (second, other), why in CLASHES:
        if answers.get(first) == value and answers.get(second) == other:
            raise LabError(f"--{first} {value} contradicts --{second} {other}: {why}")
    return answers


def _check_idle(question: Question, answers: Mapping[str, str]) -> None:
    by = idle(question, answers)
    if by is not None:
        other = f"{BY_NAME[by.question].flag} {answers[by.question]}"
        raise LabError(f"{question.flag} {answers[question.name]} contradicts {other}: {by.why}")


def _as_text(question: Question, value: Any) -> str:
    """An answer as the command line has it; Python's own truth and numbers will do, too. Times are in seconds."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and question.read is units.seconds:
        return f"{value!r}s"
    return str(value)


def stated(answers: Mapping[str, str]) -> dict[str, Any]:
    """The facts that ``answers`` state. Later questions say it more exactly."""
    found: dict[str, Any] = {}
    for question in QUESTIONS:
        if question.name in answers:
            found |= question.facts(answers[question.name])
    if found.get("shape") == "counter":
        found.setdefault("state", "add")
    if found.get("handed_on"):
        found.pop("one_owner", None)  # it has an owner after all, another one with each step
    if "shape" not in found and "state" in found:
        found["shape"] = {"add": "counter", "merge": "map", "update": "arbitrary"}[found["state"]]
    return found
