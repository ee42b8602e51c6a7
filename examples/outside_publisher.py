"""Publish a task event as another team would: plain aiokafka, nothing of agentopic.

python outside_publisher.py localhost:9092 agentopic.topic.orders ann '{"order": "7", "amount": 20000}'
"""

import asyncio
import sys
import uuid
from typing import Any

from aiokafka import AIOKafkaProducer


async def publish(brokers: str, kafka_topic: str, subject: str, data: str) -> None:
    event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/shop/web", "type": "shop.OrderPlaced.v1"}
    headers = [(f"ce_{name}", value.encode()) for name, value in {**event, "subject": subject}.items()]
    headers.append(("content-type", b"application/json"))
    producer: Any = AIOKafkaProducer(bootstrap_servers=brokers, acks="all")
    async with producer:
        await producer.send_and_wait(kafka_topic, data.encode(), key=subject.encode(), headers=headers)


asyncio.run(publish(*sys.argv[1:]))
