"""The letter desk: sends dead letters again or sets them aside, and notes who had it done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentopic.engine.letters import DeadLetter
from agentopic.engine.redrive import RedrivePlan, redriven_record
from agentopic.engine.settlements import Settlement, settlement_record
from agentopic.envelope.kafka_topics import dead_letters
from agentopic.errors import AgentopicError, RedriveError
from agentopic.ports.clock import Clock
from agentopic.ports.transport import OutgoingRecord, Record, Sent, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """On whose behalf letters are dealt with, and why."""

    actor: str
    why: str | None = None


class LetterDesk:
    """Settles letters of one namespace.

    What it sends again carries an identity made from the letter, so that a redrive that was killed half-way can
    simply be repeated: an agent takes each identity once. The note follows the sending; a letter sent and not
    noted is open, and redriving it again changes nothing.
    """

    def __init__(self, transport: Transport, clock: Clock, *, namespace: str, errand: Errand, max_bytes: int) -> None:
        self._transport, self._clock = transport, clock
        self._namespace, self._errand, self._max_bytes = namespace, errand, max_bytes

    async def redrive(
        self, letters: Sequence[tuple[RedrivePlan, Record]], *, partitions: int, fresh: bool = False
    ) -> Sequence[AgentopicError | None]:
        """Send letters again, given with their records, and return for each the error that prevented it.

        `partitions` is the number of partitions of the agent type's request topic. Letters keep their order. With
        `fresh` the steps recorded so far are not used again.
        """
        now = self._clock.now()
        outcomes: list[AgentopicError | None] = []
        records: list[OutgoingRecord] = []
        for plan, record in letters:
            try:
                records.append(
                    redriven_record(
                        record, plan, partitions=partitions, fresh=fresh, now=now, max_bytes=self._max_bytes
                    )
                )
                outcomes.append(None)
            except RedriveError as exc:
                outcomes.append(exc)
        sent = iter(await self._transport.send(records) if records else ())
        for index, outcome in enumerate(outcomes):
            if outcome is None:
                result = next(sent)
                outcomes[index] = None if isinstance(result, Sent) else result
        done = [
            (plan.letter, record, self._redriven(plan, fresh=fresh))
            for (plan, record), outcome in zip(letters, outcomes, strict=True)
            if outcome is None
        ]
        notes = iter(await self._note(done))
        return [next(notes) if outcome is None else outcome for outcome in outcomes]

    async def discard(self, letters: Sequence[tuple[DeadLetter, Record]]) -> Sequence[AgentopicError | None]:
        """Note that nothing more is to be done about letters; they stay in the log."""
        return await self._note([(letter, record, self._settlement(letter)) for letter, record in letters])

    async def _note(self, done: Sequence[tuple[DeadLetter, Record, Settlement]]) -> Sequence[AgentopicError | None]:
        if not done:
            return []
        notes = [
            settlement_record(
                settlement,
                topic=dead_letters(self._namespace, letter.agent_type),
                key=record.key,
                namespace=self._namespace,
                now=settlement.time,
            )
            for letter, record, settlement in done
        ]
        results = await self._transport.send(notes)
        return [None if isinstance(result, Sent) else result for result in results]

    def _redriven(self, plan: RedrivePlan, *, fresh: bool) -> Settlement:
        return self._settlement(plan.letter).model_copy(
            update={"action": "redriven", "redrive": plan.number, "fresh": fresh}
        )

    def _settlement(self, letter: DeadLetter) -> Settlement:
        return Settlement(
            partition=letter.partition,
            offset=letter.offset,
            action="discarded",
            actor=self._errand.actor,
            why=self._errand.why,
            time=self._clock.now(),
        )
