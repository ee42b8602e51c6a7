-- Membership: every other function begins with `alive`.

CREATE FUNCTION alive(me bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM process WHERE id = me AND NOT dead AND NOT left_clean FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'process % has been declared dead', me USING ERRCODE = 'AG001';
    END IF;
END $$;

CREATE FUNCTION beat(me bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    raised bigint;
BEGIN
    UPDATE process SET beat = process.beat + 1 WHERE id = me AND NOT dead AND NOT left_clean
        RETURNING process.beat INTO raised;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'process % has been declared dead', me USING ERRCODE = 'AG001';
    END IF;
    RETURN raised;
END $$;

CREATE FUNCTION peers(me bigint) RETURNS TABLE (id bigint, groups text[], beat bigint, gone boolean)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM alive(me);
    RETURN QUERY SELECT p.id, p.groups, p.beat, p.left_clean FROM process p WHERE NOT p.dead AND p.id <> me ORDER BY p.id;
END $$;

-- Steps that cost nothing while they are open.
CREATE FUNCTION waiting_kinds() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['request', 'timer', 'human']
$$;

-- Frees what a process holds: locks first, changes later. A turn is suspended when all that is open in it are
-- requests, timers and questions, and it has not gone on since it announced one: it has no part in the crash. Every
-- lane whose turn was in memory is ready at once: whether it only waited, nobody but its process knew.
CREATE FUNCTION free_holdings(gone bigint, crash integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    held bytea[];
BEGIN
    PERFORM FROM mark WHERE owner = gone ORDER BY "group", topic, partition FOR UPDATE;
    UPDATE mark SET owner = NULL WHERE owner = gone;
    SELECT array_agg(l.id) INTO held FROM (SELECT id FROM lane WHERE owner = gone ORDER BY id FOR UPDATE) l;
    UPDATE lane l SET
        crashes = l.crashes + CASE WHEN l.running IS NULL OR w.suspended THEN 0 ELSE crash END,
        owner = NULL, token = NULL, running = NULL,
        ready_at = CASE
            WHEN l.unsent > 0 THEN moment
            WHEN l.paused THEN 'infinity'
            WHEN l.running IS NULL THEN l.ready_at
            ELSE moment
        END
    FROM unnest(held) h(id) CROSS JOIN LATERAL (
        SELECT coalesce(bool_and(s.kind = ANY (waiting_kinds())), false) AS suspended
        FROM lane r JOIN delivery d ON d.lane = r.id AND d.pos = r.running
        JOIN step s ON s.turn = d.identity AND s.result IS NULL
        WHERE r.id = h.id AND NOT r.moved
    ) w
    WHERE l.id = h.id AND l.owner = gone;
    DELETE FROM mail WHERE process = gone;
END $$;

-- Both process rows are locked in one order, so that two that bury each other do not deadlock. A peer that is
-- stopped in the middle of reading a result holds its row: the wait is short and the caller ends its session.
CREATE FUNCTION bury(me bigint, peer bigint, seen_beat bigint) RETURNS SETOF outbox LANGUAGE plpgsql
SET lock_timeout = '1s' AS $$
DECLARE
    clean boolean;
BEGIN
    PERFORM FROM process WHERE id IN (me, peer) ORDER BY id FOR UPDATE;
    PERFORM alive(me);
    SELECT left_clean INTO clean FROM process WHERE id = peer AND NOT dead AND beat = seen_beat AND id <> me;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE process SET dead = true, died_at = clock_timestamp() WHERE id = peer;
    PERFORM free_holdings(peer, CASE WHEN clean THEN 0 ELSE 1 END);
    RETURN QUERY
        WITH passed AS (UPDATE outbox SET process = me WHERE process = peer RETURNING outbox.*)
        SELECT * FROM passed ORDER BY id;
END $$;

CREATE FUNCTION leave(me bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM process WHERE id = me FOR UPDATE;
    PERFORM alive(me);
    UPDATE process SET left_clean = true, died_at = clock_timestamp(),
        dead = NOT EXISTS (SELECT FROM outbox WHERE process = me) WHERE id = me;
    PERFORM free_holdings(me, 0);
END $$;

-- Partitions are leased like lanes: what is held is kept up to the fair share, then free ones are taken.
CREATE FUNCTION lease(me bigint, grp text, topics text[], partitions integer[])
RETURNS TABLE (topic text, partition integer, next bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    share integer;
BEGIN
    PERFORM alive(me);
    INSERT INTO mark ("group", topic, partition)
        SELECT grp, p.topic, p.partition FROM (
            SELECT DISTINCT u.topic, u.partition FROM unnest(topics, partitions) u(topic, partition)
            ORDER BY u.topic, u.partition
        ) p
        ON CONFLICT DO NOTHING;
    PERFORM FROM mark m WHERE m."group" = grp ORDER BY m.topic, m.partition FOR UPDATE;
    SELECT ceil(cardinality(topics)::numeric / greatest(count(*), 1)) INTO share
        FROM process WHERE NOT dead AND NOT left_clean AND (id = me OR grp = ANY (groups));
    WITH choice AS (
        SELECT c.topic, c.partition, u.topic IS NOT NULL AND row_number() OVER (
            ORDER BY u.topic IS NULL, c.owner IS NULL, c.topic, c.partition
        ) <= share AS mine
        FROM mark c LEFT JOIN unnest(topics, partitions) u(topic, partition)
            ON c.topic = u.topic AND c.partition = u.partition
        WHERE c."group" = grp AND (c.owner = me OR c.owner IS NULL)
    )
    UPDATE mark m SET owner = CASE WHEN w.mine THEN me END FROM choice w
        WHERE m."group" = grp AND m.topic = w.topic AND m.partition = w.partition
            AND m.owner IS DISTINCT FROM CASE WHEN w.mine THEN me END;
    RETURN QUERY
        SELECT m.topic, m.partition, m.next FROM mark m JOIN unnest(topics, partitions) u(topic, partition)
            ON m.topic = u.topic AND m.partition = u.partition
        WHERE m."group" = grp AND m.owner = me ORDER BY m.topic, m.partition;
END $$;
