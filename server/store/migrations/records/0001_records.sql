-- The audit trail: one row is one record. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE records (
  id          INTEGER PRIMARY KEY,
  at          INTEGER NOT NULL,
  kind        TEXT NOT NULL,
  connection  TEXT,
  device      TEXT,
  user        TEXT,
  detail      TEXT NOT NULL,
  frames_sent INTEGER,
  bytes_sent  INTEGER
) STRICT;

CREATE INDEX records_by_connection ON records (connection, at) WHERE connection IS NOT NULL;
CREATE INDEX records_by_time ON records (at);
