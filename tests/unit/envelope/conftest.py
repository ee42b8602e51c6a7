"""How many examples, and no deadline for one: a busy machine is no failure."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("unhurried"), max_examples=3000)
if settings.get_current_profile_name() == "default":
    settings.load_profile("unhurried")
