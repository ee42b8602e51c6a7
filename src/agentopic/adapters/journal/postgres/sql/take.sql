-- Taking: free lanes into free slots, longest ready first; and reading back what is held.

-- A paused lane is taken for its unsent rows alone.
CREATE FUNCTION take(me bigint, grps text[], slots integer[]) RETURNS SETOF effect LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    moment_ms bigint := now_ms();
    chosen bytea[];
BEGIN
    PERFORM alive(me);
    SELECT array_agg(c.id) INTO chosen FROM unnest(grps, slots) u(grp, slots) CROSS JOIN LATERAL (
        SELECT l.id FROM lane l
        WHERE l."group" = u.grp AND l.owner IS NULL AND l.ready_at <= moment AND (NOT l.paused OR l.unsent > 0)
        ORDER BY l.ready_at LIMIT u.slots FOR UPDATE SKIP LOCKED
    ) c;
    IF chosen IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH taken AS (
        UPDATE lane l SET
            owner = me, token = nextval('token'), running = h.pos,
            attempts = l.attempts + CASE WHEN h.pos IS NULL THEN 0 ELSE 1 END, moved = true
        FROM (
            SELECT c.id, c.ord, d.pos, d.identity, d.head, d.body, d.deadline_ms, d.cancelled
            FROM unnest(chosen) WITH ORDINALITY c(id, ord) JOIN lane s ON s.id = c.id
            LEFT JOIN LATERAL (
                SELECT d.pos, d.identity, d.head, d.body, d.deadline_ms, d.cancelled FROM delivery d
                WHERE d.lane = s.id AND d.pos > s.done AND NOT s.paused ORDER BY d.pos LIMIT 1
            ) d ON true
        ) h
        WHERE l.id = h.id
        RETURNING l.id, l."group", l.key, l.token, l.running, h.identity, h.head, h.body, l.attempts, l.failures,
            l.crashes, l.unsent, h.deadline_ms, h.cancelled, h.ord
    )
    SELECT t.id, t."group", t.key, t.token, t.running, t.identity, t.head, t.body, t.attempts, t.failures, t.crashes,
        coalesce((SELECT a.version FROM agent a WHERE a.id = t.id), 0), t.unsent,
        flags_of(t.deadline_ms, t.cancelled, moment_ms), NULL::summary
    FROM taken t ORDER BY t.ord;
END $$;

-- Lanes taken that turned out to have nothing left: a restored one whose deliveries had been seen before.
CREATE FUNCTION release_idle(me bigint, ids bytea[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM alive(me);
    PERFORM FROM lane WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
    UPDATE lane SET owner = NULL, token = NULL WHERE id = ANY (ids) AND owner = me AND running IS NULL AND unsent = 0;
    PERFORM drop_idle(ids);
END $$;

CREATE FUNCTION held(me bigint) RETURNS SETOF effect LANGUAGE plpgsql AS $$
DECLARE
    moment_ms bigint := now_ms();
    told summary;
    whole effect;
BEGIN
    PERFORM alive(me);
    RETURN QUERY
    SELECT l.id, l."group", l.key, l.token, l.running, d.identity, d.head, d.body, l.attempts, l.failures, l.crashes,
        coalesce(a.version, 0), l.unsent, flags_of(d.deadline_ms, d.cancelled, moment_ms), NULL::summary
    FROM lane l
    LEFT JOIN delivery d ON d.lane = l.id AND d.pos = l.running
    LEFT JOIN agent a ON a.id = l.id
    WHERE l.owner = me ORDER BY l.token;
    told.reply_rows := ARRAY(SELECT id FROM outbox WHERE process = me ORDER BY id);
    told.beat := (SELECT p.beat FROM process p WHERE p.id = me);
    whole.summary := told;
    RETURN NEXT whole;
END $$;

CREATE FUNCTION backlog(grps text[]) RETURNS TABLE (grp text, deliveries bigint, unsent bigint, unstarted bigint)
LANGUAGE sql AS $$
    SELECT c."group", sum(c.stored)::bigint, sum(c.unsent)::bigint, sum(c.stored - c.started)::bigint
    FROM (
        SELECT l."group", l.unsent, (l.attempts > 0)::integer AS started,
            (SELECT count(*) FROM delivery d WHERE d.lane = l.id) AS stored
        FROM lane l WHERE l."group" = ANY (grps)
    ) c GROUP BY c."group"
    UNION ALL
    SELECT '', 0, count(*), 0 FROM outbox WHERE process IS NOT NULL
$$;
