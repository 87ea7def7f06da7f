"""Locks that own their data: a value is reached only through the guard of a held lock.

The types are native; this module is where users find them. Not here: any code.
"""

from fearless._lock_all import lock_all
from fearless._native import Condvar, Guard, LockAll, Mutex

__all__ = ["Condvar", "Guard", "LockAll", "Mutex", "lock_all"]
