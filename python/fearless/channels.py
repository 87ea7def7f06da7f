"""Channels: data moves from task to task, and with it the right to use it.

The types are native; this module is where users find them. Not here: any code.
"""

from fearless._native import Receiver, Sender, channel

__all__ = ["Receiver", "Sender", "channel"]
