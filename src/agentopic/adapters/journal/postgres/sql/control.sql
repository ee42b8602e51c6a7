-- Control: what is applied by whoever stores it, and the mail that tells the holders (journal.md rule 10).
-- Kinds of a command: 1 answer, 2 cancel a request, 3 cancel a run, 4 pause or resume.

CREATE TYPE controlled AS (stale integer[], rows bigint[], processes bigint[], addresses text[]);

-- Locks lanes in the order of their ids, makes the missing ones, and returns those made.
CREATE FUNCTION lock_addressed(lanes bytea[], groups text[], ks text[]) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE
    base bigint;
    created bytea[];
BEGIN
    SELECT last_value - 1 INTO base FROM pos;
    WITH added AS (
        INSERT INTO lane (id, "group", key, done, ready_at)
        SELECT DISTINCT ON (u.id) u.id, u.grp, u.key, base, clock_timestamp()
        FROM unnest(lanes, groups, ks) u(id, grp, key) WHERE u.id IS NOT NULL ORDER BY u.id
        ON CONFLICT (id) DO UPDATE SET key = excluded.key WHERE false
        RETURNING id
    ) SELECT coalesce(array_agg(id), '{}') INTO created FROM added;
    RETURN created;
END $$;

-- Whoever adds mail that is there already waits for its reader, and its reader for this call: nothing is missed.
CREATE FUNCTION leave_mail(lanes bytea[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO mail (process, lane)
        SELECT l.owner, l.id FROM lane l WHERE l.id = ANY (lanes) AND l.owner IS NOT NULL ORDER BY l.owner, l.id
        ON CONFLICT (process, lane) DO UPDATE SET lane = excluded.lane
$$;

CREATE FUNCTION answer_question(of_lane bytea, of_turn bytea, of_step bytea, answered bytea) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE step SET result = answered
        WHERE turn = of_turn AND key = of_step AND lane = of_lane AND kind = 'human' AND result IS NULL;
    IF FOUND THEN
        DELETE FROM wait WHERE caller = of_lane AND request = of_step;
        PERFORM wake_lanes(ARRAY[of_lane]);
        PERFORM go_on(ARRAY[of_lane], ARRAY[of_turn]);
        RETURN true;
    END IF;
    RETURN false;
END $$;

-- Returns whether the holder is to be told, whether the request has ended here, and its replies.
CREATE FUNCTION cancel_request(
    me bigint, of_lane bytea, of_identity bytea, request text, outcome text, akey bytea, avalue bytea, aheaders bytea,
    keep float8, to_topic text, to_partition integer, OUT stirred boolean, OUT ended boolean, OUT ids bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    target record;
BEGIN
    stirred := false;
    ended := false;
    ids := '{}';
    SELECT d.pos, l.attempts > 0 AND NOT EXISTS (
            SELECT FROM delivery b WHERE b.lane = l.id AND b.pos > l.done AND b.pos < d.pos
        ) AS begun
        INTO target FROM lane l JOIN delivery d ON d.lane = l.id AND d.identity = of_identity WHERE l.id = of_lane;
    IF target.pos IS NULL THEN
        INSERT INTO seen (identity, at) VALUES (of_identity, now()) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            ids := store_answer(
                me, request, outcome, akey, avalue, aheaders, keep, ARRAY[to_topic], ARRAY[to_partition]
            );
            ended := true;
        END IF;
        RETURN;
    END IF;
    UPDATE delivery d SET reply_topics = d.reply_topics || to_topic, reply_partitions = d.reply_partitions || to_partition
        WHERE d.lane = of_lane AND d.pos = target.pos AND to_topic IS NOT NULL AND NOT EXISTS (
            SELECT FROM unnest(d.reply_topics, d.reply_partitions) r(topic, partition)
            WHERE r.topic = to_topic AND r.partition = to_partition
        );
    IF target.begun THEN
        UPDATE delivery SET cancelled = true WHERE lane = of_lane AND pos = target.pos;
        PERFORM wake_lanes(ARRAY[of_lane]);
        stirred := true;
    ELSE
        ids := end_waiting(me, of_lane, target.pos, 'cancelled', request, akey, avalue, aheaders, keep);
        ended := true;
    END IF;
END $$;

CREATE FUNCTION pause_lane(of_lane bytea, pause boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE lane SET
        paused = pause,
        ready_at = CASE
            WHEN pause AND owner IS NULL AND unsent = 0 THEN 'infinity'
            WHEN NOT pause AND running IS NULL THEN least(ready_at, clock_timestamp())
            ELSE ready_at
        END
    WHERE id = of_lane;
END $$;

CREATE FUNCTION control(
    me bigint, grp text, mark_topics text[], mark_partitions integer[], mark_known bigint[], mark_nexts bigint[],
    kinds integer[], marks integer[], lanes bytea[], groups text[], ks text[],
    turns bytea[], steps bytea[], results bytea[], identities bytea[],
    requests text[], outcomes text[], akeys bytea[], avalues bytea[], aheaders bytea[], keeps float8[],
    to_topics text[], to_partitions integer[], runs text[], pauses boolean[],
    dead_marks integer[], dead_topics text[], dead_partitions integer[], dead_keys bytea[], dead_values bytea[],
    dead_headers bytea[],
    row_ords integer[], row_topics text[], row_partitions integer[], row_keys bytea[], row_values bytea[],
    row_headers bytea[]
) RETURNS controlled LANGUAGE plpgsql AS $$
DECLARE
    done controlled;
    created bytea[];
    stirred bytea[] := '{}';
    told bigint[] := '{}';
    cancelling record;
BEGIN
    PERFORM alive(me);
    done.stale := advance_marks(me, grp, mark_topics, mark_partitions, mark_known, mark_nexts);
    WITH stored AS (
        INSERT INTO outbox (id, process, topic, partition, key, value, headers)
        SELECT nextval('pos'), me, u.topic, u.partition, u.key, u.value, u.headers
        FROM unnest(dead_marks, dead_topics, dead_partitions, dead_keys, dead_values, dead_headers)
            u(mark, topic, partition, key, value, headers)
        WHERE u.mark <> ALL (done.stale) RETURNING id
    ) SELECT coalesce(array_agg(id ORDER BY id), '{}') INTO done.rows FROM stored;
    created := lock_addressed(
        ARRAY(SELECT CASE WHEN u.kind <> 3 AND u.mark <> ALL (done.stale) THEN u.lane END
            FROM unnest(kinds, marks, lanes) WITH ORDINALITY u(kind, mark, lane, n) ORDER BY u.n),
        groups, ks
    );
    FOR n IN 1..cardinality(kinds) LOOP
        CONTINUE WHEN marks[n] = ANY (done.stale);
        CASE kinds[n]
            WHEN 1 THEN
                IF answer_question(lanes[n], turns[n], steps[n], results[n]) THEN
                    stirred := stirred || lanes[n];
                END IF;
            WHEN 2 THEN
                cancelling := cancel_request(
                    me, lanes[n], identities[n], requests[n], outcomes[n], akeys[n], avalues[n], aheaders[n], keeps[n],
                    to_topics[n], to_partitions[n]
                );
                done.rows := done.rows || cancelling.ids;
                IF cancelling.stirred THEN
                    stirred := stirred || lanes[n];
                END IF;
                IF cancelling.ended AND cardinality(row_ords) > 0 THEN
                    WITH stored AS (
                        INSERT INTO outbox (id, process, topic, partition, key, value, headers)
                        SELECT nextval('pos'), me, r.topic, r.partition, r.key, r.value, r.headers
                        FROM unnest(row_ords, row_topics, row_partitions, row_keys, row_values, row_headers)
                            r(ord, topic, partition, key, value, headers)
                        WHERE r.ord = n RETURNING id
                    ) SELECT done.rows || coalesce(array_agg(id ORDER BY id), '{}') INTO done.rows FROM stored;
                END IF;
            WHEN 3 THEN
                INSERT INTO run_cancel (run, at) VALUES (runs[n], clock_timestamp()) ON CONFLICT DO NOTHING;
                told := ARRAY(SELECT p.id FROM process p WHERE NOT p.dead AND NOT p.left_clean);
            ELSE
                PERFORM pause_lane(lanes[n], pauses[n]);
                stirred := stirred || lanes[n];
        END CASE;
    END LOOP;
    PERFORM leave_mail(stirred);
    SELECT coalesce(array_agg(p.id ORDER BY p.id), '{}'), coalesce(array_agg(p.address ORDER BY p.id), '{}')
        INTO done.processes, done.addresses
        FROM process p
        WHERE p.id = ANY (told || ARRAY(SELECT l.owner FROM lane l WHERE l.id = ANY (stirred) AND l.owner IS NOT NULL));
    PERFORM drop_idle(created || stirred);
    RETURN done;
END $$;

-- What was mailed, as it stands now; lanes that this process no longer holds are left out.
CREATE FUNCTION take_mail(me bigint) RETURNS TABLE (lane bytea, token bigint, cancelled boolean, paused boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    mailed bytea[];
BEGIN
    PERFORM alive(me);
    PERFORM FROM mail WHERE process = me ORDER BY process, lane FOR UPDATE;
    WITH gone AS (DELETE FROM mail m WHERE m.process = me RETURNING m.lane)
        SELECT array_agg(g.lane) INTO mailed FROM gone g;
    IF mailed IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT l.id, l.token, coalesce(d.cancelled, false), l.paused
        FROM lane l LEFT JOIN delivery d ON d.lane = l.id AND d.pos = l.running
        WHERE l.id = ANY (mailed) AND l.owner = me ORDER BY l.id;
END $$;
