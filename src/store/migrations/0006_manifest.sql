-- Which day a file of the archive belongs to, and how long it is: what its manifest says of it.
-- The day is counted from 1970-01-01, UTC: that in which its article was recorded, or the latest of the files before it,
-- so that no file comes into a day that is over, however clocks were set.
ALTER TABLE archive_file ADD COLUMN day INTEGER;
ALTER TABLE archive_file ADD COLUMN size INTEGER CHECK (size >= -1); -- NULL: not measured yet; -1: nobody can know it any more
UPDATE archive_file SET day = past.day
  FROM (SELECT f.seq AS seq,
               max((a.recorded - ((a.recorded % 86400000) + 86400000) % 86400000) / 86400000) OVER (ORDER BY f.seq) AS day
          FROM archive_file f JOIN article a ON a.seq = f.seq) AS past
 WHERE past.seq = archive_file.seq;
-- In which order files came into the archive: mostly that of their numbers, but a file that waited comes later.
ALTER TABLE archive_file ADD COLUMN place INTEGER;
UPDATE archive_file SET place = past.place
  FROM (SELECT seq, row_number() OVER (ORDER BY seq) AS place FROM archive_file) AS past
 WHERE past.seq = archive_file.seq;
CREATE UNIQUE INDEX archive_file_by_place ON archive_file (place);
CREATE INDEX archive_file_by_day ON archive_file (day);
CREATE INDEX archive_file_unmeasured ON archive_file (seq) WHERE size IS NULL;

-- The manifests that are written and synced: how many of their day's files they name, and the digest of their bytes.
CREATE TABLE manifest (
  day    INTEGER PRIMARY KEY,
  files  INTEGER NOT NULL CHECK (files > 0),
  digest BLOB    NOT NULL CHECK (length(digest) = 32)            -- BLAKE3
) STRICT;
