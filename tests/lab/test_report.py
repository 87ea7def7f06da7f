"""What a comparison looks like: on a terminal, in a pipe and in a notebook."""

from __future__ import annotations

import io
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from fearless.lab import catalog, explain, stats, wording
from fearless.lab.record import Environment, LeftOut, Record, Refused
from fearless.lab.report import html, table, text
from fearless.lab.report.printer import Printer
from tests.lab import synthetic


def one_interpreter() -> Record:
    """A decided record."""
    return explain.decided(synthetic.record(synthetic.runs(synthetic.FREE_THREADED)))


def two_interpreters() -> Record:
    """A decided record of the GIL build beside the free-threaded one."""
    runs = [*synthetic.runs(synthetic.WITH_GIL, "3.13", gil=True), *synthetic.runs(synthetic.FREE_THREADED)]
    profiles = [synthetic.profile("3.13", gil_released=0.02), synthetic.profile()]
    interpreters = [synthetic.interpreter("3.13", gil=True), synthetic.interpreter()]
    return explain.decided(synthetic.record(runs, interpreters=interpreters, profiles=profiles))


def shown(record: Record, width: int = 100) -> list[str]:
    """The report as plain lines."""
    return [line.text for line in text.lines(record, width)]


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("record", [one_interpreter(), two_interpreters()], ids=["one", "two"])
def test_no_line_is_wider_than_the_screen(record: Record, width: int) -> None:
    """100 columns are used at most, and 80 suffice."""
    assert max(map(len, shown(record, width))) <= min(width, 100)


@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize("staged", [False, True])
def test_the_card_of_every_pattern_fits(*, reads: bool, staged: bool) -> None:
    """Beside each other in 80 columns, whatever the workload has."""
    kinds = [
        {"state": state, "whole": whole, "keyed": keyed, "awaits": True, "reads": reads, "staged": staged}
        for state in ("none", "add", "merge", "update")
        for whole in (False, True)
        for keyed in (False, True)
    ]
    for kind in kinds:
        found = [catalog.fit(name, **kind) for name in catalog.PATTERNS]  # type: ignore[arg-type]  # as it takes them
        cards = [one.card for one in found if isinstance(one, catalog.Pattern)]
        speeds = {(card.name, 1 if card.name == "serial" else 2): 1.0 for card in cards}
        assert max(map(len, shown(synthetic.record(synthetic.runs(speeds), cards=cards), 80))) <= 80


def test_the_table_fits_on_one_screen() -> None:
    """Header and table of a usual comparison, in the 24 lines of the smallest terminal and a few more."""
    lines = shown(one_interpreter())
    end = next(number for number, line in enumerate(lines) if line.startswith("Verdict"))

    assert end <= 26


def test_the_header_says_what_was_measured_on_what() -> None:
    """Workload, corpus digest, interpreter, build, GIL state, cores and noise."""
    header = " ".join(shown(one_interpreter())[:4])

    for part in (
        "word-index: Count the words",
        "1,412 files",
        "sha256 3f2a9c01aa77",
        "CPython 3.13.1 free-threaded",
        "GIL off after the runs",
        "1.95 effective cores of 2",
        "noise 1 %",
        "6 rounds",
    ):
        assert part in header


def test_a_row_holds_figures_with_intervals_and_the_card_below() -> None:
    """Time, speed-up, waiting, CPU, memory; shared, keep in mind, code."""
    lines = shown(one_interpreter())
    place = next(number for number, line in enumerate(lines) if line.startswith("> par"))

    assert lines[place].split()[:3] == [">", "par", "2"]
    assert "ms" in lines[place]
    assert "1.85x [" in lines[place]
    assert "43.0 MB" in lines[place]
    assert lines[place + 1].endswith("  9 lines, 2 calls")
    assert "nothing" in lines[place + 1]
    assert "parts must join in order" in lines[place + 1]


