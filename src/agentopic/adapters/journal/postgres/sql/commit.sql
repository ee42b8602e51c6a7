-- Commit: turns finish or are put off, acknowledged rows go, lanes go on or are given up.
-- Modes of a turn: 1 put off (without delay: until it is woken), 2 counts as a failure, 4 hand the lane back,
-- 8 keep the steps (of a dead letter); no modes at all are zeros.
-- A free lane that is paused is never ready, unless an earlier holder left rows in it; resuming makes it ready.

CREATE FUNCTION lost_turns(
    me bigint, lanes bytea[], tokens bigint[], positions bigint[],
    state_turns integer[], state_lanes bytea[], state_expected bigint[]
) RETURNS integer[] LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(array_agg(DISTINCT gone.turn::integer), '{}') FROM (
        SELECT t.turn FROM unnest(lanes, tokens, positions) WITH ORDINALITY t(lane, token, pos, turn)
        LEFT JOIN lane l ON l.id = t.lane AND l.owner = me AND l.token = t.token AND l.running = t.pos
        WHERE l.id IS NULL
        UNION ALL
        SELECT s.turn FROM unnest(state_turns, state_lanes, state_expected) s(turn, lane, expected)
        LEFT JOIN agent a ON a.id = s.lane
        WHERE coalesce(a.version, 0) <> s.expected
    ) gone
$$;

CREATE FUNCTION settle_lanes(
    me bigint, lanes bytea[], positions bigint[], modes integer[], delays float8[], lost integer[],
    gained bytea[], touched bytea[], freed bytea[]
) RETURNS SETOF effect LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    moment_ms bigint := now_ms();
BEGIN
    RETURN QUERY
    WITH change AS (
        SELECT c.lane, max(c.pos) AS pos, max(c.mode) AS mode, max(c.delay) AS delay, sum(c.rows)::integer AS rows
        FROM (
            SELECT t.lane, t.pos, t.mode, t.delay, 0 AS rows
            FROM unnest(lanes, positions, modes, delays) WITH ORDINALITY t(lane, pos, mode, delay, turn)
            WHERE t.turn <> ALL (lost)
            UNION ALL SELECT g.lane, NULL, NULL, NULL, 1 FROM unnest(gained) g(lane)
            UNION ALL SELECT s.lane, NULL, NULL, NULL, 0 FROM unnest(touched) s(lane)
            UNION ALL SELECT f.lane, NULL, NULL, NULL, -1 FROM unnest(freed) f(lane)
        ) c GROUP BY c.lane
    ), plan AS MATERIALIZED (
        SELECT l.id, c.pos, c.mode, l.unsent + c.rows AS unsent, n.pos AS next, n.identity, n.head, n.body,
            n.deadline_ms, n.cancelled, l.paused,
            CASE
                WHEN c.mode & 1 = 1 AND n.cancelled THEN moment
                WHEN c.mode & 1 = 1 THEN coalesce(moment + make_interval(secs => c.delay), 'infinity')
                WHEN c.mode & 4 = 4 THEN moment
                ELSE l.ready_at
            END AS ready_at,
            coalesce(c.mode & 5 = 0 AND n.pos IS NOT NULL AND NOT l.paused, false) AS goes_on,
            c.mode IS NULL AND l.running IS NOT NULL AS runs,
            l.owner IS NULL OR (l.owner = me AND l.unsent + c.rows = 0) AS free
        FROM change c JOIN lane l ON l.id = c.lane
        LEFT JOIN LATERAL (
            SELECT d.pos, d.identity, d.head, d.body, d.deadline_ms, d.cancelled FROM delivery d
            WHERE d.lane = l.id AND d.pos > CASE WHEN c.mode & 1 = 0 THEN c.pos ELSE l.done END
            ORDER BY d.pos LIMIT 1
        ) n ON true
    ), dropped AS (
        DELETE FROM lane l USING plan p
        WHERE l.id = p.id AND NOT p.goes_on AND NOT p.runs AND p.free AND p.next IS NULL AND p.unsent = 0
            AND NOT p.paused
    ), kept AS (
        UPDATE lane l SET
            unsent = p.unsent,
            done = CASE WHEN p.mode & 1 = 0 THEN p.pos ELSE l.done END,
            running = CASE WHEN p.goes_on THEN p.next WHEN p.runs THEN l.running END,
            moved = p.goes_on OR l.moved,
            attempts = CASE WHEN p.goes_on THEN 1 WHEN p.mode & 1 = 0 THEN 0 ELSE l.attempts END,
            failures = CASE
                WHEN p.mode & 1 = 0 THEN 0 WHEN p.mode & 2 = 2 THEN l.failures + 1 ELSE l.failures END,
            crashes = CASE WHEN p.mode & 1 = 0 THEN 0 ELSE l.crashes END,
            owner = CASE WHEN p.goes_on OR p.runs OR NOT p.free THEN l.owner END,
            token = CASE WHEN p.goes_on OR p.runs OR NOT p.free THEN l.token END,
            ready_at = CASE
                WHEN p.goes_on OR p.runs OR NOT p.free THEN p.ready_at
                WHEN p.paused AND p.unsent = 0 THEN 'infinity'
                ELSE greatest(p.ready_at, moment)
            END
        FROM plan p
        WHERE l.id = p.id
            AND (p.goes_on OR p.runs OR NOT p.free OR p.next IS NOT NULL OR p.unsent > 0 OR p.paused)
        RETURNING l.id, l."group", l.key, l.token, p.next, p.identity, p.head, p.body, p.deadline_ms, p.cancelled,
            p.goes_on
    )
    SELECT k.id, k."group", k.key, k.token, k.next, k.identity, k.head, k.body, 1, 0, 0,
        coalesce((SELECT a.version FROM agent a WHERE a.id = k.id), 0), 0,
        flags_of(k.deadline_ms, k.cancelled, moment_ms), NULL::summary
    FROM kept k WHERE k.goes_on;
