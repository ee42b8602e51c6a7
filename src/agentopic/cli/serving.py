"""Serving agents from the command line: the runtime of the settings, the services, one line when ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentopic.errors import ConfigError, MissingTopicError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentopic.engine.service import AgentService
    from agentopic.settings import Settings


async def serve_services(settings: Settings, services: Sequence[AgentService], ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Raises:
        ConfigError: settings, a service or a topic that must exist keep the process from starting.
        UnreachableError: broker or journal do not answer.
    """
    from agentopic import wiring
    from agentopic.engine.service import serve

    try:
        await serve(wiring.runtime(settings), services, ready=ready)
    except MissingTopicError as exc:
        # For a client a missing topic is something not found; for a service it is a wrong set-up.
        raise ConfigError(str(exc)) from exc


def describe(settings: Settings, services: Sequence[AgentService]) -> list[str]:
    """Return lines that say what runs here, where events and state are, and how to look at them."""
    from agentopic.settings import masked

    lines = [f"transport  {masked(settings.transport)}", f"journal    {masked(settings.journal_url())}"]
    topics = sorted({topic for service in services for topic in service.publishes})
    look = [f"look       agentopic tail {' '.join(topics)} --from-beginning --follow"] if topics else []
    return [*lines, *describe_agents(services), *look]


def describe_agents(services: Sequence[AgentService]) -> list[str]:
    """Return a line per service: its name, what it hears, what it publishes."""
    return [
        f"agent      {service.name}: hears {', '.join(_heard(service)) or 'requests only'}; "
        f"publishes {', '.join(service.publishes) or 'nothing declared'}"
        for service in services
    ]


def _heard(service: AgentService) -> list[str]:
    return [
        str(getattr(each, "topic_type", None) or f"{getattr(each, 'topic_type_prefix', each.id)}*")
        for each in service.subscriptions
    ]
