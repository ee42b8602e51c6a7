"""`DurableRuntime`: the engine on the transport and journal that URLs or settings name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from agentopic import wiring
from agentopic.core import InterventionHandler, SingleThreadedAgentRuntime
from agentopic.engine.runtime import EngineRuntime
from agentopic.settings import Settings


class DurableRuntime(EngineRuntime):
    """Runs agents on a durable log and journal: what is accepted survives the death of the process.

    `transport` and `journal` are URLs as in the settings of the same names: `kafka://host:port`,
    `sqlite:///path`, `postgresql://…`, `memory://`. What is not given comes from `settings`, by default those
    of the environment. Runtimes of one process that name the same `memory://name` share it.
    `intervention_handlers` are shown what is published and sent here, in this order, in the turn of its sender.
    `options` are fields of `agentopic.engine.options.EngineOptions` and win over the settings.

    Raises:
        ConfigError: a URL or setting cannot be understood.
        MissingExtraError: the client library of a chosen adapter is not installed.
    """

    def __init__(
        self,
        transport: str | None = None,
        journal: str | None = None,
        *,
        namespace: str | None = None,
        settings: Settings | None = None,
        intervention_handlers: Sequence[InterventionHandler] | None = None,
        **options: Any,
    ) -> None:
        chosen = _override(settings, transport=transport, journal=journal, namespace=namespace)
        super().__init__(
            wiring.mesh(chosen),
            replace(wiring.engine_options(chosen), **options),
            intervention_handlers=intervention_handlers,
        )


def agent_runtime(
    runtime_type: Literal["local", "distributed"] | None = None, *, settings: Settings | None = None
) -> SingleThreadedAgentRuntime | EngineRuntime:
    """Return the runtime that configuration asks for, or the named one, for code that runs on either.

    Raises:
        ConfigError: a URL or setting cannot be understood.
    """
    return wiring.runtime(_override(settings, runtime_type=runtime_type))


def _override(settings: Settings | None, **values: str | None) -> Settings:
    given = {name: value for name, value in values.items() if value is not None}
    if settings is None:
        return Settings(**given)
    return settings.model_copy(update=given)
