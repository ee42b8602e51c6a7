"""Settings: what the environment says, read in this package and nowhere else."""

from __future__ import annotations

from agentopic.concealment import MASK, masked
from agentopic.settings.model import Origin, Settings, fields, unknown_variables, variable, variables

__all__ = ["MASK", "Origin", "Settings", "fields", "masked", "unknown_variables", "variable", "variables"]
