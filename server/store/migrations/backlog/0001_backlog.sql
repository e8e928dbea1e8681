-- What the system server has not been told yet, and for a month what it has (S0-46 to S0-51). Times
-- are milliseconds since 1970-01-01T00:00:00Z. No number is given twice, whatever is removed.
CREATE TABLE status_history (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  timestamp     INTEGER NOT NULL,
  record_time   INTEGER NOT NULL,
  status_type   TEXT NOT NULL,
  bit_position  INTEGER,
  old_value     TEXT NOT NULL,
  new_value     TEXT NOT NULL,
  status_name   TEXT NOT NULL,
  device_id     TEXT NOT NULL,
  -- 0 not uploaded, 1 uploaded, 2 failed
  upload_status INTEGER NOT NULL DEFAULT 0,
  upload_time   INTEGER,
  retry_count   INTEGER NOT NULL DEFAULT 0,
  last_error    TEXT
) STRICT;

CREATE INDEX status_history_pending ON status_history (timestamp) WHERE upload_status IN (0, 2);
CREATE INDEX status_history_uploaded ON status_history (upload_time) WHERE upload_status = 1;

-- One row. Numbers of rows belong to this incarnation of the file; counts are kept with each change.
CREATE TABLE life (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  incarnation TEXT NOT NULL,
  rows        INTEGER NOT NULL,
  pending     INTEGER NOT NULL,
  given_up    INTEGER NOT NULL
) STRICT;
