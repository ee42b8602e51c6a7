"""The example of the README does what the README says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentopic.core import (
    ClosureAgent,
    ClosureContext,
    MessageContext,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
)

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def shop() -> Iterator[Any]:
    block = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert block is not None
    module = ModuleType("shop")
    sys.modules["shop"] = module
    exec(compile(block.group(1), str(README), "exec"), vars(module))
    yield module
    del sys.modules["shop"]


async def test_the_first_service_answers_an_order_with_a_checked_order(shop: Any) -> None:
    runtime = SingleThreadedAgentRuntime()
    await shop.app.register(runtime)
    checked = list[Any]()

    async def subscriber(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
        checked.append(message)

    subscriber.__annotations__["message"] = shop.OrderChecked
    await ClosureAgent.register_closure(
        runtime, "subscriber", subscriber, subscriptions=lambda: [TypeSubscription("checked", "subscriber")]
    )
    runtime.start()

    await runtime.publish_message(shop.OrderPlaced(order="7", amount=20_000), TopicId("orders", "7"))
    await runtime.stop_when_idle()
    await runtime.close()

    assert checked == [shop.OrderChecked(order="7", suspicious=True)]
