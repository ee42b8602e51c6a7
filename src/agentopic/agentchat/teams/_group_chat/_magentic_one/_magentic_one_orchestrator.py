"""`MagenticOneOrchestrator`: plans, hands out work, and plans anew where that leads nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage, TextMessage
from agentopic.agentchat.state import BaseGroupChatManagerState, MagenticOneOrchestratorState
from agentopic.agentchat.teams._group_chat._base_group_chat_manager import BaseGroupChatManager
from agentopic.agentchat.teams._group_chat._carried import Carried
from agentopic.agentchat.teams._group_chat._events import (
    GroupChatAgentResponse,
    GroupChatReset,
    GroupChatStart,
    GroupChatTeamResponse,
)
from agentopic.agentchat.teams._group_chat._magentic_one import _prompts as prompts
from agentopic.agentchat.teams._group_chat._magentic_one._progress_ledger import ask_progress
from agentopic.agentchat.utils import remove_images
from agentopic.core import AgentId, CancellationToken
from agentopic.core.models import AssistantMessage, ChatCompletionClient, LLMMessage, UserMessage
from agentopic.errors import ModelError


class MagenticOneOrchestrator(BaseGroupChatManager):
    """Collects facts and makes a plan; then asks after each answer where the work stands and who goes on.

    After `max_stalls` rounds without progress, facts and plan are made anew and everybody forgets the rest. When the
    request is fulfilled, or after `max_turns` rounds, the model gives the final answer.
    """

    state_class = MagenticOneOrchestratorState

    def __init__(
        self, *, model_client: ChatCompletionClient, max_stalls: int, final_answer_prompt: str, **setup: Any
    ) -> None:
        super().__init__(**setup)
        self._model_client = model_client
        self._max_stalls = max_stalls
        self._final_answer_prompt = final_answer_prompt
        self._work = MagenticOneOrchestratorState()
        described = zip(self._participant_names, self._participant_descriptions, strict=True)
        self._team = "\n".join(f"{name}: {' '.join(text.split())}" for name, text in described)

    async def validate_group_state(self, messages: list[BaseChatMessage] | None) -> None:
        """Refuse a run without a task; ValueError."""
        if not messages:
            raise ValueError("a Magentic-One team needs a task")

    async def select_speaker(self, thread: Sequence[BaseAgentEvent | BaseChatMessage]) -> list[str] | str:
        """Not used: the choice of a speaker comes with its instruction."""
        return []

    async def reset(self) -> None:
        """Forget task, facts and plan."""
        self._work = MagenticOneOrchestratorState()

    async def begin_run(self, start: GroupChatStart, messages: list[BaseChatMessage], token: CancellationToken) -> None:
        """Collect facts, make a plan, and begin with it."""
        await self.validate_group_state(messages)
        for message in messages if start.output_task_messages else ():
            await self._output_message_queue.put(message)
        work = self._work
        work.task = " ".join(message.to_model_text() for message in messages)
        work.n_stalls = 0
        conversation = [self._user(prompts.FACTS, task=work.task)]
        work.facts = await self._ask(conversation, token)
        conversation += [self._assistant(work.facts), self._user(prompts.PLAN, team=self._team)]
        work.plan = await self._ask(conversation, token)
        await self._begin_with_plan(token)

    async def hear(self, message: GroupChatAgentResponse | GroupChatTeamResponse, token: CancellationToken) -> None:
        """Take the answer into the conversation, and go on."""
        delta = self.said(message)[-1:]  # what happened inside of an agent is not for the orchestrator's model
        await self.update_message_thread(delta)
        self._progress.active_speakers.remove(message.name)
        stop = await self._asked_condition(delta)
        if stop is not None:
            await self.stop(stop)
        elif not self._progress.active_speakers:
            await self._orchestrate(token)

    def selection_state(self) -> Mapping[str, Any]:
        return self._work.model_dump(include={"task", "facts", "plan", "n_rounds", "n_stalls"})

    async def load_selection_state(self, state: BaseGroupChatManagerState, saved: Mapping[str, Any]) -> None:
        self._work = MagenticOneOrchestratorState.model_validate({**saved, "message_thread": []})

    # ── the work ───────────────────────────────────────────────────────────────────────────────────────────

    async def _begin_with_plan(self, token: CancellationToken) -> None:
        for agent_type in self._participant_name_to_topic_type.values():
            await self.send_message(GroupChatReset(), AgentId(agent_type, self.id.key), cancellation_token=token)
        self._thread.clear()
        work = self._work
        await self._say(
            prompts.TASK_LEDGER.format(task=work.task, team=self._team, facts=work.facts, plan=work.plan), token
        )
        await self._orchestrate(token)

    async def _orchestrate(self, token: CancellationToken) -> None:
        work = self._work
        if self._max_turns is not None and work.n_rounds > self._max_turns:
            await self._answer_finally("Max rounds reached.", token)
            return
        work.n_rounds += 1
        names = ", ".join(self._participant_names)
        question = self._user(prompts.PROGRESS, task=work.task, team=self._team, names=names)
        ledger = await ask_progress(
            self._model_client, [*self._conversation(), question], self._participant_names, token
        )
        if ledger.is_request_satisfied.answer:
            await self._answer_finally(ledger.is_request_satisfied.reason, token)
            return
        is_stalled = ledger.is_in_loop.answer or not ledger.is_progress_being_made.answer
        work.n_stalls = work.n_stalls + 1 if is_stalled else max(0, work.n_stalls - 1)
        if work.n_stalls >= self._max_stalls:
            await self._plan_anew(token)
            return
        await self._say(ledger.instruction_or_question.answer, token)
        await self.request([ledger.next_speaker.answer], token)

    async def _plan_anew(self, token: CancellationToken) -> None:
        work = self._work
        conversation = [*self._conversation(), self._user(prompts.FACTS_UPDATE, task=work.task, facts=work.facts)]
        work.facts = await self._ask(conversation, token)
        conversation += [self._assistant(work.facts), self._user(prompts.PLAN_UPDATE, team=self._team)]
        work.plan = await self._ask(conversation, token)
        await self._begin_with_plan(token)

    async def _answer_finally(self, reason: str, token: CancellationToken) -> None:
        question = self._final_answer_prompt.replace("{task}", self._work.task)
        asked = UserMessage(content=question, source=self._name)
        await self._say(await self._ask([*self._conversation(), asked], token), token)
        await self.stop(StopMessage(content=reason, source=self._name))

    async def _say(self, text: str, token: CancellationToken) -> None:
        message = TextMessage(content=text, source=self._name)
        await self.update_message_thread([message])
        await self._output_message_queue.put(message)
        told = GroupChatAgentResponse(run=self._progress.run, name=self._name, chat_message=Carried(message))
        await self.tell_group(told, token)

    # ── its model ──────────────────────────────────────────────────────────────────────────────────────────

    async def _ask(self, conversation: Sequence[LLMMessage], token: CancellationToken) -> str:
        answer = await self._model_client.create(self._seen(conversation), cancellation_token=token)
        if not isinstance(answer.content, str):
            raise ModelError(f"the orchestrator's model answered with tool calls: {answer.content}")
        return answer.content

    def _conversation(self) -> list[LLMMessage]:
        said = (message for message in self._thread.messages if isinstance(message, BaseChatMessage))
        return self._seen(
            [
                self._assistant(message.to_model_text()) if message.source == self._name else message.to_model_message()
                for message in said
            ]
        )

    def _seen(self, conversation: Sequence[LLMMessage]) -> list[LLMMessage]:
        return [*conversation] if self._model_client.model_info["vision"] else remove_images(conversation)

    def _user(self, prompt: str, **fields: str) -> LLMMessage:
        return UserMessage(content=prompt.format(**fields), source=self._name)

    def _assistant(self, text: str) -> LLMMessage:
        return AssistantMessage(content=text, source=self._name)
