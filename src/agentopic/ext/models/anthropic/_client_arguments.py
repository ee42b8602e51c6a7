"""Sorts what a client is given by what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentopic.ext.models._client import DEFAULT_TIMEOUT_SECONDS
from agentopic.ext.models.anthropic._create_arguments import CREATE_ARGUMENTS

_BEHAVIOUR = frozenset({"model_capabilities", "model_info"})
_OF_CLIENT = frozenset({"timeout", "extra_headers", "extra_query", "extra_body"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientArguments:
    """Constructor arguments by what they are for."""

    of_every_call: dict[str, Any]
    behaviour: dict[str, Any]
    """Keyword arguments of our own base client."""
    sdk: dict[str, Any]
    """Keyword arguments of the SDK's client."""


def split_arguments(given: Mapping[str, Any]) -> ClientArguments:
    """Sort constructor arguments; None means not given, except for the time-out.

    Raises:
        ValueError: the model is missing.
    """
    present = {name: value for name, value in given.items() if value is not None or name == "timeout"}
    if "model" not in present:
        raise ValueError("the argument 'model' is required")
    behaviour = {name: value for name, value in present.items() if name in _BEHAVIOUR}
    if "max_retries" in present:
        behaviour["retries"] = present.pop("max_retries")
    for_calls = CREATE_ARGUMENTS - _OF_CLIENT
    return ClientArguments(
        of_every_call={name: value for name, value in present.items() if name in for_calls},
        behaviour=behaviour,
        sdk={
            "timeout": DEFAULT_TIMEOUT_SECONDS,
            **{name: value for name, value in present.items() if name not in for_calls | _BEHAVIOUR},
        },
    )
