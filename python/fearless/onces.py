"""What is done once, whoever comes first: a call, a value that is set, a value that is made when it is first asked for.

The types are native; this module is where users find them. Not here: any code.
"""

from fearless._native import Lazy, Once, OnceCell

__all__ = ["Lazy", "Once", "OnceCell"]
