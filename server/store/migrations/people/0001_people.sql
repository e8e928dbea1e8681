-- Who may sign in, and who is. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE accounts (
  name         TEXT PRIMARY KEY,
  -- Argon2id over the SHA-256 of the password, as a PHC string.
  hash         TEXT NOT NULL,
  role         TEXT NOT NULL,
  -- A JSON list of sites; NULL is all of them.
  sites        TEXT,
  created_at   INTEGER NOT NULL,
  password_at  INTEGER NOT NULL,
  is_disabled  INTEGER NOT NULL,
  must_change  INTEGER NOT NULL,
  signed_in_at INTEGER,
  -- When somebody last took a lock off it.
  unlocked_at  INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  id            TEXT PRIMARY KEY,
  account       TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
  since         INTEGER NOT NULL,
  until         INTEGER NOT NULL,
  renewed_at    INTEGER NOT NULL,
  refresh_until INTEGER NOT NULL,
  -- SHA-256 of the refresh token that holds, and of the one before it.
  refresh_hash  TEXT NOT NULL,
  spent_hash    TEXT,
  origin        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_account ON sessions (account);

CREATE TABLE sign_ins (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
  origin  TEXT NOT NULL,
  reason  TEXT
) STRICT;

CREATE INDEX sign_ins_by_account ON sign_ins (account, id);
