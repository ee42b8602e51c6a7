"""The open models this client knows, by their names at Ollama: what they can do and how large their window is."""

from __future__ import annotations

from agentopic.ext.models._client import Catalogue, KnownModel


def _local(window: int, *, vision: bool = False, tools: bool = False, family: str = "unknown") -> KnownModel:
    return KnownModel(family=family, window=window, vision=vision, tools=tools)


_MODELS = {
    "all-minilm": _local(256),
    "bge-m3": _local(8_192),
    "codegemma": _local(8_192),
    "codellama": _local(16_384),
    "command-r": _local(131_072, tools=True),
    "deepseek-coder": _local(16_384),
    "deepseek-coder-v2": _local(131_072),
    "deepseek-r1": _local(131_072, family="r1"),
    "dolphin-llama3": _local(8_192),
    "dolphin-mistral": _local(32_768),
    "dolphin-mixtral": _local(32_768),
    "gemma": _local(8_192),
    "gemma2": _local(8_192),
    "gemma3": _local(131_072, vision=True),
    "gpt-oss": _local(131_072, tools=True),
    "llama2": _local(4_096),
    "llama2-uncensored": _local(2_048),
    "llama3": _local(8_192, tools=True),
    "llama3.1": _local(131_072, tools=True),
    "llama3.2": _local(131_072, tools=True),
    "llama3.2-vision": _local(131_072, vision=True),
    "llama3.3": _local(131_072, tools=True),
    "llama4": _local(1_048_576, vision=True, tools=True),
    "llava": _local(32_768, vision=True),
    "llava-llama3": _local(8_192, vision=True),
    "mistral": _local(32_768, tools=True),
    "mistral-nemo": _local(131_072, tools=True),
    "mistral-small": _local(32_768, tools=True),
    "mixtral": _local(32_768, tools=True),
    "mxbai-embed-large": _local(512),
    "nomic-embed-text": _local(8_192),
    "orca-mini": _local(2_048),
    "phi": _local(2_048),
    "phi3": _local(131_072),
    "phi3.5": _local(131_072),
    "phi4": _local(16_384),
    "qwen": _local(32_768),
    "qwen2": _local(32_768, tools=True),
    "qwen2.5": _local(131_072, tools=True),
    "qwen2.5-coder": _local(131_072, tools=True),
    "qwen2.5vl": _local(128_000, vision=True),
    "qwen3": _local(40_960, tools=True),
    "qwen3-coder": _local(262_144, tools=True),
    "qwq": _local(131_072, tools=True),
    "snowflake-arctic-embed": _local(512),
    "starcoder2": _local(16_384),
    "tinyllama": _local(2_048),
    "wizardlm2": _local(32_768),
    "yi": _local(4_096),
    "zephyr": _local(32_768),
}
_WINDOW_OF_SIZE = {
    "codellama:70b": 2_048,
    "dolphin-llama3:8b-256k": 256_000,
    "dolphin-mixtral:8x22b": 65_536,
    "llava:13b": 4_096,
    "llava:34b": 4_096,
    "mixtral:8x22b": 65_536,
    "orca-mini:13b": 4_096,
    "orca-mini:70b": 4_096,
    "orca-mini:7b": 4_096,
    "qwen2.5-coder:0.5b": 32_768,
    "qwen2.5-coder:1.5b": 32_768,
    "qwen2.5-coder:3b": 32_768,
    "wizardlm2:8x22b": 65_536,
    "zephyr:141b": 65_536,
}
"""Sizes whose window differs from that of the model's other sizes."""

CATALOGUE = Catalogue(models=_MODELS)


def plain_name(model: str) -> str:
    """A model's name without its size and without the name space it was pulled from: `llama3.2` of `llama3.2:3b`."""
    return model.rsplit("/", 1)[-1].split(":", 1)[0]


def window_size(model: str) -> int:
    """The tokens that fit into a model's window; ValueError when it is not in the table."""
    return _WINDOW_OF_SIZE.get(model) or CATALOGUE.window(plain_name(model))
