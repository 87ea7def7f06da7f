"""Loads the plugins of the test suite; each is a file of its own in tests/plugins."""

pytest_plugins = [
    "pytester",
    "tests.plugins.channels",
    "tests.plugins.condvars",
    "tests.plugins.frozen",
    "tests.plugins.guarantee",
    "tests.plugins.loops",
    "tests.plugins.pools",
    "tests.plugins.stress",
    "tests.plugins.threads",
]
