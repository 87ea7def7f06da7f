"""Atomics: one number that threads change without a lock.

The types are native; this module is where users find them. Not here: any code.
"""

from fearless._native import AtomicInt

__all__ = ["AtomicInt"]
