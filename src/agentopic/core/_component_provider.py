"""Provider strings of component JSON: what they mean here, and the class that one names."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any, Final

from agentopic.core._component_places import located
from agentopic.core._component_policy import policy_in_force
from agentopic.errors import ComponentProviderError

_PACKAGE_OF_AUTOGEN: Final = {
    "autogen_core": "agentopic.core",
    "autogen_agentchat": "agentopic.agentchat",
    "autogen_ext": "agentopic.ext",
}

WELL_KNOWN_PROVIDERS: Final = {
    "openai_chat_completion_client": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "OpenAIChatCompletionClient": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "azure_openai_chat_completion_client": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "AzureOpenAIChatCompletionClient": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "OllamaChatCompletionClient": "autogen_ext.models.ollama.OllamaChatCompletionClient",
    # Where AutoGen's own dumps say it is; it never was.
    "autogen_ext.memory.redis_memory.RedisMemory": "autogen_ext.memory.redis.RedisMemory",
}
"""Short names that may stand for a provider string."""

_DOTTED: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def native_module(module_path: str) -> str:
    """The module of ours that stands for a module of AutoGen; any other path unchanged."""
    top, _, rest = module_path.partition(".")
    return ".".join(filter(None, (_PACKAGE_OF_AUTOGEN.get(top, top), rest)))


def class_of(provider: str, path: str) -> type[Any]:
    """Import the class that a provider string names, if it may be named.

    Raises:
        ComponentProviderError: it is no `module.Class`, is outside the allowed namespaces, or names no class.
    """
    full = WELL_KNOWN_PROVIDERS.get(provider, provider)
    if not _DOTTED.fullmatch(full):
        raise located(ComponentProviderError, path, f"{provider[:200]!r} is no provider: it is written module.Class")
    named, _, class_name = full.rpartition(".")
    module_path = native_module(named)
    _check_allowed(provider, module_path, path)
    try:
        found = getattr(importlib.import_module(module_path), class_name)
    except (ImportError, AttributeError) as exc:
        raise located(ComponentProviderError, path, f"provider {provider!r} cannot be imported: {exc}") from exc
    if not inspect.isclass(found):
        raise located(ComponentProviderError, path, f"provider {provider!r} is not a component class")
    return found


def _check_allowed(provider: str, module_path: str, path: str) -> None:
    # Importing __main__ of a package runs its program.
    if policy_in_force().allows(module_path) and ".__main__" not in module_path:
        return
    top = module_path.partition(".")[0]
    remedy = f"to load it, add {top!r} to AGENTOPIC_ALLOWED_PROVIDER_NAMESPACES"
    if top == "agentopic":
        remedy = "components of agentopic are in agentopic.core, agentopic.agentchat and agentopic.ext"
    text = f"provider {provider!r} is outside the allowed namespaces; {remedy}"
    raise located(ComponentProviderError, path, text)
