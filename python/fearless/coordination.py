"""Coordination: who waits for whom, where no data moves.

The types are native; this module is where users find them. Not here: any code.
"""

from fearless._native import Barrier, Event, Latch, Permits, Semaphore
from fearless.errors import BrokenBarrierError

__all__ = ["Barrier", "BrokenBarrierError", "Event", "Latch", "Permits", "Semaphore"]
