"""How much memory this process takes."""

from __future__ import annotations

import os
from pathlib import Path

_STATM = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int | None:
    """Return the resident size of this process; None where the system does not say (no /proc)."""
    try:
        return int(_STATM.read_text("ascii").split()[1]) * _PAGE_BYTES
    except FileNotFoundError:
        return None
