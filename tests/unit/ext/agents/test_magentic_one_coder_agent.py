from __future__ import annotations

from agentopic.agentchat.agents import AssistantAgent
from agentopic.core import ComponentLoader
from agentopic.ext.agents.magentic_one import MagenticOneCoderAgent
from agentopic.ext.models.replay import ReplayChatCompletionClient


async def test_a_coder_answers_with_what_its_model_writes() -> None:
    client = ReplayChatCompletionClient(["```python\n1\n```"])

    result = await MagenticOneCoderAgent("coder", client).run(task="t")

    assert result.messages[-1].to_text() == "```python\n1\n```"
    assert "```python" in client.create_calls[0]["messages"][0].content


def test_a_coder_is_built_again_from_json() -> None:
    agent = MagenticOneCoderAgent("coder", ReplayChatCompletionClient(["x"]), model_client_stream=True)
    dumped = agent.dump_component().model_dump()

    loaded = ComponentLoader.load_component(dumped, AssistantAgent)

    assert dumped["provider"] == "autogen_ext.agents.magentic_one.MagenticOneCoderAgent"
    assert isinstance(loaded, MagenticOneCoderAgent)
    assert loaded.dump_component().model_dump() == dumped
