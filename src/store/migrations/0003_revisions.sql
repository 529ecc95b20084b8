-- How entries change without their publisher's word; no row: they did not (P-126, P-127).
CREATE TABLE restless (
  entry INTEGER PRIMARY KEY REFERENCES entry (first_seq),
  quiet INTEGER NOT NULL,                                        -- changes so far that brought no dated new words
  held  TEXT CHECK (held IN ('spent', 'returned', 'older', 'often')), -- what comes is not stored, for this reason
  since INTEGER,                                                 -- since when
  raw   BLOB CHECK (length(raw) = 16),                           -- what came last
  stays INTEGER,                                                 -- since when it was this and nothing else
  seen  INTEGER,                                                 -- and how often in a row
  last  INTEGER,                                                 -- when, to within some hours
  CHECK ((held IS NULL) = (since IS NULL) AND (held IS NULL) = (raw IS NULL) AND (held IS NULL) = (stays IS NULL)
     AND (held IS NULL) = (seen IS NULL) AND (held IS NULL) = (last IS NULL))
) STRICT;

-- Entries their publishers took back. Their words stay.
CREATE TABLE withdrawn (
  entry   INTEGER PRIMARY KEY REFERENCES entry (first_seq),
  at      INTEGER NOT NULL,                                      -- when we saw it
  how     TEXT    NOT NULL CHECK (how IN ('deleted-entry', 'gone')),
  said    INTEGER,                                               -- when it was, by the publisher
  comment TEXT,
  times   INTEGER NOT NULL,
  back    INTEGER                                                -- when it was there again
) STRICT;
