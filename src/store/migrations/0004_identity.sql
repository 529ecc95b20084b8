-- Other keys under which entries came: ids that were dropped, added or changed (P-121, P-123). An entry keeps its first.
CREATE TABLE alias (
  feed  INTEGER NOT NULL REFERENCES feed (num),
  kind  INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
  key   TEXT    NOT NULL,
  entry INTEGER NOT NULL REFERENCES entry (first_seq),
  since INTEGER NOT NULL,
  PRIMARY KEY (feed, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_by_entry ON alias (entry);

-- '' is the text of the entry's key, which has an index.
CREATE INDEX article_by_link ON article (link) WHERE link <> '';

-- Entries with an id that another feed had first (P-124): the owner of the id is shown for both.
CREATE TABLE borrowed (
  entry INTEGER PRIMARY KEY REFERENCES entry (first_seq),
  owner INTEGER NOT NULL REFERENCES entry (first_seq)
) STRICT;
CREATE INDEX borrowed_by_owner ON borrowed (owner);
CREATE INDEX entry_by_id ON entry (key) WHERE kind = 1;

-- Entries of a listing that was judged as a whole and not read in one poll: they are withheld when they come.
CREATE TABLE awaited (
  feed  INTEGER NOT NULL REFERENCES feed (num),
  kind  INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
  key   TEXT    NOT NULL,
  why   TEXT    NOT NULL CHECK (why IN ('flood', 'backlog', 'rule')),
  since INTEGER NOT NULL,
  PRIMARY KEY (feed, kind, key)
) STRICT, WITHOUT ROWID;

-- The last flood of each feed: its entries are in `withheld`.
CREATE TABLE flood (
  feed    INTEGER PRIMARY KEY REFERENCES feed (num),
  since   INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  most    INTEGER NOT NULL,                                      -- so many would have passed
  polls   INTEGER NOT NULL,                                      -- that found it still there, in a row
  state   TEXT    NOT NULL CHECK (state IN ('waits', 'left', 'released')),
  largest INTEGER NOT NULL                                       -- that was ever released
) STRICT;
