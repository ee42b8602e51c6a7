-- Waiting, control, spending, requests of outside callers and event-sourced state. What is added to a table has a
-- constant default, so that no row is rewritten. What calls return is no longer part of the tables.

DROP TYPE effect;

-- `moved`: whether the running turn has gone on since it last announced what it waits for.
ALTER TABLE lane
    ADD paused boolean NOT NULL DEFAULT false,
    ADD moved boolean NOT NULL DEFAULT false;

ALTER TABLE delivery
    ADD deadline_ms bigint,
    ADD caller bytea,
    ADD cancelled boolean NOT NULL DEFAULT false;

-- When a timer fires or a deadline passes, and what a question says. The index holds questions only: `result` must
-- stay out of every index and its condition, so that storing one changes no index.
ALTER TABLE step
    ADD due_ms bigint,
    ADD note bytea;
CREATE INDEX step_human ON step (lane) WHERE kind = 'human';

ALTER TABLE agent
    ALTER snapshot DROP NOT NULL,
    ADD snapshot_version bigint,
    ADD "group" text;
-- Before, a snapshot was all there was: `snapshot_version` null says that it has the agent's version.
UPDATE agent a SET "group" = l."group" FROM lane l WHERE l.id = a.id;

-- The events after the snapshot: storing a snapshot deletes those it has folded.
CREATE TABLE event (
    id bytea NOT NULL,
    version bigint NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (id, version)
);

-- Who waits for whom: a request's step, until its result is there.
CREATE TABLE wait (
    caller bytea NOT NULL,
    callee bytea NOT NULL,
    request bytea NOT NULL,
    PRIMARY KEY (caller, callee, request)
);

CREATE TABLE mail (
    process bigint NOT NULL,
    lane bytea NOT NULL,
    PRIMARY KEY (process, lane)
);

CREATE TABLE run_cancel (
    run text PRIMARY KEY,
    at timestamptz NOT NULL
);

CREATE TABLE request (
    request_id text PRIMARY KEY,
    target text NOT NULL,
    opened_at timestamptz NOT NULL,
    due_at timestamptz,
    outcome text,
    value bytea,
    keep_until timestamptz
);
CREATE INDEX request_opened_at ON request (opened_at) WHERE keep_until IS NULL;
CREATE INDEX request_keep_until ON request (keep_until) WHERE keep_until IS NOT NULL;

-- No index on `at`: it changes with every call, and the sweep reads the scopes of runs once in a while.
CREATE TABLE spend (
    scope text PRIMARY KEY,
    calls bigint NOT NULL,
    saved bigint NOT NULL,
    unknown bigint NOT NULL,
    diverged bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    micros bigint NOT NULL,
    unpriced bigint NOT NULL,
    at timestamptz NOT NULL
) WITH (fillfactor = 50);
