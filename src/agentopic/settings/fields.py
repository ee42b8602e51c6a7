"""What the declarations of settings share: names of variables, and how text becomes a value."""

from __future__ import annotations

import json

from pydantic import AliasChoices

from agentopic.settings.sources import PREFIX


def names(name: str) -> AliasChoices:
    """Accept our variable only."""
    return AliasChoices(PREFIX + name)


def also_autogen(name: str) -> AliasChoices:
    """Accept our variable, then AutoGen's."""
    return AliasChoices(PREFIX + name, "AUTOGEN_" + name)


def upper(value: object) -> object:
    """Return text in capitals."""
    return value.upper() if isinstance(value, str) else value


def none_word(value: object) -> object:
    """Return None for the word `none`."""
    return None if isinstance(value, str) and value.strip().lower() == "none" else value


def comma_separated(value: object) -> object:
    """Return the parts of a text between commas."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def json_text(value: object) -> object:
    """Return what a JSON text says; ValueError when it is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as exc:
        raise ValueError(f"Input should be JSON: {exc}") from exc
