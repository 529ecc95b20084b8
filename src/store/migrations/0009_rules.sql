-- What the operator's rules say of entries: derived, and made anew when the rules change. A round is everything judged by
-- one list of rules; one round stands and is what is shown, and at most one is coming.
CREATE TABLE ruling (
  round  INTEGER PRIMARY KEY AUTOINCREMENT,                      -- only ever grows
  state  TEXT    NOT NULL CHECK (state IN ('standing', 'coming', 'over')),
  print  BLOB    NOT NULL CHECK (length(print) = 32),
  rules  TEXT    NOT NULL,                                       -- JSON: as they were written, in their order
  cursor INTEGER,                                                -- articles up to this number are judged
  since  INTEGER,                                                -- when it came to stand
  CHECK ((state = 'standing') <= (since IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX ruling_one_of_each ON ruling (state) WHERE state <> 'over';

-- Which rules match an entry, by their places in the list, and what they do to it.
CREATE TABLE ruled (
  round INTEGER NOT NULL REFERENCES ruling (round),
  entry INTEGER NOT NULL REFERENCES entry (first_seq),
  rule  INTEGER NOT NULL CHECK (rule >= 0),
  what  TEXT    NOT NULL CHECK (what IN ('drop', 'highlight', 'tag')),
  tag   TEXT    NOT NULL CHECK ((what = 'tag') = (tag <> '')),
  PRIMARY KEY (round, entry, rule, what, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX ruled_by_act ON ruled (round, what, tag, entry);
