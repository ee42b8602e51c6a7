-- Tables of the SQLite journal (journal.md section 1). Times are seconds of the machine's clock.

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

CREATE TABLE j_lane (
    id BLOB PRIMARY KEY,
    "group" TEXT NOT NULL,
    key TEXT NOT NULL,
    owner INTEGER,
    token INTEGER NOT NULL DEFAULT 0,
    running INTEGER,
    ready_at REAL NOT NULL
) WITHOUT ROWID;

CREATE INDEX j_lane_free ON j_lane ("group", ready_at) WHERE owner IS NULL;

CREATE TABLE j_delivery (
    pos INTEGER PRIMARY KEY,
    lane BLOB NOT NULL,
    identity BLOB NOT NULL UNIQUE,
    head BLOB NOT NULL,
    body BLOB,
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX j_delivery_lane ON j_delivery (lane);

CREATE TABLE j_address (
    pos INTEGER NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    PRIMARY KEY (pos, topic, partition)
) WITHOUT ROWID;

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

CREATE TABLE j_agent (lane BLOB PRIMARY KEY, version INTEGER NOT NULL, snapshot BLOB NOT NULL);

CREATE TABLE j_step (
    seq INTEGER PRIMARY KEY,
    turn BLOB NOT NULL,
    key BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    token INTEGER NOT NULL,
    opened_at REAL NOT NULL,
    result BLOB,
    UNIQUE (turn, key)
);

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
