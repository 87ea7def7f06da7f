"""CPython's own suites for queues, on channels.

A case that is set to `None` is left out; the line says why.
"""

import importlib
import importlib.util
import queue
import sys
import unittest

import pytest

from tests.conformance.queues import Queue, SimpleQueue

if importlib.util.find_spec("test") is None or importlib.util.find_spec("test.test_queue") is None:
    text = f"{sys.executable} comes without CPython's own test.test_queue; CI asks that two interpreters have it"
    pytest.skip(text, allow_module_level=True)
if not hasattr(queue, "ShutDown"):
    pytest.skip("queue.ShutDown, which the face translates to, came with Python 3.13", allow_module_level=True)

suite = importlib.import_module("test.test_queue")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the suites know no close()


class TestQueue(suite.BaseQueueTestMixin, unittest.TestCase):  # type: ignore[name-defined,misc]
    """Bounded channels, and shutdown as closing."""

    queue = queue
    type2test = Queue


class TestSimpleQueue(suite.BaseSimpleQueueTest, unittest.TestCase):  # type: ignore[name-defined,misc]
    """Unbounded channels, with many threads."""

    queue = queue
    type2test = SimpleQueue
