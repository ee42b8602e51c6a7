"""What a model can do (`ModelInfo`) and which family it belongs to (`ModelFamily`)."""

from __future__ import annotations

import warnings
from typing import Literal, Required, TypeAlias

from typing_extensions import TypedDict

_REQUIRED = ("vision", "function_calling", "json_output", "family")


class ModelFamily:
    """Names of model families; a namespace, never instantiated. Any other string is allowed where one is asked."""

    GPT_5 = "gpt-5"
    GPT_41 = "gpt-41"
    GPT_45 = "gpt-45"
    GPT_4O = "gpt-4o"
    O1 = "o1"
    O3 = "o3"
    O4 = "o4"
    GPT_4 = "gpt-4"
    GPT_35 = "gpt-35"
    R1 = "r1"
    GEMINI_1_5_FLASH = "gemini-1.5-flash"
    GEMINI_1_5_PRO = "gemini-1.5-pro"
    GEMINI_2_0_FLASH = "gemini-2.0-flash"
    GEMINI_2_5_PRO = "gemini-2.5-pro"
    GEMINI_2_5_FLASH = "gemini-2.5-flash"
    CLAUDE_3_HAIKU = "claude-3-haiku"
    CLAUDE_3_SONNET = "claude-3-sonnet"
    CLAUDE_3_OPUS = "claude-3-opus"
    CLAUDE_3_5_HAIKU = "claude-3-5-haiku"
    CLAUDE_3_5_SONNET = "claude-3-5-sonnet"
    CLAUDE_3_7_SONNET = "claude-3-7-sonnet"
    CLAUDE_4_OPUS = "claude-4-opus"
    CLAUDE_4_SONNET = "claude-4-sonnet"
    LLAMA_3_3_8B = "llama-3.3-8b"
    LLAMA_3_3_70B = "llama-3.3-70b"
    LLAMA_4_SCOUT = "llama-4-scout"
    LLAMA_4_MAVERICK = "llama-4-maverick"
    CODESRAL = "codestral"
    OPEN_CODESRAL_MAMBA = "open-codestral-mamba"
    MISTRAL = "mistral"
    MINISTRAL = "ministral"
    PIXTRAL = "pixtral"
    UNKNOWN = "unknown"

    ANY: TypeAlias = Literal[
        "gpt-5",
        "gpt-41",
        "gpt-45",
        "gpt-4o",
        "o1",
        "o3",
        "o4",
        "gpt-4",
        "gpt-35",
        "r1",
        "gemini-1.5-flash",
        "gemini-1.5-pro",
        "gemini-2.0-flash",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
        "claude-3-haiku",
        "claude-3-sonnet",
        "claude-3-opus",
        "claude-3-5-haiku",
        "claude-3-5-sonnet",
        "claude-3-7-sonnet",
        "claude-4-opus",
        "claude-4-sonnet",
        "llama-3.3-8b",
        "llama-3.3-70b",
        "llama-4-scout",
        "llama-4-maverick",
        "codestral",
        "open-codestral-mamba",
        "mistral",
        "ministral",
        "pixtral",
        "unknown",
    ]

    def __new__(cls, *args: object, **kwargs: object) -> ModelFamily:  # noqa: PYI034 - it never returns
        raise TypeError("ModelFamily is a namespace and cannot be instantiated")

    @staticmethod
    def is_claude(family: str) -> bool:
        """Whether this is one of the Claude families above."""
        return family.startswith("claude-") and family in _FAMILIES

    @staticmethod
    def is_gemini(family: str) -> bool:
        """Whether this is one of the Gemini families above."""
        return family.startswith("gemini-") and family in _FAMILIES

    @staticmethod
    def is_openai(family: str) -> bool:
        """Whether this is one of OpenAI's families above."""
        return family.startswith(("gpt-", "o1", "o3", "o4")) and family in _FAMILIES

    @staticmethod
    def is_llama(family: str) -> bool:
        """Whether this is one of the Llama families above."""
        return family.startswith("llama-") and family in _FAMILIES

    @staticmethod
    def is_mistral(family: str) -> bool:
        """Whether this is one of Mistral's families above."""
        return family in {"codestral", "open-codestral-mamba", "mistral", "ministral", "pixtral"}


_FAMILIES = frozenset(value for name, value in vars(ModelFamily).items() if name.isupper() and isinstance(value, str))


class ModelCapabilities(TypedDict, total=False):
    """The older, smaller form of ModelInfo."""

    vision: Required[bool]
    function_calling: Required[bool]
    json_output: Required[bool]


class ModelInfo(TypedDict, total=False):
    """What a model can do; agents decide by it what they may ask."""

    vision: Required[bool]
    """Whether it takes images."""
    function_calling: Required[bool]
    """Whether it can call tools."""
    json_output: Required[bool]
    """Whether it can be held to JSON."""
    family: Required[str]
    """One of ModelFamily, or any other name."""
    structured_output: Required[bool]
    """Whether it can be held to a JSON Schema."""
    multiple_system_messages: bool | None
    """Whether it takes system messages that do not stand together at the start."""


def validate_model_info(model_info: ModelInfo) -> None:
    """Check that a ModelInfo is complete.

    Raises:
        ValueError: a required field is missing; the message names it.
    """
    for field in _REQUIRED:
        if field not in model_info:
            raise ValueError(f"model_info needs the field {field!r}")
    if "structured_output" not in model_info:
        warnings.warn("model_info should say 'structured_output'; taken as False", stacklevel=2)
