"""The option `--stress-seconds` and the fixture that hands it to the stress tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option. Three seconds catch a gross mistake; `make stress` asks for more."""
    parser.addoption(
        "--stress-seconds",
        type=float,
        default=3.0,
        metavar="SECONDS",
        help="how long each stress test runs (default: 3)",
    )


@pytest.fixture
def stress_seconds(request: pytest.FixtureRequest) -> float:
    """How long a stress test goes on, in seconds."""
    seconds: float = request.config.getoption("--stress-seconds")
    return seconds
