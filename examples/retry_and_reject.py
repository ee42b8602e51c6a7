"""How a handler says what its failure means: try again later, give up now, or nothing (and the policy decides).

python retry_and_reject.py
agentopic tail --raw agentopic.dead.clerk --from-beginning        # the orders that were given up, as they came
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from agentopic import AgentService, DurableRuntime, Reject, RetryLater, RetryPolicy, payload
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event


@payload("shop.Order.v1")
@dataclass
class Order:
    item: str


attempts = Counter[str]()


class Clerk(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("takes orders")

    @event
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        attempts[message.item] += 1
        print(f"{message.item}: attempt {attempts[message.item]}")
        match message.item:
            case "tea" if attempts["tea"] < 3:
                raise RetryLater("the kettle is on", delay_seconds=0.1)  # counts as a failure, waits as long as it says
            case "gold":
                raise Reject("we do not sell gold")  # no second attempt: straight to the dead letters
            case "soup":
                raise ValueError("the soup is off")  # anything else: by the policy, with growing pauses
            case _:
                print(f"{message.item}: served")


app = AgentService(
    "clerk",
    Clerk,
    subscriptions=[TypeSubscription("orders", "clerk")],
    retry=RetryPolicy(max_failures=3, initial_seconds=0.05),
    stateless=True,
)


async def main() -> None:
    runtime = DurableRuntime()
    await app.register(runtime)
    await runtime.start()
    for item in ("tea", "gold", "soup", "cake"):  # each is an agent of its own: nobody waits for the tea
        await runtime.publish_message(Order(item), TopicId("orders", item))
    await runtime.stop_when_idle()


if __name__ == "__main__":
    asyncio.run(main())
