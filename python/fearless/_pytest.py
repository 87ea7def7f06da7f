"""The pytest plugin: ``no_leftover_threads`` as a fixture. pytest finds it by an entry point and alone imports it.

Not here: the check itself (``testing.py``), which is imported when a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

MARK = "leftover_threads"


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker."""
    text = f"{MARK}(daemon=False, pools=False, timeout=5.0): what the fixture no_leftover_threads lets stay"
    config.addinivalue_line("markers", text)


@pytest.fixture
def no_leftover_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test unless every thread that it started has ended; see ``fearless.testing.no_leftover_threads``."""
    from fearless import testing

    mark = request.node.get_closest_marker(MARK)
    with testing.no_leftover_threads(**(mark.kwargs if mark else {})):
        yield
