-- How far copies of articles were looked for, and by which rules: what other rules found is made anew.
CREATE TABLE grouping (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  recipe INTEGER NOT NULL,
  window INTEGER NOT NULL,                                       -- milliseconds between the dates of two copies
  cursor INTEGER                                                 -- the last article that was dealt with
) STRICT;

-- What the latest revision of an entry is found by. Stays when the words themselves are no longer kept.
CREATE TABLE print (
  entry  INTEGER PRIMARY KEY REFERENCES entry (first_seq),
  seq    INTEGER NOT NULL,                                       -- the revision
  date   INTEGER NOT NULL,                                       -- of the entry, as it was then
  len    INTEGER NOT NULL CHECK (len >= 0),                      -- folded characters without the site's own
  title  INTEGER NOT NULL,                                       -- keys; 0: none
  lead   INTEGER NOT NULL,
  sketch BLOB    NOT NULL CHECK (length(sketch) = 128),
  lines  BLOB    NOT NULL CHECK (length(lines) % 8 = 0)          -- hashes of its lines in `feed_line`
) STRICT;
CREATE INDEX print_by_date ON print (date, entry);

-- Lines at the ends of a feed's entries: those of many are the feed's and no article's. Of one line some dozen are kept.
CREATE TABLE feed_line (
  feed  INTEGER NOT NULL REFERENCES feed (num),
  line  INTEGER NOT NULL,
  entry INTEGER NOT NULL REFERENCES entry (first_seq),
  PRIMARY KEY (feed, line, entry)
) STRICT, WITHOUT ROWID;

-- What two entries are to each other, and why. The same words need no row.
CREATE TABLE kin (
  a           INTEGER NOT NULL REFERENCES entry (first_seq),
  b           INTEGER NOT NULL REFERENCES entry (first_seq),
  kind        TEXT    NOT NULL CHECK (kind IN ('near', 'subset', 'quotes', 'same-story')),
  jaccard     REAL    NOT NULL,
  containment REAL    NOT NULL,
  estimate    REAL    NOT NULL,
  title       INTEGER NOT NULL CHECK (title IN (0, 1)),
  lead        INTEGER NOT NULL CHECK (lead IN (0, 1)),
  numbers     REAL,
  shorter     INTEGER NOT NULL,                                  -- folded characters
  longer      INTEGER NOT NULL,
  PRIMARY KEY (a, b),
  CHECK (a < b)
) STRICT, WITHOUT ROWID;
CREATE INDEX kin_by_b ON kin (b);

-- Entries that an operator took out of their groups, for good.
CREATE TABLE parted (
  entry INTEGER PRIMARY KEY REFERENCES entry (first_seq),
  since INTEGER NOT NULL
) STRICT;
