"""Loads the plugins of the test suite; each is a file of its own in tests/plugins."""

import signal

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

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control starts what is in the background so, and all programs of the suite would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
