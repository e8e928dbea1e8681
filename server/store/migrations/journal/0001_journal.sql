-- What the last minutes need after a restart. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE runs (
  id         INTEGER PRIMARY KEY,
  epoch      TEXT NOT NULL UNIQUE,
  started_at INTEGER NOT NULL,
  alive_at   INTEGER NOT NULL
) STRICT;

-- Rising ids are the order in which things happened. An event that is written twice is there once.
CREATE TABLE events (
  id     INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  epoch  TEXT NOT NULL,
  stream TEXT NOT NULL,
  offset INTEGER NOT NULL,
  event  TEXT NOT NULL,
  UNIQUE (epoch, stream, offset)
) STRICT;

CREATE INDEX events_by_time ON events (at);

CREATE TABLE known (
  device TEXT PRIMARY KEY,
  facts  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- `run` is the one that last told of the stay.
CREATE TABLE stays (
  connection TEXT PRIMARY KEY,
  device     TEXT NOT NULL,
  user       TEXT,
  left       INTEGER,
  bases      TEXT NOT NULL,
  run        INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX stays_by_end ON stays (left);
