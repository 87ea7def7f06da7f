"""A lock that owns its data, for many readers or one writer.

The types are native; this module is where users find them. Not here: any code.
"""

from fearless._native import ReadGuard, RwLock, UpgradableGuard, WriteGuard

__all__ = ["ReadGuard", "RwLock", "UpgradableGuard", "WriteGuard"]
