"""Read what agents publish as another team would: plain aiokafka, nothing of agentopic.

python outside_subscriber.py localhost:9092 agentopic.topic.checked audit
"""

import asyncio
import json
import sys
from typing import Any

from aiokafka import AIOKafkaConsumer


async def subscribe(brokers: str, kafka_topic: str, group: str) -> None:
    consumer: Any = AIOKafkaConsumer(
        kafka_topic, bootstrap_servers=brokers, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False
    )
    async with consumer:
        async for record in consumer:
            event = {name.removeprefix("ce_"): value.decode() for name, value in record.headers}
            event["data"] = json.loads(record.value)
            print(json.dumps(event), flush=True)  # handle it here; (source, id) tells a repeat from something new
            await consumer.commit()


asyncio.run(subscribe(*sys.argv[1:]))
