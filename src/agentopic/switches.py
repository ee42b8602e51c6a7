"""What the environment says to code that is given no settings: the few variables that AutoGen reads by itself, too."""

from __future__ import annotations

import os

_TRUE = frozenset({"1", "true", "yes", "on"})


def provider_namespaces() -> frozenset[str]:
    """Packages, beside agentopic's own, of which component JSON may name classes."""
    text = _first("AGENTOPIC_ALLOWED_PROVIDER_NAMESPACES", "AUTOGEN_ALLOWED_PROVIDER_NAMESPACES")
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def allows_component_source() -> bool:
    """Whether source code in component JSON may be run."""
    return _first("AGENTOPIC_ALLOW_COMPONENT_SOURCE").lower() in _TRUE


def allows_component_commands() -> bool:
    """Whether commands that component JSON names may be started."""
    return _first("AGENTOPIC_ALLOW_COMPONENT_COMMANDS").lower() in _TRUE


def is_runtime_tracing_off() -> bool:
    """Whether runtimes make no spans."""
    return _first("AGENTOPIC_DISABLE_RUNTIME_TRACING", "AUTOGEN_DISABLE_RUNTIME_TRACING").lower() in _TRUE


def shows_inline_images() -> bool:
    """Whether the terminal program can show images among text (iTerm2)."""
    return _first("TERM_PROGRAM") == "iTerm.app"


def _first(*names: str) -> str:
    return next((os.environ[name].strip() for name in names if name in os.environ), "")
