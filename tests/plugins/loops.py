"""The fixture `run`: a test that asks for it runs in asyncio and in trio."""

import pytest

from tests.support.loops import Run, run_asyncio, run_trio


@pytest.fixture(params=[run_asyncio, run_trio], ids=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a program in one of the two libraries."""
    runner: Run = request.param
    return runner
