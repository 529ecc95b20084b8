-- Times are milliseconds since the Unix epoch, UTC. Numbers of articles are `ArticleSeq`. A migration that has been
-- released is never edited; a change is the next file.

-- One row: what holds for the whole store.
CREATE TABLE meta (
  one            INTEGER PRIMARY KEY CHECK (one = 1),
  river_id       BLOB    NOT NULL CHECK (length(river_id) = 16), -- who we are, for good
  next_seq       INTEGER NOT NULL CHECK (next_seq >= 0),         -- only ever grows: a number is given once
  archive_cursor INTEGER,                                        -- the last article the archive has dealt with
  last_change    INTEGER,                                        -- when an article was last stored; never moves back
  price          REAL,                                           -- of a request, in days (C.6)
  silences       TEXT,                                           -- JSON: who told us to stay away, and until when (P-33)
  recipe         INTEGER NOT NULL,                               -- of every hash in `words`
  kept           INTEGER NOT NULL DEFAULT 0                      -- bytes in `page` and of teasers in `visit`
) STRICT;
INSERT INTO meta (one, river_id, next_seq, recipe) VALUES (1, randomblob(16), 0, 1);

-- What robots.txt of origins said, for a day at most (P-164).
CREATE TABLE robots (
  num    INTEGER PRIMARY KEY,
  origin TEXT    NOT NULL UNIQUE,                                -- scheme, host, port
  asked  INTEGER NOT NULL,
  why    TEXT,                                                   -- it could not be had, for this reason
  rules  BLOB    NOT NULL                                        -- those that are for us, as a robots.txt
) STRICT;

-- What is remembered of a feed between polls.
CREATE TABLE feed (
  num              INTEGER PRIMARY KEY,
  id               TEXT    NOT NULL UNIQUE,
  last_poll        INTEGER,
  last_success     INTEGER,
  failures         INTEGER NOT NULL DEFAULT 0,
  fresh_until      INTEGER,
  not_before       INTEGER,
  not_before_why   TEXT,
  next_poll        INTEGER,
  why_next         TEXT,
  learned          TEXT,                                         -- JSON: rhythm, hints, 429s, moves
  state            TEXT,                                         -- its health, as last judged
  state_since      INTEGER,
  state_why        TEXT,
  closely          INTEGER NOT NULL DEFAULT 0,                   -- 1: every poll is judged, though its state is fine
  polls            INTEGER NOT NULL DEFAULT 0,
  entries          INTEGER NOT NULL DEFAULT 0,                   -- ever seen: rows of `entry`
  lengths          TEXT,                                         -- JSON: characters of its newest entries, newest first
  document         BLOB CHECK (length(document) = 16),
  validators_url   TEXT,                                         -- NULL: no validators
  etag             BLOB,
  last_modified    BLOB,
  info             TEXT,                                         -- JSON
  CHECK ((not_before IS NULL) = (not_before_why IS NULL)),
  CHECK ((state IS NULL) = (state_since IS NULL) AND (state IS NULL) = (state_why IS NULL))
) STRICT;

-- The last polls of each feed, so that decisions can be read back.
CREATE TABLE poll (
  feed     INTEGER NOT NULL REFERENCES feed (num),
  n        INTEGER NOT NULL,                                     -- counts the feed's polls from 1
  at       INTEGER NOT NULL,
  took     INTEGER NOT NULL,                                     -- milliseconds
  result   TEXT    NOT NULL CHECK (result IN ('read', 'unchanged', 'rate-limited', 'gone', 'failed')),
  why      TEXT,
  new      INTEGER NOT NULL,
  revised  INTEGER NOT NULL,
  reprint  INTEGER NOT NULL,
  known    INTEGER NOT NULL,
  next     INTEGER NOT NULL,
  why_next TEXT    NOT NULL,
  more     TEXT,                                                 -- JSON: notes, skipped
  PRIMARY KEY (feed, n)
) STRICT, WITHOUT ROWID;

-- When feeds came into another state of health, and why: what the health feed tells.
CREATE TABLE health (
  n          INTEGER PRIMARY KEY,                                -- only ever grows
  feed       INTEGER NOT NULL REFERENCES feed (num),
  at         INTEGER NOT NULL,
  from_state TEXT    NOT NULL,
  to_state   TEXT    NOT NULL,
  why        TEXT    NOT NULL
) STRICT;

-- Every text there ever was, under the number of the first article that carried it. Outlives articles.
CREATE TABLE words (
  first_seq INTEGER PRIMARY KEY,
  content   BLOB NOT NULL UNIQUE CHECK (length(content) = 32)
) STRICT;