def test_where_nothing_counts_waiting_there_is_a_dash() -> None:
    """Never a zero that nobody measured."""
    (serial,) = [line for line in shown(one_interpreter()) if line.startswith("  serial ")]

    assert " - " in serial


def test_interpreters_stand_side_by_side() -> None:
    """Under each pattern one row for each interpreter, and a verdict for each."""
    lines = shown(two_interpreters())
    pars = [line.split() for line in lines if line[2:].startswith("par ")]

    assert ["3.13t" in row for row in pars] == [False, True]
    assert any(line.startswith("Verdict for 3.13: stay serial") for line in lines)
    assert any(line.startswith("Verdict for 3.13t: use par") for line in lines)


def test_a_pattern_that_differs_shows_no_speed() -> None:
    """The reason stands where its figures would."""
    runs = [
        replace(run, equal=False, difference="the result lacks 'the'") if run.pattern == "mutex" else run
        for run in synthetic.runs(synthetic.FREE_THREADED)
    ]
    lines = shown(explain.decided(synthetic.record(runs)))
    (row,) = [line for line in lines if line.startswith("  mutex ")]

    assert row.split(maxsplit=1)[1].strip() == "differs from serial: the result lacks 'the'"


def test_a_pattern_that_was_not_run_is_named_with_its_reason() -> None:
    """Nobody has to wonder where it is; those with the same reason share a line."""
    refused = [Refused("atomic", "the state is no int"), Refused("par", "parts do not join", "3.13t")]
    refused += [Refused("threads", "parts do not join")]
    record = replace(one_interpreter(), refused=refused)
    lines = shown(record)

    assert "  atomic: the state is no int" in lines
    assert "  par, threads: parts do not join" in lines


def test_many_numbers_of_workers_show_the_best_only() -> None:
    """So that the table stays on one screen; the pick stays, and the reader is told."""
    speeds = {
        (name, workers): speed * (1 if workers == 2 else 0.9)
        for (name, _), speed in synthetic.FREE_THREADED.items()
        for workers in (1, 2, 4)
        if name != "serial"
    }
    record = explain.decided(synthetic.record(synthetic.runs({("serial", 1): 1.0, **speeds})))
    built = table.build(record)

    assert len(built.rows) == 8
    assert built.hidden == 14
    assert [row.candidate.workers for row in built.rows if row.picked and row.candidate] == [2]
    assert any("14 slower numbers of workers left out" in line for line in shown(record))


def test_why_some_ran_once_is_said() -> None:
    """Below the table, and in a notebook."""
    record = replace(one_interpreter(), left_out=[LeftOut("par", 4, "3.13t")])
    text = "to fit into the budget, only one number of workers of each pattern went on after the first round"

    assert text in " ".join(shown(record))
    assert text in html.fragment(record)
    assert text not in " ".join(shown(one_interpreter()))


def test_an_interrupted_run_and_a_busy_machine_are_pointed_out() -> None:
    """Whoever reads the figures must know."""
    busy = synthetic.interpreter(cores=1.2)
    environment = Environment("Linux", 2, steal=0.07, interpreters=[busy])
    record = replace(one_interpreter(), interrupted=True, rounds=3, environment=environment)
    lines = shown(record)

    assert "interrupted: 3 complete rounds" in lines
    assert "the hypervisor took 7 % of the CPU time while this ran" in lines
    assert "only 1.20 of 2 cores were free: run it again when other programs are idle" in lines
    noisy = replace(environment, steal=0.0, interpreters=[replace(synthetic.interpreter(), noise=0.3)])
    assert any(
        line.startswith("the machine was busy: run it again") for line in shown(replace(record, environment=noisy))
    )
    starved = [replace(run, cpu_seconds=(run.cpu_seconds or 0.0) / 4) for run in record.runs]
    assert "the machine was busy: serial had a core for 25 % of its time, so a speed-up may be no more" in " ".join(
        shown(replace(record, runs=starved))
    )
    waits = [synthetic.profile(blocked_seconds=0.7)]  # of one second
    assert "serial had a core" not in " ".join(shown(replace(record, runs=starved, profiles=waits)))
    assert not any("run it again" in line for line in shown(one_interpreter()))


