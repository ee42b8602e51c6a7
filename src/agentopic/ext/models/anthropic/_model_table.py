"""The Claude models this client knows: what they can do and how large their window is."""

from __future__ import annotations

import re

from agentopic.ext.models._client import Catalogue, KnownModel

_BEDROCK = re.compile(r"(?:[a-z]{2,6}\.)?anthropic\.(?P<name>.+?)(?:-v\d+(?::\d+)?)?")

_MILLION = 1_000_000


def _claude(family: str, *, schema: bool = False, window: int = 200_000) -> KnownModel:
    return KnownModel(family=family, window=window, schema=schema, many_system_messages=False)


def _claude_text(window: int) -> KnownModel:
    return KnownModel(
        family="unknown", window=window, vision=False, tools=False, schema=False, many_system_messages=False
    )


_OPUS_4 = _claude("claude-4-opus")
_SONNET_4 = _claude("claude-4-sonnet")
_SONNET_37 = _claude("claude-3-7-sonnet")
_SONNET_35 = _claude("claude-3-5-sonnet")
_OPUS_SCHEMA = _claude("claude-4-opus", schema=True)
_SONNET_SCHEMA = _claude("claude-4-sonnet", schema=True)
_NEWEST_OPUS = _claude("claude-4-opus", schema=True, window=_MILLION)
_NEWEST_SONNET = _claude("claude-4-sonnet", schema=True, window=_MILLION)

CATALOGUE = Catalogue(
    models={
        "claude-fable-5-2": _NEWEST_OPUS,
        "claude-fable-5-1": _NEWEST_OPUS,
        "claude-fable-5": _NEWEST_OPUS,
        "claude-opus-5-5": _NEWEST_OPUS,
        "claude-opus-5": _NEWEST_OPUS,
        "claude-opus-4-8": _OPUS_SCHEMA,
        "claude-opus-4-7": _OPUS_SCHEMA,
        "claude-opus-4-6": _OPUS_SCHEMA,
        "claude-sonnet-5-5": _NEWEST_SONNET,
        "claude-sonnet-5": _NEWEST_SONNET,
        "claude-sonnet-4-6": _SONNET_SCHEMA,
        "claude-haiku-5-5": _claude("claude-3-5-haiku", schema=True, window=_MILLION),
        "claude-opus-4-5-20251101": _OPUS_SCHEMA,
        "claude-opus-4-1-20250805": _OPUS_SCHEMA,
        "claude-opus-4-20250514": _OPUS_4,
        "claude-sonnet-4-5-20250929": _SONNET_SCHEMA,
        "claude-sonnet-4-20250514": _SONNET_4,
        "claude-haiku-4-5-20251001": _claude("claude-3-5-haiku", schema=True),
        "claude-3-7-sonnet-20250219": _SONNET_37,
        "claude-3-5-sonnet-20241022": _SONNET_35,
        "claude-3-5-sonnet-20240620": _SONNET_35,
        "claude-3-5-haiku-20241022": _claude("claude-3-5-haiku"),
        "claude-3-opus-20240229": _claude("claude-3-opus"),
        "claude-3-sonnet-20240229": _claude("claude-3-sonnet"),
        "claude-3-haiku-20240307": _claude("claude-3-haiku"),
        "claude-2.1": _claude_text(200_000),
        "claude-2.0": _claude_text(100_000),
        "claude-instant-1.2": _claude_text(100_000),
    },
    aliases={
        "claude-opus-4-5": "claude-opus-4-5-20251101",
        "claude-opus-4-1": "claude-opus-4-1-20250805",
        "claude-opus-4-0": "claude-opus-4-20250514",
        "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
        "claude-sonnet-4-0": "claude-sonnet-4-20250514",
        "claude-haiku-4-5": "claude-haiku-4-5-20251001",
        "claude-3-7-sonnet-latest": "claude-3-7-sonnet-20250219",
        "claude-3-5-sonnet-latest": "claude-3-5-sonnet-20241022",
        "claude-3-5-haiku-latest": "claude-3-5-haiku-20241022",
        "claude-3-opus-latest": "claude-3-opus-20240229",
    },
)


def plain_name(model: str) -> str:
    """The name under which a model is known and priced, without what Amazon Bedrock puts around it."""
    match = _BEDROCK.fullmatch(model)
    return match["name"] if match else model
