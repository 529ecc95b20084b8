-- Copies of pictures, for feeds that order them (`images = "copy"`). The files are beside the database, named by their
-- BLAKE3; what is here says which there are, and what they are copies of.

-- Whose pictures are copied, and from which article on.
CREATE TABLE image_feed (
  id    TEXT    PRIMARY KEY,                                     -- as in `feed`, where it may not be yet
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: how far the work is.
CREATE TABLE image_work (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  next  INTEGER NOT NULL DEFAULT 0,                              -- the first article whose pictures are not listed yet
  day   INTEGER NOT NULL DEFAULT 0,                              -- days since the epoch
  asked INTEGER NOT NULL DEFAULT 0                               -- requests of that day
) STRICT;
INSERT INTO image_work (one) VALUES (1);

-- The copies: each once, however many addresses it had.
CREATE TABLE image (
  num    INTEGER PRIMARY KEY,
  digest BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
  kind   TEXT    NOT NULL CHECK (kind IN ('jpg', 'png', 'gif', 'webp', 'avif')),
  bytes  INTEGER NOT NULL CHECK (bytes > 0)
) STRICT;

-- Addresses of pictures: those that have a copy, those that wait to be asked, and those that are not asked any more.
CREATE TABLE image_url (
  num    INTEGER PRIMARY KEY,
  url    TEXT    NOT NULL UNIQUE,
  feed   TEXT    NOT NULL,                                       -- in whose name it is asked
  listed INTEGER NOT NULL,
  image  INTEGER REFERENCES image (num),
  due    INTEGER,                                                -- NULL: it is not asked any more
  tries  INTEGER NOT NULL DEFAULT 0,
  why    TEXT,                                                   -- why there is no copy
  CHECK (image IS NULL OR due IS NULL)
) STRICT;
CREATE INDEX image_url_due ON image_url (due) WHERE due IS NOT NULL;
CREATE INDEX image_url_by_image ON image_url (image) WHERE image IS NOT NULL;
CREATE INDEX image_url_in_vain ON image_url (listed) WHERE image IS NULL AND due IS NULL;

-- Which articles show them. An article may be gone.
CREATE TABLE image_use (
  seq INTEGER NOT NULL,
  url INTEGER NOT NULL REFERENCES image_url (num),
  PRIMARY KEY (seq, url)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_use_by_url ON image_use (url);
