-- The form of S0-78: every line has a module and a level. What was there before is of connections.
ALTER TABLE records ADD COLUMN module TEXT NOT NULL DEFAULT 'WebSocket';
ALTER TABLE records ADD COLUMN level TEXT NOT NULL DEFAULT 'INFO';

UPDATE records SET level = 'WARN'
  WHERE kind IN ('refused', 'data_lost', 'malformed', 'tampered', 'flooded', 'slow', 'lost');
UPDATE records SET level = 'ERROR' WHERE kind = 'dropped';

CREATE INDEX records_by_user ON records (user, at) WHERE user IS NOT NULL;
CREATE INDEX records_by_device ON records (device, at) WHERE device IS NOT NULL;
CREATE INDEX records_by_kind ON records (kind, at);
CREATE INDEX records_by_module ON records (module, at);
CREATE INDEX records_of_trouble ON records (at) WHERE level <> 'INFO';

-- Every authentication that failed (S0-90).
CREATE TABLE event_records (
  id     INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  kind   TEXT NOT NULL,
  user   TEXT,
  device TEXT,
  detail TEXT NOT NULL
) STRICT;

CREATE INDEX event_records_by_time ON event_records (at);
