"""The questions of `choose`: every path through them, what leaves one idle, and what each answer states."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields

import pytest

from fearless.lab import questions, units
from fearless.lab._errors import LabError
from fearless.lab.advice import Advice, advise
from fearless.lab.contradictions import contradictions
from fearless.lab.facts import Facts
from fearless.lab.questions import BY_NAME, QUESTIONS, Answers, Back, Question

# The questions whose answers open or close others; the rest is answered in one way, or in none.
BRANCHING = {other.question for one in QUESTIONS for other in one.idle}
TYPED = {"items": "1e5", "item_cost": "20us", "wait": "0", "reads": "95%", "hold": "2us", "rate": "10k"}


def answered(question: Question, answers: Answers, *, knows: bool) -> list[str | None]:
    """The answers that a driver tries: each that branches, one of the others."""
    known = [one.value for one in questions.options(question, answers)] or [TYPED[question.name]]
    if question.name in BRANCHING:
        return [*known, None]
    return [known[-1] if knows else None]


def paths(answers: dict[str, str | None], *, knows: bool) -> Iterator[dict[str, str | None]]:
    """Every path from here to the end of the questions."""
    question = questions.following(answers)
    if question is None:
        yield answers
        return
    for answer in answered(question, answers, knows=knows):
        yield from paths({**answers, question.name: answer}, knows=knows)


def given(path: Answers) -> dict[str, str]:
    """The answers of a path that are known."""
    return {name: text for name, text in path.items() if text is not None}


@pytest.mark.parametrize("knows", [True, False])
def test_every_path_ends_in_an_answer_with_a_reason(*, knows: bool) -> None:
    """No path contradicts itself, and one that cannot tell says what is missing."""
    kinds: set[str] = set()
    seen: dict[str, Advice] = {}
    count = 0
    for path in paths({}, knows=knows):
        count += 1
        facts = Facts("", (), **questions.stated(questions.checked(given(path))))
        assert contradictions(facts) == [], path
        key = repr(facts)
        found = seen[key] if key in seen else seen.setdefault(key, advise(facts))
        assert found.because, path
        assert (found.pattern is None) == (found.kind == "cannot tell"), path
        assert found.pattern is not None or found.missing, path
        kinds.add(found.kind)

    assert count > 100
    assert "recommend" in kinds or not knows
    assert "cannot tell" in kinds or knows


def test_every_question_is_asked_on_some_path_but_those_that_are_flags_only() -> None:
    """And no idle one ever is."""
    asked: set[str] = set()
    for path in paths({}, knows=True):
        asked |= path.keys()
        assert all(questions.idle(BY_NAME[name], path) is None for name in path), path

    assert asked == {one.name for one in QUESTIONS if not one.flag_only}


def test_safety_comes_first() -> None:
    """Own it, pass it on, share it: in this order, before any figure."""
    assert [one.name for one in QUESTIONS[:3]] == ["owner", "pass_on", "shared"]


def test_what_one_task_owns_is_neither_passed_on_nor_shared() -> None:
    """After a yes to the first question the next one is what becomes of the results."""
    question = questions.following({"owner": "yes"})

    assert question is not None
    assert question.name == "join"


def test_going_back_asks_the_question_before_again() -> None:
    """Its answer, and what it made idle, are forgotten; at the first question there is no way back."""
    script = iter([Back, "yes", Back, "no", "no"])
    asked: list[str] = []

    def ask(question: Question, _: Answers) -> str | None:
        asked.append(question.name)
        answer = next(script, None)
        if answer is Back:
            raise Back
        return answer if isinstance(answer, str) else None

    answers = questions.walk(ask)

    assert asked[:6] == ["owner", "owner", "join", "owner", "pass_on", "shared"]
    assert list(answers.items())[:2] == [("owner", "no"), ("pass_on", "no")]


def test_who_knows_nothing_gets_through() -> None:
    """And has stated nothing."""
    answers = questions.walk(lambda *_: None)

    assert set(answers.values()) == {None}
    assert questions.stated(questions.checked(answers)) == {}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.name)
def test_every_answer_states_facts_that_there_are(question: Question) -> None:
    """By the names of the fields of `Facts`."""
    known = {one.name for one in fields(Facts)}
    answers = [one.value for one in question.options] or [TYPED.get(question.name, "1s")]
    answers = ["8"] if question.name == "cores" else answers

    for answer in answers:
        assert question.facts(answer)
        assert question.facts(answer).keys() <= known


def test_no_two_questions_have_the_same_name_and_each_says_what_it_means() -> None:
    """A text that asks, and help in a sentence."""
    assert len(BY_NAME) == len(QUESTIONS)
    assert all(one.text.endswith("?") and one.help.endswith(".") for one in QUESTIONS)


@pytest.mark.parametrize(
    ("answers", "both"),
    [
        ({"owner": "yes", "pass_on": "yes"}, ("--pass-on yes", "--owner yes")),
        ({"owner": "yes", "hold": "2us"}, ("--hold 2us", "--owner yes")),
        ({"owner": True, "shared": "map"}, ("--shared map", "--owner yes")),
        ({"pass_on": "yes", "reads": "95%"}, ("--reads 95%", "--pass-on yes")),
        ({"shared": "counter", "join": "merge"}, ("--join merge", "--shared counter")),
        ({"shared": "map", "join": "list"}, ("--shared map", "--join list")),
        ({"gil": "off", "released": "most"}, ("--released most", "--gil off")),
        ({"join": "list", "hold": 2e-6}, ("--hold 2e-06s", "--join list")),
    ],
)
def test_contradictory_answers_are_named_both(answers: dict[str, object], both: tuple[str, str]) -> None:
    """With the reason why they cannot hold together."""
    with pytest.raises(LabError, match=" contradicts ") as caught:
        questions.checked(answers)

    assert all(one in str(caught.value) for one in both)


def test_an_unknown_question_names_the_near_one_and_all() -> None:
    """The names of the function are those of the flags."""
    with pytest.raises(LabError, match=r"no question 'item_costs'; did you mean item_cost\?; known: owner, pass_on"):
        questions.checked({"item_costs": "20us"})


def test_an_unknown_option_names_the_known() -> None:
    """And that one may not know."""
    with pytest.raises(LabError, match="--shared must be one of counter, cell, map, arbitrary, or unknown; got 'dict'"):
        questions.checked({"shared": "dict"})


@pytest.mark.parametrize(
    ("text", "value"), [("20us", 2e-5), ("1.5 ms", 1.5e-3), ("2s", 2.0), ("100ns", 1e-7), ("0", 0.0), ("1e-3s", 1e-3)]
)
def test_times_are_read_with_their_unit(text: str, value: float) -> None:
    """The unit is needed, but for nothing."""
    assert units.seconds(text, "--hold") == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"), [("1e6", 1_000_000), ("10k", 10_000), ("1,000", 1000), ("2M", 2_000_000), ("1.5k", 1500)]
)
def test_counts_are_read(text: str, value: int) -> None:
    """As people write them."""
    assert units.count(text, "--items") == value


def test_shares_and_rates_are_read() -> None:
    """In per cent or of one; with or without the second."""
    assert units.share("95%", "--reads") == pytest.approx(0.95)
    assert units.share("0.95", "--reads") == pytest.approx(0.95)
    assert units.rate("10k/s", "--rate") == units.rate("10000", "--rate") == 10_000


@pytest.mark.parametrize(
    ("read", "text", "error"),
    [
        (
            units.seconds,
            "20 parsecs",
            "--x: 'parsecs' in '20 parsecs' is not a unit of time; known: ns, us, ms, s, min",
        ),
        (units.seconds, "20", "--x: '20' has no unit; known: ns, us, ms, s, min"),
        (units.seconds, "-2us", "--x must be >= 0, got -2us"),
        (units.seconds, "soon", "--x must be a time such as 20us, 1.5ms or 2s, got 'soon'"),
        (units.seconds, "1e999s", "--x must be a time such as 20us, 1.5ms or 2s, got '1e999s'"),
        (units.share, "120%", "--x must be 0..100 %, got 120%"),
        (units.share, "-1%", "--x must be 0..100 %, got -1%"),
        (units.share, "95", "--x must be 0..100 %, got 95 without a unit; write 95% if that is meant"),
        (units.share, "9us", "--x: 'us' in '9us' is not a unit of a share; write 95% or 0.95"),
        (units.count, "0", "--x must be a whole number >= 1, got 0"),
        (units.count, "1.5", "--x must be a whole number >= 1, got 1.5"),
        (units.count, "5 files", "--x: 'files' in '5 files' is not a unit of a number; known: k, m, g"),
        (units.rate, "0", "--x must be > 0, got 0"),
        (units.rate, "5/min", "--x: '/min' in '5/min' is not a unit of a rate; write 500, 10k or 10k/s"),
    ],
)
def test_a_bad_quantity_names_the_rule_and_the_value(read: object, text: str, error: str) -> None:
    """And the units that there are."""
    assert callable(read)
    with pytest.raises(LabError) as caught:
        read(text, "--x")

    assert str(caught.value) == error


def test_every_branch_is_walked() -> None:
    """The driver above takes every answer of each question that opens or closes others."""
    taken: dict[str, set[str | None]] = {}
    for path in itertools.chain(paths({}, knows=True), paths({}, knows=False)):
        for name in BRANCHING & path.keys():
            taken.setdefault(name, set()).add(path[name])

    values = {name: [one.value for one in BY_NAME[name].options] or [TYPED[name]] for name in BRANCHING}
    assert taken == {name: {*found, None} for name, found in values.items()}
