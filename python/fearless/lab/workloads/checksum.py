"""Checksums of compressed files, as a backup takes them. No state; the work releases the GIL."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

from fearless import workload
from fearless.lab import corpus


@workload
class Checksum:
    """Compress each Python source and take the SHA-256 of the result."""

    folder = corpus.STANDARD_LIBRARY

    def items(self) -> list[bytes]:
        """The content of each file."""
        return [Path(path).read_bytes() for path in corpus.files(self.folder)]

    def work(self, item: bytes) -> str:
        """The checksum of one file, compressed. The compressor lets go of the GIL, as it does of Python objects."""
        return hashlib.sha256(zlib.compress(item, 9)).hexdigest()
