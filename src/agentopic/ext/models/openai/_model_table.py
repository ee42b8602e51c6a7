"""The models this client knows: what they can do and how large their window is."""

from __future__ import annotations

from agentopic.ext.models._client import Catalogue, KnownModel


def _claude(family: str, window: int = 200_000) -> KnownModel:
    return KnownModel(family=family, window=window, json=False, schema=False)


def _gemini(family: str, window: int = 1_048_576) -> KnownModel:
    return KnownModel(family=family, window=window, many_system_messages=False)


_GPT5 = KnownModel(family="gpt-5", window=400_000)
_GPT6 = KnownModel(family="gpt-5", window=1_050_000)
_GPT41 = KnownModel(family="gpt-41", window=1_047_576)
_GPT4O = KnownModel(family="gpt-4o", window=128_000)
_GPT4_TEXT = KnownModel(family="gpt-4", window=128_000, vision=False, schema=False)
_GPT35 = KnownModel(family="gpt-35", window=16_385, vision=False, schema=False)
_REASONING_TEXT = KnownModel(family="o1", window=200_000, vision=False, json=False)

_MODELS: dict[str, KnownModel] = {
    "gpt-6.2-astra": _GPT6,
    "gpt-6.2-sol": _GPT6,
    "gpt-6.1-sol": _GPT6,
    "gpt-6.1-terra": _GPT6,
    "gpt-6-astra": _GPT6,
    "gpt-6-sol": _GPT6,
    "gpt-6-luna": _GPT6,
    "gpt-5.6-sol": _GPT5,
    "gpt-5.6-terra": _GPT5,
    "gpt-5.6-luna": _GPT5,
    "gpt-5.5": _GPT5,
    "gpt-5.4": _GPT5,
    "gpt-5.4-mini": _GPT5,
    "gpt-5.4-nano": _GPT5,
    "gpt-5.2": _GPT5,
    "gpt-5.1": _GPT5,
    "gpt-5.1-mini": _GPT5,
    "gpt-5-2025-08-07": _GPT5,
    "gpt-5-mini-2025-08-07": _GPT5,
    "gpt-5-nano-2025-08-07": _GPT5,
    "o4-mini-2025-04-16": KnownModel(family="o4", window=200_000),
    "o3-2025-04-16": KnownModel(family="o3", window=200_000),
    "o3-mini-2025-01-31": KnownModel(family="o3", window=200_000, vision=False),
    "o1-2024-12-17": _REASONING_TEXT,
    "o1-preview-2024-09-12": KnownModel(family="o1", window=128_000, vision=False, json=False),
    "o1-mini-2024-09-12": KnownModel(family="o1", window=128_000, vision=False, tools=False, json=False, schema=False),
    "gpt-4.1-2025-04-14": _GPT41,
    "gpt-4.1-mini-2025-04-14": _GPT41,
    "gpt-4.1-nano-2025-04-14": _GPT41,
    "gpt-4.5-preview-2025-02-27": KnownModel(family="gpt-45", window=128_000),
    "gpt-4o-2024-11-20": _GPT4O,
    "gpt-4o-2024-08-06": _GPT4O,
    "gpt-4o-2024-05-13": KnownModel(family="gpt-4o", window=128_000, schema=False),
    "gpt-4o-mini-2024-07-18": _GPT4O,
    "gpt-4o-search-preview-2025-03-11": KnownModel(family="gpt-4o", window=128_000, vision=False),
    "gpt-4o-mini-search-preview-2025-03-11": KnownModel(family="gpt-4o", window=128_000, vision=False),
    "gpt-4-turbo-2024-04-09": KnownModel(family="gpt-4", window=128_000, schema=False),
    "gpt-4-0125-preview": _GPT4_TEXT,
    "gpt-4-1106-preview": _GPT4_TEXT,
    "gpt-4-1106-vision-preview": KnownModel(family="gpt-4", window=128_000, tools=False, json=False, schema=False),
    "gpt-4-0613": KnownModel(family="gpt-4", window=8_192, vision=False, schema=False),
    "gpt-4-32k-0613": KnownModel(family="gpt-4", window=32_768, vision=False, schema=False),
    "gpt-3.5-turbo-0125": _GPT35,
    "gpt-3.5-turbo-1106": _GPT35,
    "gpt-3.5-turbo-instruct": KnownModel(family="gpt-35", window=4_096, vision=False, schema=False),
    "gpt-3.5-turbo-0613": KnownModel(family="gpt-35", window=4_096, vision=False, schema=False),
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
    "Llama-3.3-8B-Instruct": KnownModel(family="llama-3.3-8b", window=128_000, vision=False, schema=False),
    "Llama-3.3-70B-Instruct": KnownModel(family="llama-3.3-70b", window=128_000, vision=False, schema=False),
    "Llama-4-Scout-17B-16E-Instruct-FP8": KnownModel(family="llama-4-scout", window=128_000),
    "Llama-4-Maverick-17B-128E-Instruct-FP8": KnownModel(family="llama-4-maverick", window=128_000),
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


CATALOGUE = Catalogue(models=_MODELS, aliases=_ALIASES)


def default_base_url(model: str) -> str | None:
    """Where the models of other providers that speak this API are served; None for OpenAI's own."""
    lowered = model.lower()
    return next((url for prefix, url in _BASE_URLS if lowered.startswith(prefix)), None)
