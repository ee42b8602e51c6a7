"""The bare loop: consume, one transaction that stores, one that finishes, produce; it promises nothing else.

The same bytes and as many rows as a turn of the engine: the delivery, its identity, the outgoing record.
`python -m benchmarks._bare_load <bootstrap> <dsn> <topic> <out topic> <turns>`
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agentopic.adapters.journal.postgres.headers import pack_headers
from benchmarks._shape import PARTITIONS

SCHEMA = """
CREATE TABLE bare_in (lane bytea, pos bigserial, identity bytea, head bytea, body bytea, PRIMARY KEY (lane, pos));
CREATE TABLE bare_seen (identity bytea PRIMARY KEY);
CREATE TABLE bare_out (id bigserial PRIMARY KEY, lane bytea, topic text, key bytea, value bytea, headers bytea);
CREATE TABLE bare_mark (topic text, partition int, next bigint, PRIMARY KEY (topic, partition));
"""
IN = """
INSERT INTO bare_in (lane, identity, head, body)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[]) RETURNING lane, pos, head, body
"""
SEEN = "INSERT INTO bare_seen SELECT * FROM unnest($1::bytea[]) ON CONFLICT DO NOTHING"
MARK = """
INSERT INTO bare_mark SELECT $1, * FROM unnest($2::int[], $3::bigint[])
ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next
"""
DONE = "DELETE FROM bare_in d USING unnest($1::bytea[], $2::bigint[]) t(l, p) WHERE d.lane = t.l AND d.pos = t.p"
OUT = """
INSERT INTO bare_out (lane, topic, key, value, headers)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[]) RETURNING id
"""
SENT = "DELETE FROM bare_out WHERE id = ANY ($1)"


async def main(bootstrap: str, dsn: str, topic: str, out: str, turns: int) -> dict[str, float]:
    """Return turns per second and CPU per turn, from the first fetch to the last acknowledgement."""
    database = await asyncpg.connect(dsn)
    await database.execute(SCHEMA)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none")
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type="zstd")
    await producer.start()
    await consumer.start()
    parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(parts)
    for part in parts:
        consumer.seek(part, 0)
    done, sent = 0, []
    began, used = time.perf_counter(), time.process_time()
    while done < turns:
        fetched = await consumer.getmany(timeout_ms=1000, max_records=500)
        if fetched:
            done += sum(len(records) for records in fetched.values())
            sent = await _turns(database, producer, out, fetched, sent)
    seconds, used = time.perf_counter() - began, time.process_time() - used
    await consumer.stop()
    await producer.stop()
    await database.close()
    return {"per_second": done / seconds, "cpu_us": used / done * 1e6}


async def _turns(
    database: Any, producer: AIOKafkaProducer, out: str, fetched: Any, sent: Sequence[int]
) -> Sequence[int]:
    records = [record for some in fetched.values() for record in some]
    marks = {part.partition: some[-1].offset + 1 for part, some in fetched.items()}
    lanes = [blake2b(record.key, digest_size=16).digest() for record in records]
    heads = [pack_headers(record.headers) for record in records]
    identities = [blake2b(record.key + record.value, digest_size=16).digest() for record in records]
    async with database.transaction():
        await database.execute(MARK, records[0].topic, list(marks), list(marks.values()))
        await database.execute(SEEN, identities)
        stored = await database.fetch(IN, lanes, identities, heads, [record.value for record in records])
    async with database.transaction():
        await database.execute(DONE, [row["lane"] for row in stored], [row["pos"] for row in stored])
        rows = await database.fetch(
            OUT,
            lanes,
            [out] * len(records),
            [record.key for record in records],
            [record.value for record in records],
            heads,
        )
        await database.execute(SENT, sent)
    futures = [
        await producer.send(out, record.value, key=record.key, headers=list(record.headers)) for record in records
    ]
    await asyncio.gather(*futures)
    return [row["id"] for row in rows]


if __name__ == "__main__":
    json.dump(asyncio.run(main(*sys.argv[1:5], int(sys.argv[5]))), sys.stdout)
