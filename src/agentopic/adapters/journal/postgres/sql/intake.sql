-- Intake: marks advance, deliveries are stored, free lanes are started; steps as in journal.md section 3.

-- The positions (in the arrays) of marks that did not move, because they are elsewhere or leased by another.
CREATE FUNCTION advance_marks(
    me bigint, grp text, topics text[], partitions integer[], known bigint[], nexts bigint[]
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
    moved integer[];
BEGIN
    INSERT INTO mark ("group", topic, partition)
        SELECT grp, u.topic, u.partition FROM unnest(topics, partitions, known) u(topic, partition, known)
        WHERE u.known IS NULL ORDER BY u.topic, u.partition
        ON CONFLICT DO NOTHING;
    PERFORM FROM mark m JOIN unnest(topics, partitions) u(topic, partition)
            ON m.topic = u.topic AND m.partition = u.partition
        WHERE m."group" = grp ORDER BY m.topic, m.partition FOR UPDATE OF m;
    WITH advanced AS (
        UPDATE mark m SET next = u.next
        FROM unnest(topics, partitions, known, nexts) WITH ORDINALITY u(topic, partition, known, next, ord)
        WHERE m."group" = grp AND m.topic = u.topic AND m.partition = u.partition
            AND m.next IS NOT DISTINCT FROM u.known AND (m.owner IS NULL OR m.owner = me)
        RETURNING u.ord
    ) SELECT array_agg(ord) INTO moved FROM advanced;
    RETURN ARRAY(
        SELECT i FROM generate_series(1, cardinality(topics)) i WHERE i <> ALL (coalesce(moved, '{}')) ORDER BY i
    );
END $$;

-- Locks every lane, creating what is missing, and returns those it created: one pass in the order of ids, given
-- sorted, so that two intakes never wait for each other. The update that never happens takes the lock all the same.
-- New lanes are ready in order of arrival (`ranks`), and are given to `holder`, to spare them the way through the
-- index of the free.
CREATE FUNCTION lock_lanes(grp text, ids bytea[], ks text[], ranks bigint[], holder bigint)
RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE
    created bytea[];
    moment timestamptz := clock_timestamp() - cardinality(ids) * interval '1 microsecond';
    base bigint;
BEGIN
    SELECT last_value - 1 INTO base FROM pos;
    WITH added AS (
        INSERT INTO lane (id, "group", key, owner, done, ready_at)
        SELECT u.id, grp, u.key, holder, base, moment + u.rank * interval '1 microsecond'
        FROM unnest(ids, ks, ranks) u(id, key, rank)
        ON CONFLICT (id) DO UPDATE SET key = excluded.key WHERE false
        RETURNING id
    ) SELECT coalesce(array_agg(id), '{}') INTO created FROM added;
    RETURN created;
END $$;

-- A repeat of a finished request sends its stored answer again; of an unfinished one adds the asking address.
CREATE FUNCTION answer_repeat(me bigint, of_lane bytea, of_identity bytea, request text, to_topic text, to_partition integer)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    row_id bigint;
BEGIN
    INSERT INTO outbox (id, process, topic, partition, key, value, headers)
        SELECT nextval('pos'), me, to_topic, to_partition, a.key, a.value, a.headers
        FROM answer a WHERE a.request_id = request AND NOT EXISTS (
            SELECT FROM delivery d WHERE d.lane = of_lane AND d.identity = of_identity
        )
        RETURNING id INTO row_id;
    IF row_id IS NULL THEN
        UPDATE delivery d SET
            request_id = coalesce(d.request_id, request),
            reply_topics = d.reply_topics || to_topic,
            reply_partitions = d.reply_partitions || to_partition
        WHERE d.lane = of_lane AND d.identity = of_identity AND NOT EXISTS (
            SELECT FROM unnest(d.reply_topics, d.reply_partitions) r(topic, partition)
            WHERE r.topic = to_topic AND r.partition = to_partition
        );
    END IF;
    RETURN row_id;
END $$;

-- Stores the deliveries whose identities are fresh, each once, answers the others and returns the answers' rows.
CREATE FUNCTION store_fresh(
    me bigint, fresh bytea[], lanes bytea[], identities bytea[], heads bytea[], bodies bytea[],
    requests text[], to_topics text[], to_partitions integer[], deadlines bigint[], callers bytea[]
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    first bigint[];
BEGIN
    first := ARRAY(
        SELECT min(u.ord) FROM unnest(identities) WITH ORDINALITY u(identity, ord)
        WHERE u.identity = ANY (fresh) GROUP BY u.identity
    );
    INSERT INTO delivery (
        pos, lane, identity, head, body, request_id, reply_topics, reply_partitions, deadline_ms, caller
    )
        SELECT nextval('pos'), u.lane, u.identity, u.head, u.body, u.request,
            CASE WHEN u.topic IS NOT NULL THEN ARRAY[u.topic] END,
            CASE WHEN u.topic IS NOT NULL THEN ARRAY[u.partition] END, u.deadline, u.caller
        FROM unnest(lanes, identities, heads, bodies, requests, to_topics, to_partitions, deadlines, callers)
            WITH ORDINALITY u(lane, identity, head, body, request, topic, partition, deadline, caller, ord)
        WHERE u.ord = ANY (first);
    RETURN ARRAY(
        SELECT r.id FROM (
            SELECT answer_repeat(me, u.lane, u.identity, u.request, u.topic, u.partition) AS id
            FROM unnest(lanes, identities, requests, to_topics, to_partitions)
                WITH ORDINALITY u(lane, identity, request, topic, partition, ord)
            WHERE u.ord <> ALL (first) AND u.request IS NOT NULL AND u.topic IS NOT NULL
        ) r WHERE r.id IS NOT NULL ORDER BY r.id
    );
END $$;

-- Starts the heads of free lanes of this call, in the order given, and returns them; a head above `before` has come
-- with this very call and is not sent back.
CREATE FUNCTION start_lanes(me bigint, ids bytea[], slots integer, before bigint) RETURNS SETOF effect LANGUAGE plpgsql AS $$
DECLARE
    moment_ms bigint := now_ms();
BEGIN
    RETURN QUERY
    WITH free AS (
        SELECT l.id, l.done, u.ord, l.token IS NULL AS taken
        FROM unnest(ids) WITH ORDINALITY u(id, ord) JOIN lane l ON l.id = u.id
        WHERE l.running IS NULL AND (l.owner IS NULL OR l.owner = me) AND l.ready_at <= clock_timestamp()
            AND NOT l.paused
        ORDER BY u.ord LIMIT slots
    ), started AS (
        UPDATE lane l SET
            owner = me, token = CASE WHEN f.taken THEN nextval('token') ELSE l.token END,
            running = f.pos, attempts = l.attempts + 1, moved = true
        FROM (
            SELECT free.*, h.pos, h.identity, h.head, h.body, h.deadline_ms, h.cancelled
            FROM free CROSS JOIN LATERAL (
                SELECT d.pos, d.identity, CASE WHEN d.pos <= before THEN d.head END AS head,
                    CASE WHEN d.pos <= before THEN d.body END AS body, d.deadline_ms, d.cancelled
                FROM delivery d
                WHERE d.lane = free.id AND d.pos > free.done ORDER BY d.pos LIMIT 1
            ) h
        ) f
        WHERE l.id = f.id
        RETURNING l.id, l."group", l.key, l.token, l.running, f.identity, f.head, f.body, l.attempts, l.failures,
            l.crashes, CASE WHEN f.taken THEN l.unsent ELSE 0 END AS unsent, f.deadline_ms, f.cancelled, f.ord
    )
    SELECT s.id, s."group", s.key, s.token, s.running, s.identity, s.head, s.body, s.attempts, s.failures, s.crashes,
        coalesce((SELECT a.version FROM agent a WHERE a.id = s.id), 0), s.unsent,
        flags_of(s.deadline_ms, s.cancelled, moment_ms), NULL::summary
    FROM started s ORDER BY s.ord;
END $$;

CREATE FUNCTION intake(
    me bigint, grp text, slots integer,
    mark_topics text[], mark_partitions integer[], mark_known bigint[], mark_nexts bigint[],
    marks integer[], lanes bytea[], ks text[], identities bytea[], heads bytea[], bodies bytea[],
    requests text[], to_topics text[], to_partitions integer[], deadlines bigint[], callers bytea[],
    dead_marks integer[], dead_topics text[], dead_partitions integer[], dead_keys bytea[], dead_values bytea[],
    dead_headers bytea[]
) RETURNS SETOF effect LANGUAGE plpgsql AS $$
DECLARE
    stale integer[];
    fresh bytea[];
    created bytea[];
    ids bytea[];
    id_keys text[];
    id_ranks bigint[];
    arrivals bytea[];
    started integer;
    repeated integer := 0;
    row_ids bigint[] := '{}';
    answer_ids bigint[] := '{}';
    before bigint;
    asking boolean := cardinality(callers) > 0;
    told summary;
    whole effect;
BEGIN
    PERFORM alive(me);
    stale := advance_marks(me, grp, mark_topics, mark_partitions, mark_known, mark_nexts);
    IF cardinality(stale) > 0 THEN
        SELECT coalesce(array_agg(u.lane ORDER BY ord), '{}'), array_agg(u.k ORDER BY ord),
            coalesce(array_agg(u.identity ORDER BY ord), '{}'),
            array_agg(u.head ORDER BY ord), array_agg(u.body ORDER BY ord), array_agg(u.request ORDER BY ord),
            array_agg(u.topic ORDER BY ord), array_agg(u.partition ORDER BY ord),
            array_agg(u.deadline ORDER BY ord), array_agg(u.caller ORDER BY ord)
        INTO lanes, ks, identities, heads, bodies, requests, to_topics, to_partitions, deadlines, callers
        FROM unnest(marks, lanes, ks, identities, heads, bodies, requests, to_topics, to_partitions, deadlines, callers)
            WITH ORDINALITY
            u(mark, lane, k, identity, head, body, request, topic, partition, deadline, caller, ord)
        WHERE u.mark <> ALL (stale);
    END IF;

    SELECT coalesce(array_agg(d.lane ORDER BY d.lane), '{}'), array_agg(d.k ORDER BY d.lane),
        array_agg(d.rank ORDER BY d.lane), coalesce(array_agg(d.lane ORDER BY d.rank), '{}')
    INTO ids, id_keys, id_ranks, arrivals
    FROM (
        SELECT f.*, row_number() OVER (ORDER BY f.ord) AS rank
        FROM (
            SELECT DISTINCT ON (u.lane) u.lane, u.k, u.ord
            FROM unnest(lanes, ks) WITH ORDINALITY u(lane, k, ord) ORDER BY u.lane, u.ord
        ) f
    ) d;
    created := lock_lanes(grp, ids, id_keys, id_ranks, CASE WHEN slots > 0 THEN me END);
    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END INTO before FROM pos;

    WITH added AS (
        INSERT INTO seen (identity, at) SELECT u.identity, now() FROM unnest(identities) u(identity)
        ON CONFLICT DO NOTHING RETURNING seen.identity
    ) SELECT array_agg(added.identity) INTO fresh FROM added;

    IF coalesce(cardinality(fresh), 0) = cardinality(identities) THEN
        INSERT INTO delivery (
            pos, lane, identity, head, body, request_id, reply_topics, reply_partitions, deadline_ms, caller
        )
            SELECT nextval('pos'), u.lane, u.identity, u.head, u.body, u.request,
                CASE WHEN u.topic IS NOT NULL THEN ARRAY[u.topic] END,
                CASE WHEN u.topic IS NOT NULL THEN ARRAY[u.partition] END, u.deadline, u.caller
            FROM unnest(lanes, identities, heads, bodies, requests, to_topics, to_partitions, deadlines, callers)
                u(lane, identity, head, body, request, topic, partition, deadline, caller);
    ELSE
        repeated := cardinality(identities) - coalesce(cardinality(fresh), 0);
        answer_ids := store_fresh(
            me, coalesce(fresh, '{}'), lanes, identities, heads, bodies, requests, to_topics, to_partitions,
            deadlines, callers
        );
        DELETE FROM lane l WHERE l.id = ANY (created) AND NOT EXISTS (SELECT FROM delivery d WHERE d.lane = l.id);
    END IF;

    IF cardinality(dead_topics) > 0 THEN
        WITH stored AS (
            INSERT INTO outbox (id, process, topic, partition, key, value, headers)
            SELECT nextval('pos'), me, u.topic, u.partition, u.key, u.value, u.headers
            FROM unnest(dead_marks, dead_topics, dead_partitions, dead_keys, dead_values, dead_headers)
                u(mark, topic, partition, key, value, headers)
            WHERE u.mark <> ALL (stale)
            RETURNING id
        ) SELECT coalesce(array_agg(id ORDER BY id), '{}') INTO row_ids FROM stored;
    END IF;

    IF slots > 0 THEN
        RETURN QUERY SELECT * FROM start_lanes(me, arrivals, slots, before);
        GET DIAGNOSTICS started = ROW_COUNT;
        IF started < cardinality(created) OR cardinality(created) < cardinality(ids) THEN
            UPDATE lane SET owner = NULL WHERE id = ANY (created) AND owner = me AND token IS NULL;
        END IF;
    END IF;
    IF asking THEN
        told.cycles := closed_cycles(lanes, identities, callers);
    END IF;
    told.refused := stale;
    told.repeats := repeated;
    told.rows := row_ids;
    told.reply_rows := answer_ids;
    whole.summary := told;
    RETURN NEXT whole;
END $$;
