-- Steps: intents under the lane's token, results under any.

CREATE FUNCTION open_steps(
    me bigint, lanes bytea[], tokens bigint[], positions bigint[], turns bytea[], ks bytea[], kinds text[], names text[]
) RETURNS TABLE (ord bigint, key bytea, kind text, name text, result bytea, fresh boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    valid bigint[];
    added bigint[];
BEGIN
    PERFORM alive(me);
    PERFORM FROM lane WHERE id = ANY (lanes) ORDER BY id FOR SHARE;
    valid := ARRAY(
        SELECT u.ord FROM unnest(lanes, tokens, positions) WITH ORDINALITY u(lane, token, pos, ord)
        JOIN lane l ON l.id = u.lane AND l.owner = me AND l.token = u.token AND l.running = u.pos
    );
    WITH intent AS (
        SELECT DISTINCT ON (u.turn, u.key) u.*
        FROM unnest(turns, ks, lanes, tokens, kinds, names) WITH ORDINALITY
            u(turn, key, lane, token, kind, name, ord)
        WHERE u.ord = ANY (valid) ORDER BY u.turn, u.key, u.ord
    ), stored AS (
        INSERT INTO step (ordinal, turn, key, lane, token, kind, name, intent_at)
        SELECT nextval('pos'), o.turn, o.key, o.lane, o.token, o.kind, o.name, clock_timestamp()
        FROM (SELECT * FROM intent ORDER BY ord) o
        ON CONFLICT DO NOTHING RETURNING step.turn, step.key
    )
    SELECT array_agg(i.ord) INTO added FROM stored s JOIN intent i ON i.turn = s.turn AND i.key = s.key;
    RETURN QUERY
        SELECT u.ord, s.key, s.kind, s.name, s.result, u.ord = ANY (coalesce(added, '{}'))
        FROM unnest(turns, ks) WITH ORDINALITY u(turn, key, ord)
        JOIN step s ON s.turn = u.turn AND s.key = u.key
        WHERE u.ord = ANY (valid) ORDER BY u.ord;
END $$;

CREATE FUNCTION close_steps(me bigint, turns bytea[], ks bytea[], results bytea[])
RETURNS TABLE (ord bigint, key bytea, kind text, name text, result bytea, fresh boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM alive(me);
    PERFORM FROM step s JOIN unnest(turns, ks) u(turn, key) ON s.turn = u.turn AND s.key = u.key
        ORDER BY s.turn, s.key FOR UPDATE OF s;
    UPDATE step s SET result = u.result
        FROM (
            SELECT DISTINCT ON (r.turn, r.key) r.* FROM unnest(turns, ks, results) WITH ORDINALITY
                r(turn, key, result, ord) ORDER BY r.turn, r.key, r.ord
        ) u
        WHERE s.turn = u.turn AND s.key = u.key AND s.result IS NULL;
    RETURN QUERY
        SELECT u.ord, s.key, s.kind, s.name, s.result, false
        FROM unnest(turns, ks) WITH ORDINALITY u(turn, key, ord)
        JOIN step s ON s.turn = u.turn AND s.key = u.key ORDER BY u.ord;
END $$;
