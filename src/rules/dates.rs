//! Every way publishers write a date, to a timestamp; the zone is the source's.
