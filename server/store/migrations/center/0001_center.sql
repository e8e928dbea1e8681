-- The history of edges, as far as they have told it. Times are milliseconds since
-- 1970-01-01T00:00:00Z; all but `received_at` are the edge's own.
CREATE TABLE edges (
  id          INTEGER PRIMARY KEY,
  edge        TEXT NOT NULL UNIQUE,
  -- Kept with each change, so that nobody has to count.
  rows        INTEGER NOT NULL DEFAULT 0,
  newest      INTEGER,
  received_at INTEGER
) STRICT;

-- Numbers of rows belong to one incarnation of an edge's backlog.
CREATE TABLE sources (
  id          INTEGER PRIMARY KEY,
  edge        INTEGER NOT NULL REFERENCES edges,
  incarnation TEXT NOT NULL,
  UNIQUE (edge, incarnation)
) STRICT;

-- Rising `seq` is the order in which rows came. A row that comes twice is there once.
CREATE TABLE history (
  seq          INTEGER PRIMARY KEY,
  edge         INTEGER NOT NULL,
  source       INTEGER NOT NULL,
  id           INTEGER NOT NULL,
  received_at  INTEGER NOT NULL,
  timestamp    INTEGER NOT NULL,
  record_time  INTEGER NOT NULL,
  status_type  TEXT NOT NULL,
  bit_position INTEGER,
  old_value    TEXT NOT NULL,
  new_value    TEXT NOT NULL,
  status_name  TEXT NOT NULL,
  device_id    TEXT NOT NULL,
  UNIQUE (source, id)
) STRICT;

CREATE INDEX history_by_edge ON history (edge, timestamp);
CREATE INDEX history_by_device ON history (edge, device_id, timestamp);
