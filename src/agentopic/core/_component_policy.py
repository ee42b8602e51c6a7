"""`ComponentPolicy`: what component JSON may do to the process that loads it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from agentopic import switches


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPolicy:
    """Which classes component JSON may name, and whether source code in it may be run.

    The classes of `agentopic.core`, `agentopic.agentchat` and `agentopic.ext` may always be named, and those of the
    program itself (`__main__`, a loaded test module): nothing is imported for them.
    """

    namespaces: frozenset[str] = frozenset()
    """Packages, beside agentopic's own, whose classes may be named: `shop` or `shop.agents`."""
    allow_source_code: bool = False
    """Whether components that carry source code (FunctionTool) may be loaded: loading runs it."""
    allow_commands: bool = False
    """Whether components that name a command (MCP servers over stdio) may be loaded: using them starts it."""
    allow_private_addresses: bool = True
    """Whether a network tool that asks for it may open private and loopback addresses: no, for JSON of strangers."""

    def allows(self, module: str) -> bool:
        """Whether a class of this module may be named."""
        top = module.partition(".")[0]
        if top == "agentopic":
            return f"{module}.".startswith(("agentopic.core.", "agentopic.agentchat.", "agentopic.ext."))
        if top == "__main__" or (module.rpartition(".")[2].startswith("test_") and module in sys.modules):
            return True
        return any(f"{module}.".startswith(f"{namespace}.") for namespace in self.namespaces)


_chosen: ContextVar[ComponentPolicy | None] = ContextVar("agentopic_component_policy", default=None)


def policy_in_force() -> ComponentPolicy:
    """The policy that was put in force; else what the environment says, by default our own classes only."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    return ComponentPolicy(
        namespaces=switches.provider_namespaces(),
        allow_source_code=switches.allows_component_source(),
        allow_commands=switches.allows_component_commands(),
    )


def set_component_policy(policy: ComponentPolicy) -> None:
    """Put a policy in force from now on, for the running context and what it starts."""
    _chosen.set(policy)


@contextmanager
def use_component_policy(policy: ComponentPolicy) -> Generator[None]:
    """Put a policy in force for the enclosed block."""
    token = _chosen.set(policy)
    try:
        yield
    finally:
        _chosen.reset(token)


@contextmanager
def vouching_for(
    module: str, *, allow_source_code: bool | None = None, allow_commands: bool | None = None
) -> Generator[None]:
    """Allow the package of a class that loads components, and code and commands if that is said, for the block."""
    policy = policy_in_force()
    vouched = replace(
        policy,
        namespaces=policy.namespaces | {module.partition(".")[0]},
        allow_source_code=policy.allow_source_code if allow_source_code is None else allow_source_code,
        allow_commands=policy.allow_commands if allow_commands is None else allow_commands,
    )
    with use_component_policy(vouched):
        yield
