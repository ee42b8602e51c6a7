"""The Gemini models this client knows: what they can do and how large their window is."""

from __future__ import annotations

from agentopic.ext.models._client import Catalogue, KnownModel

_MILLION = 1_048_576


def _gemini(family: str, window: int = _MILLION) -> KnownModel:
    return KnownModel(family=family, window=window, many_system_messages=False)


CATALOGUE = Catalogue(
    models={
        "gemini-3-pro-preview": _gemini("gemini-2.5-pro"),
        "gemini-2.5-pro": _gemini("gemini-2.5-pro"),
        "gemini-2.5-flash": _gemini("gemini-2.5-flash"),
        "gemini-2.5-flash-lite": _gemini("gemini-2.5-flash"),
        "gemini-2.0-flash": _gemini("gemini-2.0-flash"),
        "gemini-2.0-flash-lite": _gemini("gemini-2.0-flash"),
        "gemini-1.5-pro": _gemini("gemini-1.5-pro", 2_097_152),
        "gemini-1.5-flash": _gemini("gemini-1.5-flash"),
        "gemini-1.5-flash-8b": _gemini("gemini-1.5-flash"),
    },
    aliases={
        "gemini-2.0-flash-001": "gemini-2.0-flash",
        "gemini-2.0-flash-lite-001": "gemini-2.0-flash-lite",
        "gemini-2.5-pro-preview-03-25": "gemini-2.5-pro",
        "gemini-flash-latest": "gemini-2.5-flash",
    },
)


def plain_name(model: str) -> str:
    """A model's name without the collection it is listed in: `gemini-2.5-pro` of `models/gemini-2.5-pro`."""
    return model.rsplit("/", 1)[-1]
