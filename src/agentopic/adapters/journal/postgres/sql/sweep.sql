-- Sweeping: each call forgets one portion and tells how much it was; the caller repeats until nothing is left.

CREATE FUNCTION sweep(before timestamptz, portion integer) RETURNS bigint LANGUAGE plpgsql
SET enable_hashjoin = on AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    total bigint := 0;
    n bigint;
BEGIN
    DELETE FROM seen WHERE identity IN (
        SELECT s.identity FROM seen s
        WHERE s.at <= before AND NOT EXISTS (SELECT FROM delivery d WHERE d.identity = s.identity)
        ORDER BY s.at LIMIT portion FOR UPDATE OF s SKIP LOCKED
    );
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
    DELETE FROM answer WHERE request_id IN (
        SELECT request_id FROM answer WHERE keep_until <= moment
        ORDER BY keep_until LIMIT portion FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
    DELETE FROM step WHERE (turn, key) IN (
        SELECT s.turn, s.key FROM step s
        WHERE s.intent_at <= before
            AND NOT EXISTS (SELECT FROM delivery d WHERE d.lane = s.lane AND d.identity = s.turn)
        ORDER BY s.intent_at LIMIT portion FOR UPDATE OF s SKIP LOCKED
    );
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
    DELETE FROM request WHERE request_id IN (
        SELECT request_id FROM request WHERE keep_until <= moment
        ORDER BY keep_until LIMIT portion FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
    DELETE FROM request WHERE request_id IN (
        SELECT request_id FROM request
        WHERE keep_until IS NULL AND opened_at <= before AND (due_at IS NULL OR due_at <= moment)
        ORDER BY opened_at LIMIT portion FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
    DELETE FROM spend WHERE scope IN (
        SELECT scope FROM spend WHERE starts_with(scope, 'run/') AND at <= before
        ORDER BY at LIMIT portion FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
    DELETE FROM run_cancel WHERE run IN (
        SELECT run FROM run_cancel WHERE at <= moment - interval '1 day'
        ORDER BY at LIMIT portion FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
    DELETE FROM wait w WHERE NOT EXISTS (SELECT FROM lane l WHERE l.id = w.caller);
    DELETE FROM mail m WHERE NOT EXISTS (SELECT FROM process p WHERE p.id = m.process AND NOT p.dead);
    DELETE FROM process WHERE id IN (
        SELECT id FROM process WHERE dead AND died_at <= before ORDER BY id LIMIT portion FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN total + n;
END $$;
