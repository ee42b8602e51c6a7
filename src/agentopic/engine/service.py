"""`AgentService`: one agent type as a deployable service, and the process that runs some."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from agentopic.core import (
    Agent,
    AgentId,
    AgentRuntime,
    BaseAgent,
    SingleThreadedAgentRuntime,
    Subscription,
    try_get_known_serializers_for_type,
)
from agentopic.core._turn import OnUnknown
from agentopic.engine.budget import AgentBudgets, Budget
from agentopic.engine.collector import calm_collector
from agentopic.engine.hosting import Hosting, require_hostable
from agentopic.engine.options import RetryPolicy
from agentopic.engine.runtime import EngineRuntime
from agentopic.errors import ConfigError
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

Factory = Callable[[], Agent | Awaitable[Agent]]


class AgentService:
    """Declares one agent type: what makes its agents, what they listen to, what they publish.

    `agent` is an agent class with a constructor that needs no arguments, or a factory without arguments. `publishes`
    names the topic types it writes with the payload class of each; they are created with the service. `payloads`
    names payload classes its handlers' signatures do not. `run_budget` limits what any run may have spent on models
    when this agent calls one, `day_budget` what all agents of this type spend on a day; where one of them is given, the
    settings' budgets do not apply. `on_unknown` says what is done about an unrepeatable call that was open when its
    process died, where the call does not say so itself.

    Raises:
        ConfigError: the class keeps its state in memory only, and `stateless=True` is not given.
        InvalidNameError: the name cannot be an agent type.
    """

    def __init__(
        self,
        name: str,
        agent: type[Agent] | Factory,
        *,
        subscriptions: Sequence[Subscription] = (),
        publishes: Mapping[str, type[Any]] | None = None,
        concurrency: int | None = None,
        stateless: bool = False,
        start_from: str | None = None,
        retry: RetryPolicy | None = None,
        payloads: Sequence[type[Any]] = (),
        run_budget: Budget | None = None,
        day_budget: Budget | None = None,
        on_unknown: OnUnknown = "tell",
    ) -> None:
        self.name = AgentId(name, "").type
        self.agent = agent
        self.subscriptions = tuple(subscriptions)
        self.publishes = dict(publishes or {})
        self.concurrency = concurrency
        self.stateless = stateless
        self.start_from = start_from
        self.retry = retry
        self.payloads = tuple(payloads)
        self.on_unknown: OnUnknown = on_unknown
        self.budgets = (
            None
            if run_budget is None and day_budget is None
            else AgentBudgets(run=run_budget or Budget(), day=day_budget or Budget())
        )
        if isinstance(agent, type):
            require_hostable(self.name, agent, stateless=stateless)

    async def register(self, runtime: AgentRuntime) -> None:
        """Register the agent type with its subscriptions and payload classes on any runtime.

        Raises:
            RegistrationError: the type is registered there already.
        """
        if isinstance(runtime, EngineRuntime):
            runtime.host_as(
                self.name,
                Hosting(
                    state="none" if self.stateless else "stored",
                    concurrency=self.concurrency,
                    retry=self.retry,
                    start_from=self.start_from,
                    publishes=tuple(self.publishes),
                    budgets=self.budgets,
                    on_unknown=self.on_unknown,
                ),
            )
        agent = self.agent
        if isinstance(agent, type) and issubclass(agent, BaseAgent):
            await agent.register(runtime, self.name, cast("Callable[[], BaseAgent]", agent))
        else:
            await runtime.register_factory(self.name, cast("Factory", agent))
        for subscription in self.subscriptions:
            if not any(subscription == known for known in _subscriptions(runtime)):
                await runtime.add_subscription(subscription)
        for payload in (*self.publishes.values(), *self.payloads):
            runtime.add_message_serializer(try_get_known_serializers_for_type(payload))


def _subscriptions(runtime: AgentRuntime) -> Sequence[Subscription]:
    kernel = getattr(runtime, "_kernel", None)
    return () if kernel is None else kernel.subscriptions


async def serve(
    runtime: AgentRuntime, services: Sequence[AgentService], *, ready: Callable[[], None] | None = None
) -> None:
    """Run services in this process until SIGTERM or SIGINT, then drain and stop.

    Raises:
        AgentopicError: what ended the engine, at start or later.
    """
    if not services:
        raise ConfigError("there is no service to run")
    calm_collector()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopping.set)
    try:
        for service in services:
            await service.register(runtime)
        await _run(runtime, stopping, ready)
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)


async def _run(runtime: AgentRuntime, stopping: asyncio.Event, ready: Callable[[], None] | None) -> None:
    if isinstance(runtime, SingleThreadedAgentRuntime):
        runtime.start()
        if ready is not None:
            ready()
        await stopping.wait()
        await runtime.stop_when_idle()
        return
    if not isinstance(runtime, EngineRuntime):
        raise ConfigError(f"services cannot be run on a {type(runtime).__name__}")
    try:
        await runtime.start()
        if ready is not None:
            ready()
        await _until(runtime, stopping)
    finally:
        await runtime.stop()


async def _until(runtime: EngineRuntime, stopping: asyncio.Event) -> None:
    asked = asyncio.ensure_future(stopping.wait())
    ended = asyncio.ensure_future(runtime.wait())
    try:
        await asyncio.wait({asked, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            ended.result()
    finally:
        for task in (asked, ended):
            task.cancel()
        await asyncio.wait({asked, ended})
