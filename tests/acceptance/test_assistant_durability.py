"""An AssistantAgent inside a service: its process dies anywhere, and nothing that was recorded is called again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from agentopic.agentchat.agents import AssistantAgent
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.testing.scripted_model import ScriptedModel, read_calls

from .dying_journal import Death, bury_the_dead, end_life
from .sales_desk import Bench, SalesModel, Shop

STEPS = (("ask", 1), ("look_up", 1), ("charge", 1), ("ask", 2))
STORED = [
    Death(when=when, stores=what, step=step, nth=nth)
    for step, nth in STEPS
    for what in ("intent", "result")
    for when in ("before", "after")
]
COMMITTED = [Death(when="before", stores="commit"), Death(when="after", stores="commit")]
UNKNOWN = "The outcome of this call is unknown"


@pytest.fixture(params=["memory-plain", "memory-streamed", "memory-workbench", "sqlite-streamed"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path, ns: str) -> AsyncIterator[Bench]:
    store, mode = request.param.split("-")
    url = f"memory://{ns}" if store == "memory" else f"sqlite:///{tmp_path}/mesh.db"
    async with ScriptedModel(SalesModel(), tmp_path / "calls.jsonl") as model, AsyncExitStack() as stack:
        bench = Bench(url, ns, model, stack, mode)
        await bench.start()
        yield bench


@pytest.mark.parametrize("death", [*STORED, *COMMITTED], ids=str)
async def test_a_second_life_ends_what_the_first_began(bench: Bench, tmp_path: Path, death: Death) -> None:
    runtime, journal, seen = await bench.life(death)
    await bench.order()
    await asyncio.wait_for(journal.dead.wait(), 10)
    await end_life(runtime)
    asked, done = len(read_calls(tmp_path / "calls.jsonl")), bench.shop.done.copy()
    left = await bench.left_behind(journal.turn or b"")
    await bury_the_dead(bench.journal)

    second, after, seen_again = await bench.life()
    await second.stop_when_idle()

    recorded = {name for name, has_result in left.items() if has_result}
    asks = sum(name.startswith("ask") for name in recorded)
    ended = death == COMMITTED[1]
    assert len(read_calls(tmp_path / "calls.jsonl")) - asked == (0 if ended else 2 - asks)
    assert bench.shop.done["charge"] == (0 if left.get("charge1") is False and not done["charge"] else 1)
    if "look_up1" in recorded:
        assert bench.shop.done["look_up"] == done["look_up"]
    (messages,) = await bench.said()
    told = messages[-1]["content"]
    unrepeatable = ("charge1", "look_up1") if bench.mode == "workbench" else ("charge1",)
    assert (UNKNOWN in told) is any(left.get(name) is False for name in unrepeatable)
    if not ended:
        assert seen_again[: len(seen)] == seen
        assert messages == seen_again
        assert journal.decided in ([], after.decided)


class FailingShop(Shop):
    """Cannot be reached, and says so in more than one way."""

    async def look_up(self, item: str) -> str:
        """Look something up."""
        self.done["look_up"] += 1
        raise ConnectionError("the shop is closed")

    async def charge(self, cents: int) -> str:
        """Charge somebody."""
        self.done["charge"] += 1
        raise ExceptionGroup("both", [ValueError("no card"), RuntimeError()])


class AskingShop(Shop):
    """Has an agent of its own behind a tool, as AutoGen programs do."""

    async def charge(self, cents: int) -> str:
        """Charge somebody."""
        cashier = AssistantAgent("cashier", ReplayChatCompletionClient(["paid"]))
        result = await cashier.run(task=f"take {cents}")
        return f"{await super().charge(cents)}: {result.messages[-1].to_text()}"


@pytest.mark.parametrize("shop", [FailingShop, AskingShop])
async def test_what_the_model_was_told_is_told_again_and_asked_once(
    bench: Bench, tmp_path: Path, shop: type[Shop]
) -> None:
    bench.shop = shop()
    runtime, journal, seen = await bench.life(COMMITTED[0])
    await bench.order()
    await asyncio.wait_for(journal.dead.wait(), 10)
    await end_life(runtime)
    await bury_the_dead(bench.journal)

    second, after, seen_again = await bench.life()
    await second.stop_when_idle()

    assert bench.shop.done == {"look_up": 1, "charge": 1}
    assert len(read_calls(tmp_path / "calls.jsonl")) == 2
    assert seen_again == seen
    assert after.decided == journal.decided


async def test_the_conversation_goes_on_in_another_life(bench: Bench, tmp_path: Path) -> None:
    first, *_ = await bench.life()
    await bench.order("a lamp, please")
    await first.stop_when_idle()

    second, _, seen = await bench.life()
    await bench.order("and another")
    await second.stop_when_idle()

    assert [len(messages) for messages in await bench.said()] == [5, 5]
    assert seen[-1]["content"].count("receipt") == 2
