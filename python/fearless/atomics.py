"""Atomics: one number, flag or reference that threads change without a lock.

The types are native; this module is where users find them. Not here: any code.
"""

from fearless._native import AtomicBool, AtomicFloat, AtomicInt, AtomicRef, ShardedCounter

__all__ = ["AtomicBool", "AtomicFloat", "AtomicInt", "AtomicRef", "ShardedCounter"]