-- Every entry there ever was, under the number of its first article. Outlives articles, so nothing old comes back as
-- new.
CREATE TABLE entry (
  first_seq  INTEGER PRIMARY KEY,
  feed       INTEGER NOT NULL REFERENCES feed (num),
  kind       INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),         -- how it is recognised: id, link, words (P-121)
  key        TEXT    NOT NULL,
  latest_seq INTEGER NOT NULL CHECK (latest_seq >= first_seq),
  words      INTEGER NOT NULL REFERENCES words (first_seq),      -- of the latest revision
  raw        BLOB    NOT NULL CHECK (length(raw) = 16),          -- of the latest revision
  teaser     BLOB CHECK (length(teaser) = 16),                   -- the last one that led to the latest revision
  first_seen INTEGER NOT NULL,
  date       INTEGER NOT NULL,                                   -- what it sorts by: the publisher's date, else first_seen
  revised    INTEGER NOT NULL,                                   -- never moves back (F-07)
  UNIQUE (feed, kind, key)
) STRICT;
CREATE INDEX entry_by_date ON entry (date, latest_seq);
CREATE INDEX entry_by_words ON entry (words);

-- Every revision of every entry, as published. The first with its words has words = seq, and it alone has a file.
-- The body comes last: what is before it can be read without following a long row to its end.
CREATE TABLE article (
  seq          INTEGER PRIMARY KEY,
  entry        INTEGER NOT NULL REFERENCES entry (first_seq),
  words        INTEGER NOT NULL REFERENCES words (first_seq),
  recorded     INTEGER NOT NULL,
  revised      INTEGER NOT NULL,
  published    INTEGER,
  updated      INTEGER,
  cms_date     INTEGER,
  raw          BLOB    NOT NULL CHECK (length(raw) = 16),
  teaser       BLOB CHECK (length(teaser) = 16),
  partial      INTEGER NOT NULL CHECK (partial IN (0, 1)),
  id           TEXT,                                             -- '' is the text of the entry's key
  link         TEXT,                                             -- likewise
  title        TEXT    NOT NULL,
  more         TEXT,                                             -- JSON: authors, categories and what else is rarely there
  summary_kind TEXT,
  summary      TEXT,
  body_kind    TEXT    NOT NULL,
  body         ANY     NOT NULL CHECK (typeof(body) IN ('text', 'blob')), -- BLOB: the text as a zstd frame
  CHECK (words <= seq AND entry <= seq),
  CHECK ((summary IS NULL) = (summary_kind IS NULL))
) STRICT;
CREATE INDEX article_by_entry ON article (entry);

-- The files of the archive.
CREATE TABLE archive_file (
  seq     INTEGER PRIMARY KEY REFERENCES article (seq),
  name    TEXT NOT NULL UNIQUE,
  format  TEXT NOT NULL,
  language TEXT NOT NULL,                                        -- what the file was told of its feed, so that the
  zone    TEXT NOT NULL,                                         -- same bytes can be rendered after it is set otherwise
  digest  BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;

-- Where imported articles came from: files whose names and ids are somebody else's, or an older store's.
CREATE TABLE imported (
  seq        INTEGER PRIMARY KEY REFERENCES article (seq),
  name       TEXT NOT NULL CHECK (name <> ''),
  format     TEXT NOT NULL,
  digest     BLOB NOT NULL CHECK (length(digest) = 32),
  foreign_id TEXT                                                -- the id in the name, where it is not ours
) STRICT;

-- Entries whose own pages were lost for good when they were asked: they wait, so that they neither cost a request at
-- every poll nor stand in the way of those behind them.
CREATE TABLE missed (
  feed  INTEGER NOT NULL REFERENCES feed (num),
  kind  INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
  key   TEXT    NOT NULL,
  times INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  PRIMARY KEY (feed, kind, key)
) STRICT, WITHOUT ROWID;

-- The pages behind entries as they came, for other rules to read again. Bounded: the oldest visits go first. Never
-- published.
CREATE TABLE visit (
  num    INTEGER PRIMARY KEY,
  feed   INTEGER NOT NULL REFERENCES feed (num),
  kind   INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
  key    TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  source TEXT    NOT NULL,
  form   TEXT    NOT NULL CHECK (form IN ('detail', 'article')),
  teaser ANY     NOT NULL CHECK (typeof(teaser) IN ('text', 'blob')) -- JSON: what the feed said; BLOB: as a zstd frame
) STRICT;
CREATE INDEX visit_by_entry ON visit (feed, kind, key);

-- The pages of a visit, in the order they were asked.
CREATE TABLE visited (
  visit      INTEGER NOT NULL REFERENCES visit (num),
  n          INTEGER NOT NULL,
  route      INTEGER NOT NULL,
  asked      TEXT    NOT NULL,
  url        TEXT    NOT NULL,
  media_type TEXT,
  charset    TEXT,
  fetched    INTEGER NOT NULL,
  page       INTEGER NOT NULL REFERENCES page (num),
  PRIMARY KEY (visit, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX visited_by_page ON visited (page);

-- Each body once, however often it came.
CREATE TABLE page (
  num    INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),       -- BLAKE3 of the body as it came
  body   BLOB NOT NULL                                           -- a zstd frame
) STRICT;
