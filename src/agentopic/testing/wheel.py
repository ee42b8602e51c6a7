"""Where an installed wheel keeps the programs it carries, found without importing it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from agentopic.errors import BedUnavailableError


def wheel_folder(package: str, distribution: str) -> Path:
    """Return the folder of an installed package.

    Raises:
        BedUnavailableError: when it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BedUnavailableError(f"the wheel {distribution!r} is not installed: pip install {distribution}")
    return Path(spec.submodule_search_locations[0])
