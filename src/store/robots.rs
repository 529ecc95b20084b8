//! What robots.txt of origins said, for as long as it holds.

use rusqlite::{Connection, OptionalExtension, params};

use crate::rules::robots::{Kept, Robots, Said};
use crate::store::columns::Cells;
use crate::store::error::StoreError;

/// What this origin said last, whether it still holds or not.
pub(super) fn robots(connection: &Connection, origin: &str) -> Result<Option<Kept>, StoreError> {
    connection
        .prepare_cached("SELECT num, origin, asked, why, rules FROM robots WHERE origin = ?1")?
        .query_row([origin], |row| {
            Ok(Cells::of(row, "robots", "num").and_then(|cells| {
                let rules: Vec<u8> = cells.get("rules")?;
                Ok(Kept {
                    origin: cells.get("origin")?,
                    asked: cells.time("asked")?,
                    said: match cells.get("why")? {
                        Some(why) => Said::Unreachable(why),
                        None => Said::Rules(Robots::parse(&rules)),
                    },
                })
            }))
        })
        .optional()?
        .transpose()
}

/// Keeps what an origin said, and forgets what holds for no origin any longer.
pub(super) fn keep(transaction: &Connection, kept: &Kept) -> Result<(), StoreError> {
    let (why, rules) = match &kept.said {
        Said::Unreachable(why) => (Some(why), Vec::new()),
        Said::Rules(rules) => (None, rules.to_bytes()),
    };
    transaction
        .prepare_cached("DELETE FROM robots WHERE origin = ?1 OR asked < ?2 OR asked > ?3")?
        .execute(params![
            kept.origin,
            Kept::forgotten(kept.asked).millis(),
            kept.asked.millis()
        ])?;
    transaction
        .prepare_cached("INSERT INTO robots (origin, asked, why, rules) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![kept.origin, kept.asked.millis(), why, rules])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::*;
    use crate::model::time::Timestamp;
    use crate::store::schema;

    #[test]
    fn p_164_what_was_said_is_kept_for_its_day() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let at = |hours: i64| Timestamp::from_secs(1_790_000_000 + hours * 3600);
        let kept = |origin: &str, hours, said| Kept {
            origin: origin.to_owned(),
            asked: at(hours),
            said,
        };
        let rules = Robots::parse(b"user-agent: *\ndisallow: /a\nallow: /\xb9");
        let unreachable = Said::Unreachable("HTTP status 500".to_owned());
        for kept in [
            kept("https://a.example", 0, Said::Rules(rules.clone())),
            kept("https://b.example", 1, unreachable.clone()),
        ] {
            keep(&connection, &kept).unwrap();
            assert_eq!(robots(&connection, &kept.origin).unwrap(), Some(kept));
        }
        keep(&connection, &kept("https://a.example", 2, unreachable)).unwrap();
        keep(
            &connection,
            &kept("https://c.example", 26, Said::Rules(rules)),
        )
        .unwrap();
        let left = ["a", "b", "c"].map(|host| {
            let found = robots(&connection, &format!("https://{host}.example")).unwrap();
            found.map(|kept| kept.asked)
        });
        assert_eq!(left, [Some(at(2)), None, Some(at(26))]);
    }
}
