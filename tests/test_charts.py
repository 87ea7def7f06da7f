"""The charts of the guide show the stored measurements, and stand on a page with a caption and the same in figures.

How a chart looks is not judged here, and none is drawn: that would need the extra `charts`.
"""

import dataclasses
from typing import Any

import pytest

from fearless.lab import pages_charts, pages_costs
from fearless.lab.pages_charts import CHARTS, Series
from fearless.lab.pages_costs import BUILDS
from fearless.lab.stats import Estimate
from tests.plugins.sources import ROOT

DRAWINGS = ROOT / "guide/charts"


@pytest.mark.parametrize("name", CHARTS)
def test_a_drawing_was_made_from_the_stored_measurements(name: str) -> None:
    """If this fails, run ``python scripts/charts`` and look at what changed."""
    drawing = (DRAWINGS / f"{name}.svg").read_text(encoding="utf-8")

    assert f"<dc:description>{pages_charts.digest(name)}</dc:description>" in drawing


def test_every_drawing_is_of_a_chart() -> None:
    """None is left over."""
    assert {path.name for path in DRAWINGS.iterdir()} == {f"{name}.svg" for name in CHARTS}


@pytest.mark.parametrize("name", CHARTS)
def test_another_measurement_makes_another_digest(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a drawing of old figures is found."""
    before = pages_charts.digest(name)
    measured = pages_charts.point

    def slower(*place: Any) -> Estimate | None:
        found = measured(*place)
        return None if found is None else dataclasses.replace(found, median=2 * found.median)

    monkeypatch.setattr(pages_charts, "point", slower)

    assert pages_charts.digest(name) != before


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("name", CHARTS)
def test_every_point_was_measured_and_has_an_interval(name: str, build: str) -> None:
    """A line has a point at each of its ticks, which are ticks of the chart."""
    chart = CHARTS[name]

    for line in chart.lines:
        assert set(line.points) <= set(chart.ticks)
    heading, rows = pages_charts.table(name, build)
    assert [row[0] for row in rows] == list(chart.ticks)
    for row in rows:
        wanted = ["[" if row[0] in line.points else "-" for line in chart.lines]
        assert len(row) == len(heading)
        assert [mark in cell for mark, cell in zip(wanted, row[1:], strict=True)] == [True] * len(wanted)


@pytest.mark.parametrize("name", CHARTS)
def test_a_caption_says_where_a_figure_comes_from(name: str) -> None:
    """Interpreter, build, machine, what else ran, commit and interval."""
    caption = pages_charts.caption(name)

    for build, record in BUILDS.items():
        environment = pages_costs.stored(f"{CHARTS[name].session}-{record}")["environment"]
        assert f"{environment['interpreter']} {build}" in caption
        assert environment["processor"] in caption
        assert environment["commit"] in caption
    assert "95 %" in caption


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_on_a_page(name: str) -> None:
    """With a description for those who do not see it."""
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "guide/docs").glob("*.md"))

    assert f"![{CHARTS[name].title}](../charts/{name}.svg)" in pages


def test_what_a_page_says_beside_the_crossover_is_so() -> None:
    """From which size on each gains on a plain loop without the GIL; that nothing does with it, beyond the interval."""
    chart = CHARTS["crossover"]
    spawned, pooled, chunked = chart.lines

    def gains(line: Series, build: str) -> list[str]:
        points = {size: pages_charts.point(chart, line, size, build) for size in chart.ticks}
        return [size for size, found in points.items() if found and found.bounds and found.bounds[1] < 1]

    assert gains(chunked, "free-threaded") == ["1 us", "10 us", "100 us", "1 ms", "10 ms"]
    assert gains(pooled, "free-threaded") == ["10 us", "100 us", "1 ms", "10 ms"]
    assert gains(spawned, "free-threaded") == ["10 ms"]
    assert [gains(line, "with the GIL") for line in chart.lines] == [[], [], []]