def test_nothing_measured_still_makes_a_report() -> None:
    """Interrupted before the first run."""
    lines = shown(explain.decided(synthetic.record(interrupted=True, profiles=[])))

    assert not any("speed-up" in line for line in lines)  # no table with nothing in it
    assert any(line.startswith("Verdict: cannot tell") for line in lines)


class Cells(HTMLParser):
    """Counts what a notebook would show, and that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[int] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append(0)
        if tag in {"td", "th"}:
            self.rows[-1] += int(dict(attrs).get("colspan") or 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_notebook_shows_the_same() -> None:
    """All rows of one width, every tag closed, text escaped."""
    runs = [
        replace(run, equal=False, difference="the result lacks '<b>'") if run.pattern == "mutex" else run
        for run in synthetic.runs(synthetic.FREE_THREADED)
    ]
    page = Cells()
    page.feed(html.fragment(explain.decided(synthetic.record(runs))))

    assert page.open == []
    assert set(page.rows) == {11}
    assert len(page.rows) == 9
    assert "lacks '<b>'" in page.words
    assert "use par with 2 workers" in page.words


def test_a_pipe_gets_plain_text_and_no_progress() -> None:
    """Results on one stream, the rest on the other; no escape codes in either."""
    out, err = io.StringIO(), io.StringIO()
    printer = Printer(out, err)
    with printer.progress() as bar:
        bar.show(0.5, "round 1: par with 2 workers")
    printer.lines(text.lines(one_interpreter()))
    printer.hint("try again")
    printer.error("no [bold]such[/] thing")

    assert out.getvalue().splitlines() == shown(one_interpreter())
    assert err.getvalue() == "hint: try again\nerror: no [bold]such[/] thing\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, "2.00 s"),
        (0.9996, "1.00 s"),
        (0.0124, "12.4 ms"),
        (85e-6, "85.0 us"),
        (125.4, "125 s"),
        (9.95, "9.95 s"),
        (9.996, "10.0 s"),
        (99.97, "100 s"),
        (0.0, "0.00 us"),
    ],
)
def test_durations_have_three_digits(value: float, expected: str) -> None:
    """In the unit that reads best."""
    assert wording.seconds(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(40, "40 s"), (119, "119 s"), (700, "12 min"), (9000, "2 h")])
def test_a_long_wait_is_told_roughly(value: float, expected: str) -> None:
    """Nobody plans his day by the second."""
    assert wording.duration(value) == expected


def test_an_interval_shares_the_unit_of_its_median() -> None:
    """So that the three numbers can be compared at a glance."""
    estimate = stats.Estimate(0.995, (0.988, 1.013), 6)

    assert wording.seconds_with_interval(estimate) == "995 [988, 1013] ms"
    assert wording.seconds_with_interval(stats.Estimate(2.0, None, 1)) == "2.00 (1 run) s"
    assert wording.ratio_with_interval(stats.Estimate(2.0, None, 1)) == "2.00x (1 run)"
    assert wording.ratio(0.0004) == "<0.01x"


@pytest.mark.parametrize(
    ("count", "expected"), [(812, "812 B"), (8_000_000, "7.63 MB"), (1536, "1.50 KB"), (5 * 1024**4, "5120 GB")]
)
def test_sizes_have_three_digits(count: int, expected: str) -> None:
    """In powers of 1024."""
    assert wording.size(count) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.0, "0 %"), (0.004, "<1 %"), (0.016, "2 %"), (1.0, "100 %")])
def test_shares_are_whole_per_cents(share: float, expected: str) -> None:
    """A little is not nothing."""
    assert wording.percent(share) == expected


def test_lists_read_as_sentences() -> None:
    """Commas, and a word before the last."""
    assert [wording.listed("abc"[:n]) for n in range(1, 4)] == ["a", "a and b", "a, b and c"]
