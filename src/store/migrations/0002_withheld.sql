-- Entries that are stored and not shown where they would be. Who is released is shown again; its words were never gone.
CREATE TABLE withheld (
  entry INTEGER NOT NULL REFERENCES entry (first_seq),
  why   TEXT    NOT NULL CHECK (why IN ('flood', 'backlog', 'rule')),
  since INTEGER NOT NULL,
  PRIMARY KEY (entry, why)
) STRICT, WITHOUT ROWID;

-- Entries that were released, each under a number of its own: those that follow numbers (RFC 5005 documents) meet it there.
CREATE TABLE revealed (
  cause INTEGER PRIMARY KEY,
  entry INTEGER NOT NULL REFERENCES entry (first_seq)
) STRICT;
