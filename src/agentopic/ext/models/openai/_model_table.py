"""The models this client knows: what they can do and how large their window is."""

from __future__ import annotations

from dataclasses import dataclass

from agentopic.core.models import ModelInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    family: str
    window: int
    vision: bool = True
    tools: bool = True
    json: bool = True
    schema: bool = True
    many_system_messages: bool = True


def _claude(family: str, window: int = 200_000) -> _Model:
    return _Model(family=family, window=window, json=False, schema=False)


def _gemini(family: str, window: int = 1_048_576) -> _Model:
    return _Model(family=family, window=window, many_system_messages=False)


_GPT5 = _Model(family="gpt-5", window=400_000)
_GPT41 = _Model(family="gpt-41", window=1_047_576)
_GPT4O = _Model(family="gpt-4o", window=128_000)
_GPT4_TEXT = _Model(family="gpt-4", window=128_000, vision=False, schema=False)
_GPT35 = _Model(family="gpt-35", window=16_385, vision=False, schema=False)
_REASONING_TEXT = _Model(family="o1", window=200_000, vision=False, json=False)

_MODELS: dict[str, _Model] = {
    "gpt-5-2025-08-07": _GPT5,
    "gpt-5-mini-2025-08-07": _GPT5,
    "gpt-5-nano-2025-08-07": _GPT5,
    "o4-mini-2025-04-16": _Model(family="o4", window=200_000),
    "o3-2025-04-16": _Model(family="o3", window=200_000),
    "o3-mini-2025-01-31": _Model(family="o3", window=200_000, vision=False),
    "o1-2024-12-17": _REASONING_TEXT,
    "o1-preview-2024-09-12": _Model(family="o1", window=128_000, vision=False, json=False),
    "o1-mini-2024-09-12": _Model(family="o1", window=128_000, vision=False, tools=False, json=False, schema=False),
    "gpt-4.1-2025-04-14": _GPT41,
    "gpt-4.1-mini-2025-04-14": _GPT41,
    "gpt-4.1-nano-2025-04-14": _GPT41,
    "gpt-4.5-preview-2025-02-27": _Model(family="gpt-45", window=128_000),
    "gpt-4o-2024-11-20": _GPT4O,
    "gpt-4o-2024-08-06": _GPT4O,
    "gpt-4o-2024-05-13": _Model(family="gpt-4o", window=128_000, schema=False),
    "gpt-4o-mini-2024-07-18": _GPT4O,
    "gpt-4o-search-preview-2025-03-11": _Model(family="gpt-4o", window=128_000, vision=False),
    "gpt-4o-mini-search-preview-2025-03-11": _Model(family="gpt-4o", window=128_000, vision=False),
    "gpt-4-turbo-2024-04-09": _Model(family="gpt-4", window=128_000, schema=False),
    "gpt-4-0125-preview": _GPT4_TEXT,
    "gpt-4-1106-preview": _GPT4_TEXT,
    "gpt-4-1106-vision-preview": _Model(family="gpt-4", window=128_000, tools=False, json=False, schema=False),
    "gpt-4-0613": _Model(family="gpt-4", window=8_192, vision=False, schema=False),
    "gpt-4-32k-0613": _Model(family="gpt-4", window=32_768, vision=False, schema=False),
    "gpt-3.5-turbo-0125": _GPT35,
    "gpt-3.5-turbo-1106": _GPT35,
    "gpt-3.5-turbo-instruct": _Model(family="gpt-35", window=4_096, vision=False, schema=False),
    "gpt-3.5-turbo-0613": _Model(family="gpt-35", window=4_096, vision=False, schema=False),
    "gpt-3.5-turbo-16k-0613": _GPT35,
    "gemini-1.5-flash": _gemini("gemini-1.5-flash"),
    "gemini-1.5-flash-8b": _gemini("gemini-1.5-flash"),
    "gemini-1.5-pro": _gemini("gemini-1.5-pro", 2_097_152),
    "gemini-2.0-flash": _gemini("gemini-2.0-flash"),
    "gemini-2.0-flash-lite-preview-02-05": _gemini("gemini-2.0-flash"),
    "gemini-2.5-pro-preview-03-25": _gemini("gemini-2.5-pro", 2_097_152),
    "gemini-2.5-flash": _gemini("gemini-2.5-flash"),
    "claude-3-haiku-20240307": _claude("claude-3-haiku", 50_000),
    "claude-3-sonnet-20240229": _claude("claude-3-sonnet"),
    "claude-3-opus-20240229": _claude("claude-3-opus"),
    "claude-3-5-haiku-20241022": _claude("claude-3-5-haiku"),
    "claude-3-5-sonnet-20241022": _claude("claude-3-5-sonnet"),
    "claude-3-7-sonnet-20250219": _claude("claude-3-7-sonnet"),
    "claude-sonnet-4-20250514": _claude("claude-4-sonnet"),
    "claude-opus-4-20250514": _claude("claude-4-opus"),
    "Llama-3.3-8B-Instruct": _Model(family="llama-3.3-8b", window=128_000, vision=False, schema=False),
    "Llama-3.3-70B-Instruct": _Model(family="llama-3.3-70b", window=128_000, vision=False, schema=False),
    "Llama-4-Scout-17B-16E-Instruct-FP8": _Model(family="llama-4-scout", window=128_000),
    "Llama-4-Maverick-17B-128E-Instruct-FP8": _Model(family="llama-4-maverick", window=128_000),
}

