-- What was let go, when and by which rule: one row for all that went at once by the same rule.
CREATE TABLE pruning (
  num  INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  tier TEXT    NOT NULL CHECK (tier IN ('revisions', 'bodies', 'metadata')),
  rule TEXT    NOT NULL,
  UNIQUE (at, tier, rule)
) STRICT;

-- NULL: the article is whole. Otherwise its body is '', and by tier 'metadata' its title too, and id, link, summary and
-- `more` are NULL. The row itself stays, with dates, hashes and numbers: files of the archive hang on it.
ALTER TABLE article ADD COLUMN pruned INTEGER REFERENCES pruning (num);

ALTER TABLE meta ADD COLUMN last_prune INTEGER;                   -- when all was last gone through

-- Files that were in the archive with numbers this store had not given: it is an older copy that was put back, or a new
-- one beside an old archive. An article with the same words takes its file over, so that there is no second one.
CREATE TABLE stray (
  content TEXT PRIMARY KEY CHECK (length(content) = 16),          -- the id in its name
  name    TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
