"""The statements that read and store carried rows; times are ms since the epoch, null where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from agentopic.ports.journal import Table

Isolation = Literal["read_committed", "repeatable_read"]

# Whole tables are read: the plans of the hot path would walk an index for each row.
PLANS = """
SET LOCAL plan_cache_mode = auto; SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on; SET LOCAL enable_bitmapscan = on; SET LOCAL statement_timeout = 0
"""
LIVING = "SELECT id, groups FROM process WHERE NOT dead AND NOT left_clean AND groups && $1::text[] ORDER BY id LIMIT 1"

DUMP: Mapping[Table, str] = {
    "agent": """
SELECT id, "group", version, snapshot, coalesce(snapshot_version, version) AS snapshot_version FROM agent
WHERE "group" = ANY ($1::text[]) OR "group" IS NULL ORDER BY id
""",
    "event": """
SELECT e.id, e.version, e.value FROM event e JOIN agent a ON a.id = e.id
WHERE a."group" = ANY ($1::text[]) AND e.version > a.snapshot_version ORDER BY e.id, e.version
""",
    "lane": """
SELECT id, "group", key, attempts, failures, crashes, paused,
    CASE WHEN isfinite(ready_at) THEN floor(extract(epoch FROM ready_at) * 1000)::bigint END AS ready_ms
FROM lane WHERE "group" = ANY ($1::text[]) ORDER BY id
""",
    "delivery": """
SELECT d.lane, d.pos, d.identity, d.head, d.body, d.request_id, coalesce(d.reply_topics, '{}') AS reply_topics,
    coalesce(d.reply_partitions, '{}') AS reply_partitions, d.deadline_ms, d.caller, d.cancelled
FROM delivery d JOIN lane l ON l.id = d.lane WHERE l."group" = ANY ($1::text[]) ORDER BY d.pos
""",
    "step": """
SELECT s.turn, s.key, s.ordinal, s.lane, s.kind, s.name, s.due_ms, s.note, s.result,
    (extract(epoch FROM s.intent_at) * 1000)::bigint AS intent_ms
FROM step s LEFT JOIN lane l ON l.id = s.lane LEFT JOIN delivery d ON d.lane = s.lane AND d.identity = s.turn
WHERE d.identity IS NULL OR l."group" = ANY ($1::text[]) ORDER BY s.ordinal
""",
    "seen": "SELECT identity, (extract(epoch FROM at) * 1000)::bigint AS at_ms FROM seen ORDER BY at",
    "answer": """
SELECT request_id, outcome, key, value, headers, (extract(epoch FROM keep_until) * 1000)::bigint AS keep_until_ms
FROM answer ORDER BY request_id
""",
    "outbox": """
SELECT o.id, o.lane, o.topic, o.partition, o.key, o.value, o.headers
FROM outbox o LEFT JOIN lane l ON l.id = o.lane
WHERE o.lane IS NULL OR l."group" = ANY ($1::text[]) ORDER BY o.id
""",
    "spend": """
SELECT scope, calls, saved, unknown, diverged, input_tokens, output_tokens, micros, unpriced FROM spend ORDER BY scope
""",
}

FRESH = """
INSERT INTO seen (identity, at) SELECT u.identity, now() FROM unnest($1::bytea[]) u(identity)
ON CONFLICT DO NOTHING RETURNING identity
"""
FORMER = """
INSERT INTO process (groups, address, left_clean, died_at) VALUES ('{}', '', true, clock_timestamp()) RETURNING id
"""

_COUNTED = "WITH stored AS ({}) SELECT count(*) FROM stored"

AGENT = _COUNTED.format("""
    INSERT INTO agent (id, "group", version, snapshot, snapshot_version)
    SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bytea[], $5::bigint[])
    ON CONFLICT DO NOTHING RETURNING 1
""")
EVENT = _COUNTED.format("""
    INSERT INTO event (id, version, value)
    SELECT u.* FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) u(id, version, value)
    JOIN agent a ON a.id = u.id AND u.version > coalesce(a.snapshot_version, a.version) AND u.version <= a.version
    ON CONFLICT DO NOTHING RETURNING 1
