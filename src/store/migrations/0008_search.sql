-- What articles are found by. All of it can be made anew from the articles: it follows them by numbers of its own, in
-- slices, and is never on a poll's path. Contentless, without positions: a hit is looked at again in the article itself.

-- The terms of the latest revision of each entry, under its number. `ascii` only cuts at blanks here: terms are made by
-- rules/terms, and every other tokenizer of SQLite has its own opinion of letters.
CREATE VIRTUAL TABLE search USING fts5 (
  terms, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- The single characters of blocks of sixteen numbers, written once when a block is full: a text of one character has no
-- pair, and a list of its articles would be half as long as the store.
CREATE VIRTUAL TABLE search_block USING fts5 (
  terms, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- How far the index is, and by which recipe.
CREATE TABLE search_state (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  recipe INTEGER NOT NULL,
  next   INTEGER NOT NULL CHECK (next >= 0),                     -- the first number that is not indexed
  block  INTEGER NOT NULL CHECK (block >= 0)                     -- the first block that is not written
) STRICT;
INSERT INTO search_state (one, recipe, next, block) VALUES (1, 0, 0, 0);
