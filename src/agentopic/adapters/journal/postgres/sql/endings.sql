-- The end of a delivery that nobody runs: refused, or cancelled before it was started.

CREATE FUNCTION store_answer(
    me bigint, request text, outcome text, akey bytea, avalue bytea, aheaders bytea, keep float8,
    topics text[], partitions integer[]
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    INSERT INTO answer AS a (request_id, outcome, key, value, headers, keep_until)
        VALUES (request, outcome, akey, avalue, aheaders, clock_timestamp() + make_interval(secs => keep))
        ON CONFLICT (request_id) DO UPDATE SET outcome = excluded.outcome, key = excluded.key,
            value = excluded.value, headers = excluded.headers, keep_until = excluded.keep_until;
    WITH stored AS (
        INSERT INTO outbox (id, process, topic, partition, key, value, headers)
        SELECT nextval('pos'), me, r.topic, r.partition, akey, avalue, aheaders
        FROM (
            SELECT DISTINCT u.topic, u.partition FROM unnest(topics, partitions) u(topic, partition)
            WHERE u.topic IS NOT NULL ORDER BY u.topic, u.partition
        ) r RETURNING id
    ) SELECT coalesce(array_agg(id ORDER BY id), '{}') INTO ids FROM stored;
    RETURN ids;
END $$;

-- Lanes that have lost what they were kept for.
CREATE FUNCTION drop_idle(ids bytea[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM lane l
    WHERE l.id = ANY (ids) AND l.owner IS NULL AND l.unsent = 0 AND NOT l.paused
        AND NOT EXISTS (SELECT FROM delivery d WHERE d.lane = l.id)
$$;

-- The caller holds the lane's lock. What follows a head that had been started is ready.
CREATE FUNCTION end_waiting(
    me bigint, of_lane bytea, of_pos bigint, ended text, request text, akey bytea, avalue bytea, aheaders bytea, keep float8
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    gone delivery;
    ids bigint[] := '{}';
    was_head boolean;
BEGIN
    was_head := NOT EXISTS (
        SELECT FROM lane l JOIN delivery d ON d.lane = l.id AND d.pos > l.done AND d.pos < of_pos WHERE l.id = of_lane
    );
    DELETE FROM delivery WHERE lane = of_lane AND pos = of_pos RETURNING * INTO gone;
    IF ended <> 'dead' THEN
        DELETE FROM step WHERE turn = gone.identity;
    END IF;
    IF request IS NOT NULL THEN
        ids := store_answer(
            me, request, ended, akey, avalue, aheaders, keep, gone.reply_topics, gone.reply_partitions
        );
    END IF;
    IF was_head THEN
        DELETE FROM wait WHERE caller = of_lane;
        PERFORM wake_lanes(ARRAY[of_lane]);
        UPDATE lane SET attempts = 0, failures = 0, crashes = 0 WHERE id = of_lane AND attempts > 0;
    END IF;
    PERFORM drop_idle(ARRAY[of_lane]);
    RETURN ids;
END $$;

-- Answer arrays go with the refusals, row arrays carry a refusal's number.
CREATE FUNCTION refuse(
    me bigint, lanes bytea[], identities bytea[], outcomes text[],
    requests text[], akeys bytea[], avalues bytea[], aheaders bytea[], keeps float8[],
    row_turns integer[], row_topics text[], row_partitions integer[], row_keys bytea[], row_values bytea[],
    row_headers bytea[]
) RETURNS SETOF outbox LANGUAGE plpgsql AS $$
DECLARE
    at_pos bigint;
    ids bigint[] := '{}';
    ended integer[] := '{}';
BEGIN
    PERFORM alive(me);
    PERFORM FROM lane WHERE id = ANY (lanes) ORDER BY id FOR UPDATE;
    FOR n IN 1..cardinality(lanes) LOOP
        SELECT d.pos INTO at_pos FROM lane l JOIN delivery d ON d.lane = l.id AND d.identity = identities[n]
            WHERE l.id = lanes[n] AND l.running IS DISTINCT FROM d.pos;
        CONTINUE WHEN NOT FOUND;
        ids := ids || end_waiting(
            me, lanes[n], at_pos, outcomes[n], requests[n], akeys[n], avalues[n], aheaders[n], keeps[n]
        );
        ended := ended || n;
    END LOOP;
    WITH stored AS (
        INSERT INTO outbox (id, process, topic, partition, key, value, headers)
        SELECT nextval('pos'), me, r.topic, r.partition, r.key, r.value, r.headers
        FROM unnest(row_turns, row_topics, row_partitions, row_keys, row_values, row_headers)
            r(turn, topic, partition, key, value, headers)
        WHERE r.turn = ANY (ended) RETURNING id
    ) SELECT ids || coalesce(array_agg(id ORDER BY id), '{}') INTO ids FROM stored;
    RETURN QUERY SELECT * FROM outbox WHERE id = ANY (ids) ORDER BY id;
END $$;
