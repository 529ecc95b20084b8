//! What a feed says of when to ask it: `ttl`, `skipHours`, `skipDays`, the syndication module, `podcast:updateFrequency`.

use super::cursor::{Cursor, Fault, Step, Tag};
use super::names::Ns;
use crate::model::hints::{Hints, Updates};
use crate::model::time::Zone;
use crate::rules::dates;

/// Hints as they are gathered: the syndication module says one thing in three elements.
#[derive(Default)]
pub(super) struct Said {
    hints: Hints,
    period: Option<String>,
    frequency: Option<String>,
    base: Option<String>,
}

impl Said {
    /// Reads the element and consumes it, if it is one of these; says whether it was.
    pub fn child<'t>(&mut self, cursor: &mut Cursor<'t>, tag: &Tag<'t>) -> Result<bool, Fault> {
        match (tag.ns, tag.local) {
            (Ns::Rss, "ttl") => self.hints.ttl = Hints::ttl(&cursor.inner()?.text),
            (Ns::Rss, "skipHours") => {
                let hints = &mut self.hints;
                each(cursor, "hour", |text| hints.skip_hour(text))?;
            }
            (Ns::Rss, "skipDays") => {
                let hints = &mut self.hints;
                each(cursor, "day", |text| hints.skip_day(text))?;
            }
            (Ns::Syndication, "updatePeriod") => self.period = Some(cursor.inner()?.text),
            (Ns::Syndication, "updateFrequency") => self.frequency = Some(cursor.inner()?.text),
            (Ns::Syndication, "updateBase") => self.base = Some(cursor.inner()?.text),
            (Ns::Podcast, "updateFrequency") => {
                let complete = tag.attr("complete");
                self.hints.ended = complete.is_some_and(|word| word.trim() == "true");
                let depth = cursor.depth();
                cursor.skip(depth)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// All of them.
    pub fn hints(self, zone: &Zone) -> Hints {
        let base = self.base.and_then(|base| dates::parse(&base, zone, None));
        let (period, frequency) = (self.period.as_deref(), self.frequency.as_deref());
        Hints {
            updates: Updates::read(period, frequency, base),
            ..self.hints
        }
    }
}

/// The texts of the children of this name.
fn each(cursor: &mut Cursor<'_>, name: &str, mut take: impl FnMut(&str)) -> Result<(), Fault> {
    let depth = cursor.depth();
    while cursor.depth() >= depth {
        match cursor.next()? {
            Step::Start(child) if child.is(Ns::Rss, name) => take(&cursor.inner()?.text),
            Step::Eof => return Err(cursor.cut()),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::super::{json, xml};
    use super::*;
    use crate::model::time::Timestamp;
    use crate::model::urls::PageUrl;

    const HOUR: Duration = Duration::from_hours(1);

    fn hints(channel: &str) -> Hints {
        let page = PageUrl::parse("https://news.example/feed").unwrap();
        let text = format!(
            "<rss version='2.0' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/' \
             xmlns:p='https://podcastindex.org/namespace/1.0'><channel><title>t</title>{channel}\
             <item><title>a</title><ttl>5</ttl><guid>1</guid></item></channel></rss>"
        );
        xml::read(&text, &page, &Zone::utc()).unwrap().hints
    }

    #[test]
    fn p_25_p_26_a_channel_says_when_to_leave_it_alone() {
        assert_eq!(
            hints(""),
            Hints::default(),
            "an item's ttl is not the feed's"
        );
        assert_eq!(hints("<ttl> 90 </ttl>").ttl, Some(HOUR * 3 / 2));
        assert_eq!(hints("<ttl>0</ttl>").ttl, None);
        let said = hints(
            "<skipHours><hour>24</hour><hour>7</hour><hour>x</hour></skipHours>\
             <skipDays><day>sunday</day><other>Monday</other></skipDays>",
        );
        assert_eq!((said.skip_hours, said.skip_days), (0b1000_0001, 0b100_0000));
    }

    #[test]
    fn p_27_the_syndication_module_is_read_by_its_name_not_its_prefix() {
        let said = hints(
            "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>\
             <sy:updateBase>2026-11-21T08:20:00Z</sy:updateBase>",
        );
        let base = Timestamp::from_secs(1_795_249_200);
        assert_eq!(
            said.updates,
            Some(Updates {
                every: HOUR * 12,
                base: Some(base)
            })
        );
        assert_eq!(
            hints("<sy:updatePeriod>hourly</sy:updatePeriod>").updates,
            None
        );
    }

    #[test]
    fn p_28_a_feed_says_that_it_has_ended() {
        assert!(hints("<p:updateFrequency complete='true'>over</p:updateFrequency>").ended);
        assert!(!hints("<p:updateFrequency complete='false'>weekly</p:updateFrequency>").ended);
        let page = PageUrl::parse("https://news.example/feed").unwrap();
        let text = r#"{"version":"https://jsonfeed.org/version/1.1","expired":true,"items":[]}"#;
        assert!(json::read(text, &page, &Zone::utc()).unwrap().hints.ended);
        let text = r#"{"version":"https://jsonfeed.org/version/1.1","expired":"no","items":[]}"#;
        assert!(!json::read(text, &page, &Zone::utc()).unwrap().hints.ended);
    }
}
