-- Orders from their acceptance to their outcome. Times are milliseconds since 1970-01-01T00:00:00Z;
-- steps and `ms` are milliseconds since the order was accepted.
CREATE TABLE commands (
  id          INTEGER PRIMARY KEY,
  accepted_at INTEGER NOT NULL,
  origin      TEXT NOT NULL,
  user        TEXT NOT NULL,
  device      TEXT NOT NULL,
  command_id  TEXT NOT NULL,
  command     TEXT NOT NULL,
  param       TEXT,
  valid_until INTEGER,
  via         TEXT NOT NULL,
  recorded    INTEGER,
  sent        INTEGER,
  written     INTEGER,
  -- No outcome yet: this and all that follows.
  finished_at INTEGER,
  failure     TEXT,
  detail      TEXT,
  verified    INTEGER,
  old         TEXT,
  new         TEXT,
  ms          INTEGER,
  -- After ten minutes the same id is another order.
  UNIQUE (device, command_id, user, origin, accepted_at)
) STRICT;

-- Each way to filter finds its newest orders first.
CREATE INDEX commands_by_time ON commands (accepted_at);
CREATE INDEX commands_by_device ON commands (device, accepted_at);
CREATE INDEX commands_by_user ON commands (user, accepted_at);
CREATE INDEX commands_by_command ON commands (command, accepted_at);
CREATE INDEX commands_by_origin ON commands (origin, accepted_at);
CREATE INDEX commands_by_failure ON commands (failure, accepted_at) WHERE failure IS NOT NULL;
CREATE INDEX commands_failed ON commands (accepted_at) WHERE failure IS NOT NULL;
CREATE INDEX commands_open ON commands (accepted_at) WHERE finished_at IS NULL;

-- What orders changed for good. `configured` is what the configuration said at that time.
CREATE TABLE settings (
  key        TEXT PRIMARY KEY,
  value      TEXT NOT NULL,
  configured TEXT NOT NULL,
  at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
