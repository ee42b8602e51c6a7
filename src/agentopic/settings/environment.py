"""The environment of a process that this one starts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from agentopic.settings.sources import PREFIX

_OURS = (PREFIX, "AUTOGEN_")
# What the test bed is told is not a setting of services.
_KEPT = (PREFIX + "TEST_", PREFIX + "BED_")


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with these settings, by variable, in place of all those it has itself."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(_OURS) or name.startswith(_KEPT)
    }
    return {**inherited, **settings}
