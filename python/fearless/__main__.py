"""``python -m fearless`` is the ``fearless`` command."""

from __future__ import annotations

import sys

from fearless._cli import main

if __name__ == "__main__":
    sys.exit(main())
