-- Steps: intents under the lane's token, results under any, what they cost with them.

-- Row arrays carry the number of their intent; rows are stored with a fresh intent only, edges while a result lacks.
CREATE FUNCTION open_steps(
    me bigint, lanes bytea[], tokens bigint[], positions bigint[], turns bytea[], ks bytea[], kinds text[], names text[],
    due_seconds float8[], due_limits bigint[], callees bytea[], notes bytea[],
    row_ords integer[], row_topics text[], row_partitions integer[], row_keys bytea[], row_values bytea[],
    row_headers bytea[]
) RETURNS TABLE (
    ord bigint, key bytea, kind text, name text, result bytea, fresh boolean, due_ms bigint, remaining float8,
    row_ids bigint[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    valid bigint[];
    added bigint[];
    stored_ords bigint[];
    stored_ids bigint[];
    moment_ms bigint;
    waiting boolean := kinds && waiting_kinds();
BEGIN
    PERFORM alive(me);
    IF waiting OR cardinality(row_ords) > 0 THEN
        PERFORM FROM lane WHERE id = ANY (lanes) ORDER BY id FOR UPDATE;
    ELSE
        PERFORM FROM lane WHERE id = ANY (lanes) ORDER BY id FOR SHARE;
    END IF;
    moment_ms := now_ms();
    valid := ARRAY(
        SELECT u.ord FROM unnest(lanes, tokens, positions) WITH ORDINALITY u(lane, token, pos, ord)
        JOIN lane l ON l.id = u.lane AND l.owner = me AND l.token = u.token AND l.running = u.pos
    );
    WITH intent AS (
        SELECT DISTINCT ON (u.turn, u.key) u.*
        FROM unnest(turns, ks, lanes, tokens, kinds, names, due_seconds, due_limits, notes) WITH ORDINALITY
            u(turn, key, lane, token, kind, name, due, due_limit, note, ord)
        WHERE u.ord = ANY (valid) ORDER BY u.turn, u.key, u.ord
    ), stored AS (
        INSERT INTO step (ordinal, turn, key, lane, token, kind, name, intent_at, due_ms, note)
        SELECT nextval('pos'), o.turn, o.key, o.lane, o.token, o.kind, o.name, clock_timestamp(),
            least(moment_ms + (o.due * 1000)::bigint, o.due_limit), o.note
        FROM (SELECT * FROM intent ORDER BY ord) o
        ON CONFLICT DO NOTHING RETURNING step.turn, step.key
    )
    SELECT coalesce(array_agg(i.ord), '{}') INTO added
        FROM stored s JOIN intent i ON i.turn = s.turn AND i.key = s.key;
    IF waiting THEN
        UPDATE lane l SET moved = false
            FROM (
                SELECT DISTINCT u.lane FROM unnest(lanes, turns, ks, kinds) WITH ORDINALITY u(lane, turn, key, kind, ord)
                JOIN step s ON s.turn = u.turn AND s.key = u.key AND s.result IS NULL
                WHERE u.ord = ANY (valid) AND u.kind = ANY (waiting_kinds())
            ) w
            WHERE l.id = w.lane AND l.moved;
    END IF;
    IF cardinality(callees) > 0 THEN
        INSERT INTO wait (caller, callee, request)
            SELECT u.lane, u.callee, u.key
            FROM unnest(lanes, callees, turns, ks) WITH ORDINALITY u(lane, callee, turn, key, ord)
            JOIN step s ON s.turn = u.turn AND s.key = u.key AND s.result IS NULL
            WHERE u.ord = ANY (valid) AND u.callee IS NOT NULL ORDER BY u.lane, u.callee, u.key
            ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(row_ords) > 0 THEN
        WITH fresh AS MATERIALIZED (
            SELECT nextval('pos') AS id, r.*
            FROM unnest(row_ords, row_topics, row_partitions, row_keys, row_values, row_headers)
                r(ord, topic, partition, key, value, headers)
            WHERE r.ord = ANY (added)
        ), stored AS (
            INSERT INTO outbox (id, lane, topic, partition, key, value, headers)
            SELECT f.id, lanes[f.ord], f.topic, f.partition, f.key, f.value, f.headers FROM fresh f
        ), counted AS (
            UPDATE lane l SET unsent = l.unsent + g.rows
            FROM (SELECT lanes[f.ord] AS id, count(*)::integer AS rows FROM fresh f GROUP BY 1) g
            WHERE l.id = g.id
        )
        SELECT array_agg(f.ord ORDER BY f.id), array_agg(f.id ORDER BY f.id) INTO stored_ords, stored_ids FROM fresh f;
    END IF;
    RETURN QUERY
        SELECT u.ord, s.key, s.kind, s.name, s.result, u.ord = ANY (added), s.due_ms,
            ((s.due_ms - moment_ms) / 1000.0)::float8,
            CASE WHEN stored_ords IS NOT NULL THEN ARRAY(
                SELECT r.id FROM unnest(stored_ords, stored_ids) r(ord, id) WHERE r.ord = u.ord ORDER BY r.id
            ) END
        FROM unnest(turns, ks) WITH ORDINALITY u(turn, key, ord)
        JOIN step s ON s.turn = u.turn AND s.key = u.key
        WHERE u.ord = ANY (valid) ORDER BY u.ord;
END $$;

-- Something a waiting turn waits for is there: its lane is ready, unless it runs or is paused.
CREATE FUNCTION wake_lanes(ids bytea[]) RETURNS void LANGUAGE sql AS $$
    UPDATE lane SET ready_at = clock_timestamp()
    WHERE id = ANY (ids) AND running IS NULL AND NOT paused AND ready_at > clock_timestamp()
$$;

-- Something that turns have waited for is there: those that run go on. The caller holds the lanes' locks.
CREATE FUNCTION go_on(ids bytea[], turns bytea[]) RETURNS void LANGUAGE sql AS $$
    UPDATE lane l SET moved = true FROM unnest(ids, turns) u(id, turn)
    WHERE l.id = u.id AND NOT l.moved AND EXISTS (
        SELECT FROM delivery d WHERE d.lane = l.id AND d.pos = l.running AND d.identity = u.turn
    )
$$;

-- `lanes` and `tokens` are of those that wait for their results; a token that no longer holds stores nothing.
CREATE FUNCTION close_steps(
    me bigint, turns bytea[], ks bytea[], results bytea[], lanes bytea[], tokens bigint[],
    spend_ords integer[], spend_scopes text[], spend_counts bigint[]
) RETURNS TABLE (
    ord bigint, refused boolean, key bytea, kind text, name text, result bytea, due_ms bigint, remaining float8
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    late bigint[] := '{}';
    woken bytea[];
    going_lanes bytea[];
    going_turns bytea[];
    moment_ms bigint;
BEGIN
    PERFORM alive(me);
    IF cardinality(lanes) > 0 THEN
        PERFORM FROM lane WHERE id = ANY (lanes) ORDER BY id FOR UPDATE;
    END IF;
    IF cardinality(tokens) > 0 THEN
        late := ARRAY(
            SELECT u.ord FROM unnest(lanes, tokens) WITH ORDINALITY u(lane, token, ord)
            LEFT JOIN lane l ON l.id = u.lane AND l.owner = me AND l.token = u.token
            WHERE u.token IS NOT NULL AND l.id IS NULL
        );
    END IF;
    PERFORM FROM step s JOIN unnest(turns, ks) u(turn, key) ON s.turn = u.turn AND s.key = u.key
        ORDER BY s.turn, s.key FOR UPDATE OF s;
    WITH stored AS (
        UPDATE step s SET result = u.result
        FROM (
            SELECT DISTINCT ON (r.turn, r.key) r.* FROM unnest(turns, ks, results, lanes) WITH ORDINALITY
                r(turn, key, result, lane, ord) WHERE r.ord <> ALL (late) ORDER BY r.turn, r.key, r.ord
        ) u
        WHERE s.turn = u.turn AND s.key = u.key AND s.result IS NULL
        RETURNING u.lane, u.turn, s.kind = ANY (waiting_kinds()) AS waited
    ) SELECT array_agg(lane), array_agg(lane) FILTER (WHERE waited), array_agg(turn) FILTER (WHERE waited)
        INTO woken, going_lanes, going_turns FROM stored WHERE lane IS NOT NULL;
    IF cardinality(lanes) > 0 THEN
        PERFORM wake_lanes(woken);
        PERFORM go_on(going_lanes, going_turns);
        DELETE FROM wait w USING unnest(lanes, ks) WITH ORDINALITY u(lane, key, ord)
            WHERE w.caller = u.lane AND w.request = u.key AND u.ord <> ALL (late);
    END IF;
    IF cardinality(spend_ords) > 0 THEN
        PERFORM add_spend(late, spend_ords, spend_scopes, spend_counts);
    END IF;
    moment_ms := now_ms();
    RETURN QUERY
        SELECT u.ord, u.ord = ANY (late), s.key, s.kind, s.name, s.result, s.due_ms,
            ((s.due_ms - moment_ms) / 1000.0)::float8
        FROM unnest(turns, ks) WITH ORDINALITY u(turn, key, ord)
        LEFT JOIN step s ON s.turn = u.turn AND s.key = u.key ORDER BY u.ord;
END $$;

CREATE FUNCTION recorded(of_turn bytea) RETURNS TABLE (
    key bytea, kind text, name text, result bytea, due_ms bigint, remaining float8
) LANGUAGE sql AS $$
    SELECT s.key, s.kind, s.name, s.result, s.due_ms, ((s.due_ms - now_ms()) / 1000.0)::float8
    FROM step s WHERE s.turn = of_turn ORDER BY s.ordinal
$$;

CREATE FUNCTION questions(grps text[]) RETURNS TABLE (
    "group" text, key text, turn bytea, step bytea, note bytea, asked_ms bigint
) LANGUAGE sql AS $$
    SELECT l."group", l.key, s.turn, s.key, coalesce(s.note, ''),
        (extract(epoch FROM s.intent_at) * 1000)::bigint
    FROM step s JOIN lane l ON l.id = s.lane
    WHERE s.kind = 'human' AND s.result IS NULL AND l."group" = ANY (grps)
        AND EXISTS (SELECT FROM delivery d WHERE d.lane = s.lane AND d.identity = s.turn)
    ORDER BY s.ordinal
$$;

-- One row: the agent's state with the events after its snapshot.
CREATE FUNCTION load(agent_id bytea) RETURNS TABLE (version bigint, snapshot bytea, events bytea[]) LANGUAGE sql AS $$
    SELECT a.version, a.snapshot, CASE WHEN a.snapshot_version < a.version THEN ARRAY(
        SELECT e.value FROM event e WHERE e.id = a.id AND e.version > a.snapshot_version ORDER BY e.version
    ) ELSE '{}' END
    FROM agent a WHERE a.id = agent_id
$$;
