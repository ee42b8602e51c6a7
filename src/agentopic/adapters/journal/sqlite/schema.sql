-- Tables of the SQLite journal (journal.md section 1). Times are seconds of the machine's clock, ms where the name says so.

CREATE TABLE j_counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

INSERT INTO j_counter VALUES ('pos', 0), ('row', 0), ('token', 0);

CREATE TABLE j_process (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    groups TEXT NOT NULL,
    address TEXT NOT NULL,
    beat INTEGER NOT NULL DEFAULT 0,
    has_left INTEGER NOT NULL DEFAULT 0,
    ended_at REAL
);

CREATE TABLE j_mark (
    "group" TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER,
    owner INTEGER,
    PRIMARY KEY ("group", topic, partition)
) WITHOUT ROWID;

-- attempts, failures and crashes are those of the lane's first delivery; ready_at is infinite while it only waits.
-- moved: whether the running turn has gone on since it last announced what it waits for.
CREATE TABLE j_lane (
    id BLOB PRIMARY KEY,
    "group" TEXT NOT NULL,
    key TEXT NOT NULL,
    owner INTEGER,
    token INTEGER NOT NULL DEFAULT 0,
    running INTEGER,
    ready_at REAL NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    moved INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE INDEX j_lane_free ON j_lane ("group", ready_at) WHERE owner IS NULL;

-- addresses: JSON [[topic, partition]...]; NULL when nobody waits for an answer.
CREATE TABLE j_delivery (
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

CREATE INDEX j_delivery_lane ON j_delivery (lane);

CREATE TABLE j_seen (identity BLOB NOT NULL UNIQUE, seen_at REAL NOT NULL);

CREATE TABLE j_answer (
    request_id TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    key BLOB,
    value BLOB,
    headers BLOB NOT NULL,
    keep_until REAL NOT NULL
);

CREATE INDEX j_answer_end ON j_answer (keep_until);

CREATE TABLE j_agent (
    lane BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    "group" TEXT,
    snapshot_version INTEGER NOT NULL,
    snapshot BLOB
);

CREATE TABLE j_event (lane BLOB NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE (lane, version));

CREATE TABLE j_step (
    seq INTEGER PRIMARY KEY,
    turn BLOB NOT NULL,
    key BLOB NOT NULL,
    lane BLOB,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    token INTEGER NOT NULL DEFAULT 0,
    opened_at REAL NOT NULL,
    due_ms INTEGER,
    note BLOB,
    result BLOB,
    UNIQUE (turn, key)
);

CREATE INDEX j_step_question ON j_step (opened_at) WHERE kind = 'human' AND result IS NULL;

CREATE TABLE j_wait (
    caller BLOB NOT NULL,
    callee BLOB NOT NULL,
    step BLOB NOT NULL,
    PRIMARY KEY (caller, callee, step)
) WITHOUT ROWID;

CREATE TABLE j_outbox (
    id INTEGER PRIMARY KEY,
    lane BLOB,
    owner INTEGER,
    topic TEXT NOT NULL,
    partition INTEGER,
    key BLOB,
    value BLOB,
    headers BLOB NOT NULL
);

CREATE INDEX j_outbox_lane ON j_outbox (lane) WHERE lane IS NOT NULL;

CREATE INDEX j_outbox_owner ON j_outbox (owner) WHERE owner IS NOT NULL;

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
