"""A pipeline over files: read, compress, digest. No state; the work has stages.

The stages are unlike each other: one waits for the disk, one takes most of the time, one hardly any.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fearless import workload
from fearless.lab import corpus


@workload
class Pipeline:
    """Read each Python source, compress it, and take the SHA-256 of the result."""

    folder = corpus.STANDARD_LIBRARY

    def items(self) -> list[str]:
        """The path of each file; to read it is the first stage."""
        return list(corpus.files(self.folder))

    def stages(self) -> Sequence[Callable[[Any], Any]]:
        """What is done to a file, one after the other."""
        return [self.load, self.compress, self.digest]

    def load(self, path: str) -> bytes:
        """The content of a file."""
        return Path(path).read_bytes()

    def compress(self, content: bytes) -> bytes:
        """The content, compressed. The compressor lets go of the GIL."""
        return zlib.compress(content)

    def digest(self, compressed: bytes) -> str:
        """The checksum of a file, compressed."""
        return hashlib.sha256(compressed).hexdigest()
