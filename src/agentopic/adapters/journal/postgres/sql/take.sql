-- Taking: free lanes into free slots, longest ready first; and reading back what is held.

CREATE FUNCTION take(me bigint, grps text[], slots integer[]) RETURNS SETOF effect LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    chosen bytea[];
BEGIN
    PERFORM alive(me);
    SELECT array_agg(c.id) INTO chosen FROM unnest(grps, slots) u(grp, slots) CROSS JOIN LATERAL (
        SELECT l.id FROM lane l
        WHERE l."group" = u.grp AND l.owner IS NULL AND l.ready_at <= moment
        ORDER BY l.ready_at LIMIT u.slots FOR UPDATE SKIP LOCKED
    ) c;
    IF chosen IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH taken AS (
        UPDATE lane l SET
            owner = me, token = nextval('token'), running = h.pos,
            attempts = l.attempts + CASE WHEN h.pos IS NULL THEN 0 ELSE 1 END
        FROM (
            SELECT c.id, c.ord, d.pos, d.identity, d.head, d.body
            FROM unnest(chosen) WITH ORDINALITY c(id, ord) JOIN lane s ON s.id = c.id
            LEFT JOIN LATERAL (
                SELECT d.pos, d.identity, d.head, d.body FROM delivery d
                WHERE d.lane = s.id AND d.pos > s.done ORDER BY d.pos LIMIT 1
            ) d ON true
        ) h
        WHERE l.id = h.id
        RETURNING l.id, l."group", l.key, l.token, l.running, h.identity, h.head, h.body, l.attempts, l.failures,
            l.crashes, l.unsent, h.ord
    )
    SELECT t.id, t."group", t.key, t.token, t.running, t.identity, t.head, t.body, t.attempts, t.failures, t.crashes,
        coalesce((SELECT a.version FROM agent a WHERE a.id = t.id), 0), t.unsent,
        NULL::integer[], NULL::integer, NULL::bigint[], NULL::bigint[], NULL::integer[], NULL::text[], NULL::integer[]
    FROM taken t ORDER BY t.ord;
END $$;

CREATE FUNCTION held(me bigint) RETURNS SETOF effect LANGUAGE plpgsql AS $$
DECLARE
    summary effect;
BEGIN
    PERFORM alive(me);
    RETURN QUERY
    SELECT l.id, l."group", l.key, l.token, l.running, d.identity, d.head, d.body, l.attempts, l.failures, l.crashes,
        coalesce(a.version, 0), l.unsent,
        NULL::integer[], NULL::integer, NULL::bigint[], NULL::bigint[], NULL::integer[], NULL::text[], NULL::integer[]
    FROM lane l
    LEFT JOIN delivery d ON d.lane = l.id AND d.pos = l.running
    LEFT JOIN agent a ON a.id = l.id
    WHERE l.owner = me ORDER BY l.token;
    summary.reply_rows := ARRAY(SELECT id FROM outbox WHERE process = me ORDER BY id);
    RETURN NEXT summary;
END $$;

CREATE FUNCTION backlog(grps text[]) RETURNS TABLE (grp text, deliveries bigint, unsent bigint) LANGUAGE sql AS $$
    SELECT l."group", sum((SELECT count(*) FROM delivery d WHERE d.lane = l.id))::bigint, sum(l.unsent)::bigint
    FROM lane l WHERE l."group" = ANY (grps) GROUP BY l."group"
    UNION ALL
    SELECT '', 0, count(*) FROM outbox WHERE process IS NOT NULL
$$;
