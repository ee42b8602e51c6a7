from __future__ import annotations

from typing import Any

import pytest

from agentopic.agentchat.agents import ApprovalRequest, ApprovalResponse, CodeExecutorAgent
from agentopic.agentchat.messages import CodeExecutionEvent, CodeGenerationEvent, TextMessage
from agentopic.core import CancellationToken
from agentopic.core.code_executor import CodeBlock, CodeExecutor, CodeResult
from agentopic.core.models import CreateResult, ModelInfo
from agentopic.errors import ComponentError, ModelError
from agentopic.ext.models.replay import ReplayChatCompletionClient

from .model_script import calling, scripted

CODE = "```python\nprint(42)\n```"
AGAIN = '{"reason": "typo", "retry": true}'
BLIND = ModelInfo(vision=False, function_calling=False, json_output=False, family="x", structured_output=False)


class Results(CodeExecutor):
    """Gives the results it was given and notes what it ran."""

    def __init__(self, *results: CodeResult) -> None:
        self.results = list(results)
        self.ran: list[str] = []

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        self.ran += [block.code for block in code_blocks]
        return self.results.pop(0)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def restart(self) -> None: ...


def approve(request: ApprovalRequest) -> ApprovalResponse:
    return ApprovalResponse(approved=True, reason="fine")


def coder(executor: CodeExecutor, *answers: str | CreateResult, **options: Any) -> CodeExecutorAgent:
    client = scripted(*answers) if answers else None
    given: dict[str, Any] = {"approval_func": approve, **options}
    return CodeExecutorAgent("c", executor, model_client=client, **given)


def works(output: str = "42") -> CodeResult:
    return CodeResult(exit_code=0, output=output)


async def test_the_task_is_told_once_however_often_code_is_written_anew() -> None:
    failed = CodeResult(exit_code=1, output="oops")
    agent = coder(Results(failed, works()), CODE, AGAIN, CODE, "it is 42", max_retries_on_error=2)

    await agent.run(task="count")

    told = [str(message.content) for message in await agent.model_context.get_messages()]
    assert told.count("count") == 1


async def test_tokens_paid_for_code_are_shown() -> None:
    agent = coder(Results(works()), CODE, "it is 42")

    items = [item async for item in agent.run_stream(task="count")]

    generated = next(item for item in items if isinstance(item, CodeGenerationEvent))
    assert generated.models_usage is not None


async def test_the_conversation_is_saved_and_forgotten_on_reset() -> None:
    agent = coder(Results(works()), CODE, "it is 42")
    await agent.run(task="count")
    state = await agent.save_state()
    again = coder(Results(), "x")

    await again.load_state(state)
    await agent.on_reset(CancellationToken())

    assert await again.save_state() == state
    assert state["llm_context"]["messages"][0]["content"] == "count"
    assert await agent.model_context.get_messages() == []


async def test_a_state_of_autogens_is_loaded() -> None:
    agent = coder(Results(works()), CODE, "it is 42")
    await agent.run(task="count")
    before = await agent.save_state()

    await agent.load_state({"type": "BaseState", "version": "1.0.0"})

    assert await agent.save_state() == before


@pytest.mark.parametrize("output", ["", "  \n"])
async def test_code_that_prints_nothing_says_so(output: str) -> None:
    response = await coder(Results(works(output))).on_messages(
        [TextMessage(content=CODE, source="user")], CancellationToken()
    )

    assert "printed nothing" in response.chat_message.to_text()


async def test_refused_code_is_not_run() -> None:
    executor = Results()
    agent = coder(executor, approval_func=lambda request: ApprovalResponse(approved=False, reason="no"))

    response = await agent.on_messages([TextMessage(content=CODE, source="user")], CancellationToken())

    assert response.chat_message.to_text() == "Code execution was not approved. Reason: no"
    assert executor.ran == []


async def test_a_later_attempt_runs_no_code_again_and_asks_nobody_again(turns) -> None:
    executor, asked, said = Results(works()), [], []

    async def noting(request: ApprovalRequest) -> ApprovalResponse:
        asked.append(request.code)
        return approve(request)

    for _ in range(2):
        with turns.attempt():
            result = await coder(executor, CODE, "it is 42", approval_func=noting).run(task="count")
            said.append(result.messages)

    assert executor.ran == ["print(42)\n"]
    assert len(asked) == 1
    assert said[0] == said[1]


async def test_code_that_was_running_when_its_process_died_is_not_repeated(turns) -> None:
    class Dies(Results):
        async def execute_code_blocks(self, code_blocks: Any, cancellation_token: Any) -> CodeResult:
            raise KeyboardInterrupt

    given = [TextMessage(content=CODE, source="user", id="1")]
    with turns.attempt(), pytest.raises(KeyboardInterrupt):
        await coder(Dies()).on_messages(given, CancellationToken())
    executor = Results(works())

    with turns.attempt():
        response = await coder(executor).on_messages(given, CancellationToken())

    assert executor.ran == []
    assert "Whether the code has run is unknown" in response.chat_message.to_text()


@pytest.mark.parametrize("answer", ["garbage", "", '{"retry": 3}', calling(("x", "{}"))])
async def test_a_decision_that_cannot_be_read_is_an_error(answer: str | CreateResult) -> None:
    failed = CodeResult(exit_code=1, output="oops")

    with pytest.raises(ModelError, match="whether to write the code anew"):
        await coder(Results(failed), CODE, answer, max_retries_on_error=1).run(task="count")


async def test_a_model_that_calls_tools_is_an_error() -> None:
    with pytest.raises(ModelError, match="called tools"):
        await coder(Results(), calling(("x", "{}"))).run(task="count")


async def test_the_event_of_a_run_holds_its_result() -> None:
    agent = coder(Results(CodeResult(exit_code=2, output="oops")), CODE, "it failed")

    items = [item async for item in agent.run_stream(task="count")]

    event = next(item for item in items if isinstance(item, CodeExecutionEvent))
    assert event.result.exit_code == 2
    assert "oops" in event.to_text()


def test_retries_need_a_model_that_can_decide() -> None:
    with pytest.raises(ValueError, match="model_client"):
        coder(Results(), max_retries_on_error=1)
    with pytest.raises(ValueError, match="structured output"):
        CodeExecutorAgent(
            "c",
            Results(),
            model_client=ReplayChatCompletionClient(["x"], BLIND),
            max_retries_on_error=1,
            approval_func=approve,
        )


def test_running_code_that_nobody_looks_at_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="without anybody looking"):
        CodeExecutorAgent("c", Results())


def test_a_function_that_approves_cannot_be_written_as_json() -> None:
    with pytest.raises(ComponentError, match="approval_func"):
        coder(Results()).dump_component()
