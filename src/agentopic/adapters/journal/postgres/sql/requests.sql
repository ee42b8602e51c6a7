-- Requests of callers outside a turn.

CREATE FUNCTION request_row(asked text, is_fresh boolean) RETURNS TABLE (
    request_id text, target text, remaining float8, due_ms bigint, outcome text, value bytea, fresh boolean
) LANGUAGE sql AS $$
    SELECT r.request_id, r.target, extract(epoch FROM r.due_at - clock_timestamp())::float8,
        floor(extract(epoch FROM r.due_at) * 1000)::bigint, r.outcome, r.value, is_fresh
    FROM request r WHERE r.request_id = asked
$$;

CREATE FUNCTION open_request(me bigint, asked text, of_target text, seconds float8) RETURNS TABLE (
    request_id text, target text, remaining float8, due_ms bigint, outcome text, value bytea, fresh boolean
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM alive(me);
    INSERT INTO request (request_id, target, opened_at, due_at)
        VALUES (asked, of_target, clock_timestamp(), clock_timestamp() + make_interval(secs => seconds))
        ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT * FROM request_row(asked, FOUND);
END $$;

-- One that was forgotten stays forgotten.
CREATE FUNCTION close_request(me bigint, asked text, ended text, answered bytea, keep float8) RETURNS TABLE (
    request_id text, target text, remaining float8, due_ms bigint, outcome text, value bytea, fresh boolean
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM alive(me);
    UPDATE request r SET outcome = ended, value = answered, keep_until = clock_timestamp() + make_interval(secs => keep)
        WHERE r.request_id = asked AND r.outcome IS NULL;
    RETURN QUERY SELECT * FROM request_row(asked, false);
END $$;