_ALIASES = {
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "gpt-5-nano": "gpt-5-nano-2025-08-07",
    "o4-mini": "o4-mini-2025-04-16",
    "o3": "o3-2025-04-16",
    "o3-mini": "o3-mini-2025-01-31",
    "o1": "o1-2024-12-17",
    "o1-preview": "o1-preview-2024-09-12",
    "o1-mini": "o1-mini-2024-09-12",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-4.5-preview": "gpt-4.5-preview-2025-02-27",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4-turbo": "gpt-4-turbo-2024-04-09",
    "gpt-4-turbo-preview": "gpt-4-0125-preview",
    "gpt-4": "gpt-4-0613",
    "gpt-4-32k": "gpt-4-32k-0613",
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
    "gpt-3.5-turbo-16k": "gpt-3.5-turbo-16k-0613",
    "claude-3-haiku": "claude-3-haiku-20240307",
    "claude-3-sonnet": "claude-3-sonnet-20240229",
    "claude-3-opus": "claude-3-opus-20240229",
    "claude-3-5-haiku": "claude-3-5-haiku-20241022",
    "claude-3-5-sonnet": "claude-3-5-sonnet-20241022",
    "claude-3-7-sonnet": "claude-3-7-sonnet-20250219",
    "claude-4-sonnet": "claude-sonnet-4-20250514",
    "claude-4-opus": "claude-opus-4-20250514",
    "llama-3.3-8b": "Llama-3.3-8B-Instruct",
    "llama-3.3-70b": "Llama-3.3-70B-Instruct",
    "llama-4-scout": "Llama-4-Scout-17B-16E-Instruct-FP8",
    "llama-4-maverick": "Llama-4-Maverick-17B-128E-Instruct-FP8",
}

_BASE_URLS = (
    ("gemini-", "https://generativelanguage.googleapis.com/v1beta/openai/"),
    ("claude-", "https://api.anthropic.com/v1/"),
    ("llama-", "https://api.llama.com/compat/v1/"),
)


def known_model_info(model: str) -> ModelInfo:
    """What a model of the table can do.

    Raises:
        ValueError: the model is not in the table; the message says what to add.
    """
    found = _MODELS.get(_ALIASES.get(model, model))
    if found is None:
        raise ValueError(
            f"model {model!r} is not known: add model_info={{'vision': …, 'function_calling': …, "
            "'json_output': …, 'structured_output': …, 'family': 'unknown'} to say what it can do"
        )
    return ModelInfo(
        vision=found.vision,
        function_calling=found.tools,
        json_output=found.json,
        family=found.family,
        structured_output=found.schema,
        multiple_system_messages=found.many_system_messages,
    )


def window_size(model: str) -> int:
    """The tokens that fit into a model's context window.

    Raises:
        ValueError: the model is not in the table.
    """
    found = _MODELS.get(_ALIASES.get(model, model))
    if found is None:
        raise ValueError(f"the context window of model {model!r} is not known: give the context a token_limit instead")
    return found.window


def default_base_url(model: str) -> str | None:
    """Where the models of other providers that speak this API are served; None for OpenAI's own."""
    lowered = model.lower()
    return next((url for prefix, url in _BASE_URLS if lowered.startswith(prefix)), None)
