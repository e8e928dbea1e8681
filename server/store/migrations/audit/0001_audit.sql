-- What people and other systems did. Times are milliseconds since 1970-01-01T00:00:00Z. Each row
-- holds a hash over itself and the hash of the row before it, so that no row can be changed or
-- taken out without a trace.
CREATE TABLE audit (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  user    TEXT NOT NULL,
  role    TEXT,
  origin  TEXT NOT NULL,
  action  TEXT NOT NULL,
  target  TEXT NOT NULL,
  before  TEXT,
  after   TEXT,
  is_done INTEGER NOT NULL,
  detail  TEXT NOT NULL,
  hash    TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_user ON audit (user, at, id);
CREATE INDEX audit_by_action ON audit (action, at, id);
CREATE INDEX audit_by_target ON audit (target, at, id);

-- The last row that was forgotten for its age: where the chain begins.
CREATE TABLE anchor (
  only INTEGER PRIMARY KEY CHECK (only = 0),
  id   INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