END $$;

CREATE FUNCTION commit_turns(
    me bigint,
    lanes bytea[], tokens bigint[], positions bigint[], modes integer[], delays float8[],
    await_turns integer[], await_identities bytea[], await_steps bytea[], asked integer[],
    state_turns integer[], state_lanes bytea[], state_expected bigint[], state_versions bigint[],
    state_snapshots bytea[], event_turns integer[], event_versions bigint[], event_values bytea[],
    row_turns integer[], row_topics text[], row_partitions integer[], row_keys bytea[],
    row_values bytea[], row_headers bytea[],
    answer_turns integer[], answer_requests text[], answer_outcomes text[], answer_keys bytea[], answer_values bytea[],
    answer_headers bytea[], answer_keeps float8[],
    sent bigint[], sent_lanes bytea[]
) RETURNS SETOF effect LANGUAGE plpgsql AS $$
DECLARE
    lost integer[];
    gained bytea[] := '{}';
    freed bytea[] := '{}';
    ready_turn integer;
    told summary;
    whole effect;
BEGIN
    PERFORM alive(me);
    IF cardinality(modes) = 0 THEN
        modes := array_fill(0, ARRAY[cardinality(lanes)]);
    END IF;
    PERFORM FROM lane WHERE id = ANY (lanes || sent_lanes) ORDER BY id FOR UPDATE;
    lost := lost_turns(me, lanes, tokens, positions, state_turns, state_lanes, state_expected);
    told.refused := lost;

    IF cardinality(state_turns) > 0 THEN
        INSERT INTO agent (id, "group", version, snapshot, snapshot_version)
            SELECT s.lane, l."group", s.version, s.snapshot, CASE WHEN s.snapshot IS NULL THEN 0 ELSE s.version END
            FROM unnest(state_turns, state_lanes, state_versions, state_snapshots) s(turn, lane, version, snapshot)
            JOIN lane l ON l.id = s.lane
            WHERE s.turn <> ALL (lost)
            ON CONFLICT (id) DO UPDATE SET "group" = excluded."group", version = excluded.version,
                snapshot = coalesce(excluded.snapshot, agent.snapshot),
                snapshot_version = CASE WHEN excluded.snapshot IS NULL
                    THEN coalesce(agent.snapshot_version, agent.version) ELSE excluded.version END;
        IF EXISTS (SELECT FROM event) THEN
            DELETE FROM event e
                USING unnest(state_turns, state_lanes, state_versions, state_snapshots) s(turn, lane, version, snapshot)
                WHERE e.id = s.lane AND e.version <= s.version AND s.snapshot IS NOT NULL AND s.turn <> ALL (lost);
        END IF;
        IF cardinality(event_turns) > 0 THEN
            INSERT INTO event (id, version, value)
                SELECT lanes[e.turn], e.version, e.value
                FROM unnest(event_turns, event_versions, event_values) e(turn, version, value)
                WHERE e.turn <> ALL (lost);
        END IF;
    END IF;
    IF cardinality(asked) > 0 THEN
        DELETE FROM wait w USING unnest(asked) a(turn) WHERE w.caller = lanes[a.turn] AND a.turn <> ALL (lost);
    END IF;
    IF cardinality(await_turns) > 0 THEN
        FOREACH ready_turn IN ARRAY ARRAY(
            SELECT DISTINCT a.turn FROM unnest(await_turns, await_identities, await_steps) a(turn, identity, key)
            JOIN step s ON s.turn = a.identity AND s.key = a.key AND s.result IS NOT NULL
        ) LOOP
            delays[ready_turn] := 0;
        END LOOP;
    END IF;
    IF cardinality(row_turns) > 0 THEN
        WITH stored AS (
            INSERT INTO outbox (id, lane, topic, partition, key, value, headers)
            SELECT nextval('pos'), lanes[r.turn], r.topic, r.partition, r.key, r.value, r.headers
            FROM unnest(row_turns, row_topics, row_partitions, row_keys, row_values, row_headers)
                r(turn, topic, partition, key, value, headers)
            WHERE r.turn <> ALL (lost)
            RETURNING id, lane
        ) SELECT array_agg(id ORDER BY id), coalesce(array_agg(lane), '{}') INTO told.rows, gained FROM stored;
    END IF;
    IF cardinality(answer_turns) > 0 THEN
        INSERT INTO answer (request_id, outcome, key, value, headers, keep_until)
            SELECT DISTINCT ON (a.request) a.request, a.outcome, a.key, a.value, a.headers,
                clock_timestamp() + make_interval(secs => a.keep)
            FROM unnest(answer_turns, answer_requests, answer_outcomes, answer_keys, answer_values, answer_headers,
                answer_keeps) a(turn, request, outcome, key, value, headers, keep)
            WHERE a.turn <> ALL (lost) ORDER BY a.request, a.turn DESC
            ON CONFLICT (request_id) DO UPDATE SET outcome = excluded.outcome, key = excluded.key,
                value = excluded.value, headers = excluded.headers, keep_until = excluded.keep_until;
        WITH address AS MATERIALIZED (
            SELECT nextval('pos') AS id, a.turn, r.topic, r.partition, a.key, a.value, a.headers
            FROM unnest(answer_turns, answer_keys, answer_values, answer_headers) a(turn, key, value, headers)
            JOIN delivery d ON d.lane = lanes[a.turn] AND d.pos = positions[a.turn]
            CROSS JOIN LATERAL unnest(d.reply_topics, d.reply_partitions) r(topic, partition)
            WHERE a.turn <> ALL (lost)
        ), stored AS (
            INSERT INTO outbox (id, process, topic, partition, key, value, headers)
            SELECT id, me, topic, partition, key, value, headers FROM address
        )
        SELECT array_agg(id ORDER BY id), array_agg(turn ORDER BY id), array_agg(topic ORDER BY id),
            array_agg(partition ORDER BY id)
        INTO told.reply_rows, told.reply_turns, told.reply_topics, told.reply_partitions
        FROM address;
    END IF;
    IF cardinality(lanes) > 0 THEN
        WITH finished AS (
            DELETE FROM delivery d
            USING unnest(lanes, positions, modes) WITH ORDINALITY t(lane, pos, mode, turn)
            WHERE d.lane = t.lane AND d.pos = t.pos AND t.mode & 1 = 0 AND t.turn <> ALL (lost)
            RETURNING d.identity, t.mode
        )
        DELETE FROM step s USING finished f WHERE s.turn = f.identity AND f.mode & 8 = 0;
    END IF;
    IF cardinality(sent) > 0 THEN
        WITH gone AS (DELETE FROM outbox WHERE id = ANY (sent) RETURNING lane)
            SELECT coalesce(array_agg(lane) FILTER (WHERE lane IS NOT NULL), '{}') INTO freed FROM gone;
    END IF;
    RETURN QUERY SELECT * FROM settle_lanes(
        me, lanes, positions, modes, delays, lost, gained, sent_lanes, freed
    );
    whole.summary := told;
    RETURN NEXT whole;
END $$;
