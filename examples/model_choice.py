"""One assistant, and a model of the provider that the environment names.

python model_choice.py                               plays a script: no key, no network
MODEL=claude ANTHROPIC_API_KEY=… python model_choice.py
MODEL=my.json python model_choice.py                 any other model, as component JSON in a file
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from agentopic.agentchat.agents import AssistantAgent
from agentopic.core.models import ChatCompletionClient
from agentopic.errors import ModelError

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt": ("agentopic.ext.models.openai.OpenAIChatCompletionClient", {"model": "gpt-4o-mini"}),
    "claude": ("agentopic.ext.models.anthropic.AnthropicChatCompletionClient", {"model": "claude-haiku-4-5"}),
    "gemini": ("agentopic.ext.models.gemini.GeminiChatCompletionClient", {"model": "gemini-2.5-flash"}),
    "ollama": ("agentopic.ext.models.ollama.OllamaChatCompletionClient", {"model": "llama3.2"}),
    "script": ("agentopic.ext.models.replay.ReplayChatCompletionClient", {"chat_completions": ["Paris."]}),
}


def chosen_model() -> ChatCompletionClient:
    choice = os.environ.get("MODEL", "script")
    if choice.endswith(".json"):
        return ChatCompletionClient.load_component(json.loads(Path(choice).read_text()))
    provider, config = MODELS[choice]
    return ChatCompletionClient.load_component({"provider": provider, "config": config})


async def main() -> None:
    model = chosen_model()
    guide = AssistantAgent("guide", model, system_message="Answer in one word.")
    try:
        print((await guide.run(task="What is the capital of France?")).messages[-1].to_text())
        usage = model.total_usage()
        print(f"{usage.prompt_tokens} tokens in, {usage.completion_tokens} out")
    except ModelError as error:  # the same classes whichever provider it was
        print(type(error).__name__, error)
    await model.close()


if __name__ == "__main__":
    asyncio.run(main())
