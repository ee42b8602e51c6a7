-- Tables of the journal. What is hot is written once and deleted once: what changes about a delivery while it is
-- the head of its lane (attempts, failures, crashes) stands in the lane row, which a turn writes anyway.

CREATE SEQUENCE process_id;
CREATE SEQUENCE token;
CREATE SEQUENCE pos;

-- A process that left with rows of its own unsent is not dead until another has adopted them.
CREATE TABLE process (
    id bigint PRIMARY KEY DEFAULT nextval('process_id'),
    groups text[] NOT NULL,
    address text NOT NULL,
    beat bigint NOT NULL DEFAULT 0,
    left_clean boolean NOT NULL DEFAULT false,
    dead boolean NOT NULL DEFAULT false,
    died_at timestamptz
) WITH (fillfactor = 20);

CREATE TABLE mark (
    "group" text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next bigint,
    owner bigint,
    PRIMARY KEY ("group", topic, partition)
) WITH (fillfactor = 20);

-- Live lanes only. No index on owner: the planner takes it for every lookup and slows fourfold.
-- Deliveries up to `done` are finished: the head is the first pos above it, found without walking dead rows.
-- `unsent` counts the lane's rows in the outbox.
CREATE TABLE lane (
    id bytea PRIMARY KEY,
    "group" text NOT NULL,
    key text NOT NULL,
    owner bigint,
    token bigint,
    running bigint,
    done bigint NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    crashes integer NOT NULL DEFAULT 0,
    unsent integer NOT NULL DEFAULT 0,
    ready_at timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX lane_ready ON lane ("group", ready_at) WHERE owner IS NULL;

CREATE TABLE agent (
    id bytea PRIMARY KEY,
    version bigint NOT NULL,
    snapshot bytea NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE delivery (
    lane bytea NOT NULL,
    pos bigint NOT NULL,
    identity bytea NOT NULL,
    head bytea NOT NULL,
    body bytea,
    request_id text,
    reply_topics text[],
    reply_partitions integer[],
    PRIMARY KEY (lane, pos)
);
ALTER TABLE delivery ALTER head SET STORAGE EXTERNAL, ALTER body SET STORAGE EXTERNAL;

-- One plain table, not one per day: a probe costs one index descent however long the horizon is. The index on the
-- time is cheap (its right edge only, one entry per batch) and lets the sweep delete in portions.
CREATE TABLE seen (
    identity bytea PRIMARY KEY,
    at timestamptz NOT NULL
);
CREATE INDEX seen_at ON seen (at);

CREATE TABLE answer (
    request_id text PRIMARY KEY,
    outcome text NOT NULL,
    key bytea,
    value bytea,
    headers bytea NOT NULL,
    keep_until timestamptz NOT NULL
);
CREATE INDEX answer_keep_until ON answer (keep_until);

CREATE TABLE step (
    turn bytea NOT NULL,
    key bytea NOT NULL,
    ordinal bigint NOT NULL,
    lane bytea NOT NULL,
    token bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    intent_at timestamptz NOT NULL,
    result bytea,
    PRIMARY KEY (turn, key)
) WITH (fillfactor = 60);
CREATE INDEX step_intent_at ON step (intent_at);

-- A row belongs to a lane, which keeps its order, or to a process.
CREATE TABLE outbox (
    id bigint PRIMARY KEY,
    lane bytea,
    process bigint,
    topic text NOT NULL,
    partition integer,
    key bytea,
    value bytea,
    headers bytea NOT NULL,
    CHECK ((lane IS NULL) <> (process IS NULL))
);
CREATE INDEX outbox_lane ON outbox (lane, id) WHERE lane IS NOT NULL;
CREATE INDEX outbox_process ON outbox (process, id) WHERE process IS NOT NULL;
ALTER TABLE outbox ALTER value SET STORAGE EXTERNAL;

-- What one call changed. One row with `lane` null tells about the call as a whole, every other row is a lane that
-- was started; so a call stays one round trip however many things it returns.
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
    refused integer[],
    repeats integer,
    rows bigint[],
    reply_rows bigint[],
    reply_turns integer[],
    reply_topics text[],
    reply_partitions integer[]
);
