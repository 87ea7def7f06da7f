"""A diagnosis as lines of text and as HTML. Lays out; prints nothing."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from statistics import quantiles

from fearless.lab import wording
from fearless.lab.diagnosis import Checked, Clock, Diagnosis, Finding, Machine
from fearless.lab.report.text import WIDEST, Line, wrapped

FEW = 4  # looks: the quartiles of fewer say nothing
NAME = 12  # columns


def lines(found: Diagnosis, width: int = WIDEST) -> list[Line]:
    """The whole report, no line wider than ``width`` columns."""
    shown = [Line("Machine", "bold")]
    shown += _table(_of_machine(found.machine), width)
    for one in found.pythons:
        shown += [Line(""), Line(f"Python {one.label}", "bold"), *_table(_of_python(one, found.seconds), width)]
    shown += [Line(""), Line("What can be shown here", "bold")]
    for finding in found.findings:
        shown += _finding(finding, width)
    return shown


def fragment(found: Diagnosis) -> str:
    """The report as one HTML fragment for a notebook."""
    parts = ["<div>", "<p><b>Machine</b></p>", _html_table(_of_machine(found.machine))]
    for one in found.pythons:
        parts += [f"<p><b>Python {escape(one.label)}</b></p>", _html_table(_of_python(one, found.seconds))]
    parts.append("<p><b>What can be shown here</b></p><ul>")
    for finding in found.findings:
        text = escape(finding.text)
        hint = f" ({escape(finding.hint)})" if finding.hint else ""
        parts.append(f"<li>{f'<b>{text}</b>' if finding.limits else text}{hint}</li>")
    return "\n".join([*parts, "</ul>", "</div>"])


def _of_machine(one: Machine) -> Iterator[tuple[str, str]]:
    yield "system", one.platform
    yield "processor", one.processor
    yield "CPUs", f"{one.cpu_count}, of which {one.allowed:g} may be used ({'; '.join(_limits(one))})"
    if one.steal is not None:
        yield "steal", f"{one.steal * 100:.1f} % of the CPU time, while this looked"
    if one.load is not None:
        yield "load", f"{one.load:.2f} programs wanted a CPU in the minute before"


def _limits(one: Machine) -> Iterator[str]:
    yield f"affinity {one.affinity}" if one.affinity is not None else "no affinity known"
    if one.cgroup is None:
        yield "no control group"
        return
    quota = "no quota" if one.cgroup_cpus is None else f"a quota of {one.cgroup_cpus:g}"
    named = "" if one.cpuset is None else f", a set of {one.cpuset}"
    yield f"control group v{one.cgroup} with {quota}{named}"


def _of_python(one: Checked, seconds: float) -> Iterator[tuple[str, str]]:
    yield "program", one.executable
    kind = "free-threaded" if one.free_threaded else "with a GIL"
    yield "build", f"{one.implementation} {one.version} {kind}{', debug' if one.debug else ''}, {one.build}"
    by = f", turned on by {one.gil_enabled_by}" if one.gil_enabled_by else ""
    yield "GIL", f"{'on' if one.gil else 'off'}{by}, after importing {wording.listed(one.imported)}"
    yield "cores", _cores(one, seconds)
    yield "noise", _noise(one)
    yield "clock", _clock(one.clock)
    yield "versions", ", ".join(f"{name} {version}" for name, version in one.versions.items())


def _cores(one: Checked, seconds: float) -> str:
    if one.effective_cores is None:
        return "not looked at"
    looks = wording.counted(len(one.cores), "look")
    return f"{one.effective_cores:.2f} effective, {_spread(one)}{looks} in {wording.duration(seconds)}"


def _spread(one: Checked) -> str:
    if len(one.cores) < FEW:
        return ""
    low, _, high = quantiles(one.cores, n=4)
    return f"{low:.2f} to {high:.2f} in the middle half of "


def _noise(one: Checked) -> str:
    least = one.smallest_difference
    if least is None:
        return "too few looks to tell"
    return f"five rounds of equals differ by up to {least * 100:.1f} %"


def _clock(one: Clock) -> str:
    parts = [one.source, f"steps of {one.resolution * 1e9:.0f} ns", f"{one.read * 1e9:.0f} ns to read"]
    parts += [f"hardware {one.hardware}"] if one.hardware else []
    return ", ".join([*parts, "monotonic" if one.monotonic else "not monotonic"])


def _table(rows: Iterator[tuple[str, str]], width: int) -> Iterator[Line]:
    for name, text in rows:
        yield from wrapped(text, width, first=f"  {name:{NAME}}", rest=" " * (NAME + 2))


def _html_table(rows: Iterator[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows) + "</table>"


def _finding(finding: Finding, width: int) -> Iterator[Line]:
    yield from wrapped(finding.text, width, first="  - ", rest="    ", style="bad" if finding.limits else "")
    if finding.hint:
        yield from wrapped(finding.hint, width, first="    ", rest="    ", style="dim")