""")
LANE = _COUNTED.format("""
    INSERT INTO lane (id, "group", key, attempts, failures, crashes, ready_at, paused, done)
    SELECT u.id, u.grp, u.key, u.attempts, u.failures, u.crashes,
        coalesce(to_timestamp(u.ready_ms / 1000.0), 'infinity'), u.paused, p.last_value - 1
    FROM unnest($1::bytea[], $2::text[], $3::text[], $4::integer[], $5::integer[], $6::integer[], $7::bigint[],
        $8::boolean[]) u(id, grp, key, attempts, failures, crashes, ready_ms, paused), pos p
    ON CONFLICT DO NOTHING RETURNING 1
""")
DELIVERY = _COUNTED.format("""
    INSERT INTO delivery (
        pos, lane, identity, head, body, request_id, reply_topics, reply_partitions, deadline_ms, caller, cancelled
    )
    SELECT nextval('pos'), o.* FROM (
        SELECT u.lane, u.identity, u.head, u.body, u.request,
            CASE WHEN u.topics IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(u.topics::jsonb)) END,
            CASE WHEN u.partitions IS NOT NULL THEN ARRAY(
                SELECT p::integer FROM jsonb_array_elements_text(u.partitions::jsonb) p
            ) END,
            u.deadline, u.caller, u.cancelled
        FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::text[],
            $8::bigint[], $9::bytea[], $10::boolean[]) WITH ORDINALITY
            u(lane, identity, head, body, request, topics, partitions, deadline, caller, cancelled, ord)
        JOIN lane l ON l.id = u.lane ORDER BY u.ord
    ) o RETURNING 1
""")
STEP = _COUNTED.format("""
    INSERT INTO step (ordinal, token, turn, key, lane, kind, name, intent_at, due_ms, note, result)
    SELECT nextval('pos'), 0, o.* FROM (
        SELECT u.turn, u.key, u.lane, u.kind, u.name, to_timestamp(u.intent_ms / 1000.0), u.due, u.note, u.result
        FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
            $8::bytea[], $9::bytea[]) WITH ORDINALITY
            u(turn, key, lane, kind, name, intent_ms, due, note, result, ord)
        WHERE NOT EXISTS (SELECT FROM seen s WHERE s.identity = u.turn)
            OR EXISTS (SELECT FROM delivery d WHERE d.lane = u.lane AND d.identity = u.turn)
        ORDER BY u.ord
    ) o ON CONFLICT DO NOTHING RETURNING 1
""")
SEEN = _COUNTED.format("""
    INSERT INTO seen (identity, at)
    SELECT u.identity, to_timestamp(u.at_ms / 1000.0) FROM unnest($1::bytea[], $2::bigint[]) u(identity, at_ms)
    ON CONFLICT DO NOTHING RETURNING 1
""")
ANSWER = _COUNTED.format("""
    INSERT INTO answer (request_id, outcome, key, value, headers, keep_until)
    SELECT u.request, u.outcome, u.key, u.value, u.headers, to_timestamp(u.keep_ms / 1000.0)
    FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bigint[])
        u(request, outcome, key, value, headers, keep_ms)
    ON CONFLICT DO NOTHING RETURNING 1
""")
LANE_ROW = _COUNTED.format("""
    INSERT INTO outbox (id, lane, topic, partition, key, value, headers)
    SELECT nextval('pos'), o.* FROM (
        SELECT u.lane, u.topic, u.partition, u.key, u.value, u.headers
        FROM unnest($1::bytea[], $2::text[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[]) WITH ORDINALITY
            u(lane, topic, partition, key, value, headers, ord)
        JOIN lane l ON l.id = u.lane ORDER BY u.ord
    ) o RETURNING lane
), counted AS (
    UPDATE lane l SET unsent = l.unsent + g.rows
    FROM (SELECT s.lane, count(*)::integer AS rows FROM stored s GROUP BY s.lane) g WHERE l.id = g.lane
""")
PROCESS_ROW = _COUNTED.format("""
    INSERT INTO outbox (id, process, topic, partition, key, value, headers)
    SELECT nextval('pos'), o.* FROM (
        SELECT u.process, u.topic, u.partition, u.key, u.value, u.headers
        FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[]) WITH ORDINALITY
            u(process, topic, partition, key, value, headers, ord) ORDER BY u.ord
    ) o RETURNING 1
""")
SPEND = _COUNTED.format("""
    INSERT INTO spend (
        scope, calls, saved, unknown, diverged, input_tokens, output_tokens, micros, unpriced, at
    )
    SELECT u.*, now() FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::bigint[]) u
    ON CONFLICT DO NOTHING RETURNING 1
""")
