-- What calls return. The types are made with the functions, and like them belong to one release.

-- What a call did as a whole.
CREATE TYPE summary AS (
    refused integer[],
    repeats integer,
    rows bigint[],
    reply_rows bigint[],
    reply_turns integer[],
    reply_topics text[],
    reply_partitions integer[],
    cycles bytea[],
    beat bigint
);

-- One row is the summary, which comes last, every other row is a lane that was started; so a call stays one round
-- trip however many things it returns. Flags: 1 the deadline has passed, 2 cancelled.
CREATE TYPE effect AS (
    lane bytea,
    "group" text,
    key text,
    token bigint,
    pos bigint,
    identity bytea,
    head bytea,
    body bytea,
    attempts integer,
    failures integer,
    crashes integer,
    version bigint,
    unsent integer,
    flags integer,
    summary summary
);

-- Milliseconds since the epoch by the journal's clock: deadlines and due times are kept so.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- Inlined into its callers: no call per row.
CREATE FUNCTION flags_of(deadline_ms bigint, cancelled boolean, moment_ms bigint) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((deadline_ms <= moment_ms)::integer, 0) + coalesce(2 * cancelled::integer, 0)
$$;
