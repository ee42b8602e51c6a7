-- From version 1 to 2: parking, control, questions, spending, requests, events.

ALTER TABLE j_lane ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;

ALTER TABLE j_lane ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;

ALTER TABLE j_lane ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;

ALTER TABLE j_lane ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;

ALTER TABLE j_lane ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;

UPDATE j_lane SET (attempts, failures, crashes) = (
    SELECT attempts, failures, crashes FROM j_delivery WHERE lane = j_lane.id ORDER BY pos LIMIT 1
) WHERE EXISTS (SELECT 1 FROM j_delivery WHERE lane = j_lane.id);

CREATE TABLE j_delivery_2 (
    pos INTEGER PRIMARY KEY,
    lane BLOB NOT NULL,
    identity BLOB NOT NULL UNIQUE,
    cancelled INTEGER NOT NULL DEFAULT 0,
    deadline_ms INTEGER,
    caller BLOB,
    request_id TEXT,
    addresses TEXT,
    head BLOB NOT NULL,
    body BLOB
);

INSERT INTO j_delivery_2 (pos, lane, identity, addresses, head, body)
SELECT pos, lane, identity, (
    SELECT json_group_array(json_array(topic, partition)) FROM j_address WHERE j_address.pos = j_delivery.pos
    HAVING count(*) > 0
), head, body FROM j_delivery;

DROP TABLE j_delivery;

DROP TABLE j_address;

ALTER TABLE j_delivery_2 RENAME TO j_delivery;

CREATE INDEX j_delivery_lane ON j_delivery (lane);

CREATE TABLE j_agent_2 (
    lane BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    "group" TEXT,
    snapshot_version INTEGER NOT NULL,
    snapshot BLOB
);

INSERT INTO j_agent_2 (lane, version, snapshot_version, snapshot) SELECT lane, version, version, snapshot FROM j_agent;

DROP TABLE j_agent;

ALTER TABLE j_agent_2 RENAME TO j_agent;

CREATE TABLE j_event (lane BLOB NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE (lane, version));

ALTER TABLE j_step ADD COLUMN lane BLOB;

ALTER TABLE j_step ADD COLUMN due_ms INTEGER;

ALTER TABLE j_step ADD COLUMN note BLOB;

UPDATE j_step SET lane = (SELECT lane FROM j_delivery WHERE identity = j_step.turn);

CREATE INDEX j_step_question ON j_step (opened_at) WHERE kind = 'human' AND result IS NULL;

CREATE TABLE j_wait (
    caller BLOB NOT NULL,
    callee BLOB NOT NULL,
    step BLOB NOT NULL,
    PRIMARY KEY (caller, callee, step)
) WITHOUT ROWID;

CREATE TABLE j_mail (process INTEGER NOT NULL, lane BLOB NOT NULL, PRIMARY KEY (process, lane)) WITHOUT ROWID;

CREATE TABLE j_run_cancel (run TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE j_request (
    id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    opened_at REAL NOT NULL,
    due_at REAL,
    outcome TEXT,
    value BLOB,
    keep_until REAL
);

CREATE TABLE j_spend (
    scope TEXT PRIMARY KEY,
    calls INTEGER NOT NULL,
    saved INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    diverged INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    micros INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    at REAL NOT NULL
);
