-- Up to when ages were counted when all was last gone through: a clock that leaps ahead is not believed at once.
ALTER TABLE meta ADD COLUMN judged INTEGER;
