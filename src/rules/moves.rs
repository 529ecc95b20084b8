//! Feeds that are somewhere else for good: when a permanent redirect is believed, and when it smells (POLLING P-71 to P-74).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::feed::FeedState;
use crate::model::ids::FeedId;
use crate::model::learned::{Address, Learned, Moved};
use crate::model::poll::Reading;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// A permanent redirect is believed when it was met so often, over so long (`perm_confirm`). Hotels answer for everybody,
/// but nobody stays in one for a week.
const CONFIRM: (u32, Duration) = (5, Duration::from_hours(7 * 24));

/// The same address over TLS is believed sooner (P-72).
const CONFIRM_TLS: (u32, Duration) = (2, Duration::from_hours(24));

/// A new address that fails for so long is doubted, and the old one tried once (P-73).
const DOUBT: Duration = Duration::from_hours(14 * 24);

/// Feeds that move to one host within this time are one event (P-74).
const AT_ONCE: Duration = Duration::from_hours(1);

/// What is known of a feed's address after a good answer. `ordered` is the address in our orders, `asked` the one that was
/// asked, and `to` where a leading run of permanent redirects led; `same` where what stood there is the same feed.
pub fn observe(
    learned: &mut Learned,
    (ordered, asked): (&PageUrl, &PageUrl),
    to: Option<&PageUrl>,
    same: bool,
    at: Timestamp,
) {
    if ordered == asked && to.is_none() {
        learned.address = None; // the old one is good again
    } else if let Some(address) = &mut learned.address {
        address.tried_old = false; // the new one works
    }
    let Some(to) = to.filter(|_| same) else {
        learned.moved = None; // P-73: a change of mind begins anew
        return;
    };
    let again = |moved: &Moved| moved.to == to.as_str() && moved.from == asked.as_str();
    let moved = match learned.moved.take().filter(again) {
        Some(before) => Moved {
            times: before.times.saturating_add(1),
            until: at.max(before.until),
            ..before
        },
        None => Moved {
            from: asked.as_str().to_owned(),
            to: to.as_str().to_owned(),
            times: 1,
            since: at,
            until: at,
        },
    };
    let (times, over) = if is_upgrade(asked, to) {
        CONFIRM_TLS
    } else {
        CONFIRM
    };
    // P-76: away from TLS, nothing is ever stored.
    let down = asked.as_url().scheme() == "https" && to.as_url().scheme() != "https";
    if !down && moved.times >= times && moved.until.since(moved.since) >= over {
        learned.address = Some(Address {
            from: ordered.as_str().to_owned(),
            to: moved.to,
            tried_old: false,
        });
        return;
    }
    learned.moved = Some(moved);
}

/// Whether a document is of the feed it was before: it has the feed's id, or half of its entries are known.
pub fn is_same(feed: &FeedState, reading: &Reading) -> bool {
    let known = usize::try_from(reading.entries).unwrap_or(usize::MAX);
    let known = known.saturating_sub(reading.arrivals.len());
    let half = reading.met && known * 2 >= usize::try_from(reading.entries).unwrap_or(usize::MAX);
    let id = feed.info.id.is_some() && feed.info.id == reading.info.id;
    half || id
}

/// The address to ask, where the one in our orders is known to have moved. The old one is asked once more where the new
/// one has failed for a fortnight.
pub fn address(feed: &FeedState, ordered: &PageUrl, now: Timestamp) -> Option<PageUrl> {
    let known = feed.learned.address.as_ref()?;
    let good = feed.last_success;
    let doubted = !known.tried_old && good.is_some_and(|good| now.since(good) > DOUBT);
    (known.from == ordered.as_str() && !doubted)
        .then(|| PageUrl::parse(&known.to).ok())
        .flatten()
}

/// A feed as it is asked: its name, its address now, and whether that is one it moved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub feed: FeedId,
    /// Where.
    pub url: PageUrl,
    /// Our orders name another.
    pub moved: bool,
}

impl Asked {
    /// Of what is remembered and the address in our orders.
    pub fn of(feed: &FeedState, ordered: &PageUrl, now: Timestamp) -> Self {
        let new = address(feed, ordered, now);
        Self {
            feed: feed.id.clone(),
            moved: new.is_some(),
            url: new.unwrap_or_else(|| ordered.clone()),
        }
    }
}

/// The feed that is asked in place of this one, since this one moved to its address (P-79): the one that was there before,
/// or of several that moved there the first by name.
pub fn twin<'a>(of: &Asked, mut others: impl Iterator<Item = &'a Asked>) -> Option<&'a FeedId> {
    if !of.moved {
        return None;
    }
    let same = others.find(|other| {
        other.feed != of.feed && other.url == of.url && (!other.moved || other.feed < of.feed)
    });
    same.map(|other| &other.feed)
}

/// Whether so many feeds redirect to this host at once that somebody in between does it: a fifth of all, or feeds of
/// three unrelated hosts, within an hour. Then nothing is believed.
pub fn is_mass_move(feeds: &[FeedState], to: &PageUrl, now: Timestamp) -> bool {
    let host = |text: &str| PageUrl::parse(text).map_or(String::new(), |url| url.host().to_owned());
    let movers: Vec<&Moved> = feeds
        .iter()
        .filter_map(|feed| feed.learned.moved.as_ref())
        .filter(|moved| now.since(moved.until) <= AT_ONCE && host(&moved.to) == to.host())
        .collect();
    let from: BTreeSet<String> = movers
        .iter()
        .map(|moved| host(&moved.from))
        .filter(|from| from != to.host())
        .collect();
    from.len() >= 3 || (from.len() >= 2 && movers.len() * 5 > feeds.len())
}

fn is_upgrade(from: &PageUrl, to: &PageUrl) -> bool {
    // An address without a port of its own: what follows the scheme is all the rest.
    let rest = |url: &PageUrl, scheme: &str| url.as_str().strip_prefix(scheme).map(str::to_owned);
    let from = rest(from, "http://");
    from.is_some() && from == rest(to, "https://")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::feed::FeedInfo;

    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);
    const AT: Timestamp = Timestamp::EPOCH;

    fn url(text: &str) -> PageUrl {
        PageUrl::parse(text).unwrap()
    }

    /// What is known after polls of `from`, each so many hours after the first and ending there.
    fn after(from: &str, polls: &[(u32, Option<&str>)]) -> Learned {
        let from = url(from);
        let mut learned = Learned::default();
        for (hours, to) in polls {
            let to = to.map(url);
            observe(
                &mut learned,
                (&from, &from),
                to.as_ref(),
                true,
                AT.plus(HOUR * *hours),
            );
        }
        learned
    }

    const A: &str = "https://a.test/feed";
    const B: Option<&str> = Some("https://b.test/feed");

    #[test]
    fn p_71_a_move_is_believed_after_five_meetings_in_a_week() {
        let to = |polls: &[(u32, Option<&str>)]| after(A, polls).address.map(|address| address.to);
        let four_then = |hours| [(0, B), (24, B), (48, B), (72, B), (hours, B)];
        assert_eq!(to(&four_then(24 * 7 - 1)), None, "less than a week");
        assert_eq!(to(&four_then(24 * 7)).as_deref(), B);
        assert_eq!(
            to(&[(0, B), (24 * 8, B), (24 * 9, B), (24 * 10, B)]),
            None,
            "four"
        );
    }

    #[test]
    fn p_72_the_same_over_tls_is_believed_after_a_day() {
        let moved = |to: &str, hours| {
            let polls = [(0, Some(to)), (hours, Some(to))];
            after("http://a.test/feed?x", &polls).address.is_some()
        };
        assert!(moved("https://a.test/feed?x", 24));
        assert!(!moved("https://a.test/feed?x", 23));
        assert!(!moved("https://a.test/feed", 48), "another query");
        assert!(!moved("https://www.a.test/feed?x", 48), "another host");
    }

    #[test]
    fn p_73_a_change_of_mind_begins_anew() {
        let c = Some("https://c.test/feed");
        let times = |polls: &[(u32, Option<&str>)]| after(A, polls).moved.map(|moved| moved.times);
        assert_eq!(times(&[(0, B), (1, B), (2, B)]), Some(3));
        assert_eq!(times(&[(0, B), (1, B), (2, c)]), Some(1));
        assert_eq!(times(&[(0, B), (1, None), (2, B)]), Some(1));
    }

    #[test]
    fn p_73_a_new_address_that_fails_is_doubted_once() {
        let mut feed = FeedState::new("f".parse().unwrap());
        feed.learned.address = Some(Address {
            from: A.to_owned(),
            to: B.unwrap().to_owned(),
            tried_old: false,
        });
        feed.last_success = Some(AT);
        let asked = |feed: &FeedState, days| address(feed, &url(A), AT.plus(DAY * days));
        assert_eq!(asked(&feed, 14), Some(url(B.unwrap())));
        assert_eq!(asked(&feed, 15), None, "the old one is tried");
        feed.learned.address.as_mut().unwrap().tried_old = true;
        assert_eq!(asked(&feed, 16), Some(url(B.unwrap())));
        let other = address(&feed, &url("https://other.test/"), AT);
        assert_eq!(other, None, "our orders name another address now");
        // The old one answers without a redirect: it is good again.
        observe(&mut feed.learned, (&url(A), &url(A)), None, true, AT);
        assert_eq!(feed.learned.address, None);
    }

    #[test]
    fn p_76_nobody_is_moved_away_from_tls_or_to_another_feed() {
        let down = Some("http://a.test/feed");
        let polls = [
            (0, down),
            (24, down),
            (48, down),
            (96, down),
            (24 * 9, down),
        ];
        assert_eq!(after(A, &polls).address, None);
        let mut learned = Learned::default();
        observe(
            &mut learned,
            (&url(A), &url(A)),
            Some(&url(B.unwrap())),
            false,
            AT,
        );
        assert_eq!(learned.moved, None);
    }

    #[test]
    fn p_71_the_same_feed_has_its_id_or_half_of_its_entries() {
        let mut feed = FeedState::new("f".parse().unwrap());
        feed.info.id = Some("urn:f".to_owned());
        let same = |met, arrivals: usize, id: Option<&str>| {
            let reading = Reading {
                info: FeedInfo {
                    id: id.map(str::to_owned),
                    ..FeedInfo::default()
                },
                entries: 10,
                met,
                arrivals: vec![None; arrivals],
                ..Reading::default()
            };
            is_same(&feed, &reading)
        };
        assert!(same(true, 5, None));
        assert!(!same(true, 6, None));
        assert!(!same(false, 0, None));
        assert!(same(false, 10, Some("urn:f")));
        assert!(!same(false, 10, Some("urn:g")));
    }

    #[test]
    fn p_79_two_that_come_to_one_address_are_asked_once() {
        let asked = |feed: &str, at: &str, moved| Asked {
            feed: feed.parse().unwrap(),
            url: url(at),
            moved,
        };
        let c = "https://c.test/feed";
        let all = [
            asked("a", c, true),
            asked("b", c, true),
            asked("d", "https://d.test/feed", true),
            asked("e", "https://d.test/feed", false),
        ];
        let twin_of = |n: usize| twin(&all[n], all.iter()).map(FeedId::as_str);
        assert_eq!(twin_of(0), None, "the first of those that moved");
        assert_eq!(twin_of(1), Some("a"));
        assert_eq!(twin_of(2), Some("e"), "who was there before");
        assert_eq!(twin_of(3), None);
        // Two orders for one address are two orders.
        let ordered = [asked("a", c, false), asked("b", c, false)];
        assert_eq!(twin(&ordered[1], ordered.iter()), None);
    }

    #[test]
    fn p_74_a_portal_that_answers_for_everybody_moves_nobody() {
        let portal = "https://portal.test/login";
        let feed = |n: u32, from: &str, to: &str, minutes_ago: u64| {
            let mut feed = FeedState::new(format!("f{n}").parse().unwrap());
            let at = AT.minus(Duration::from_mins(minutes_ago));
            feed.learned.moved = Some(Moved {
                from: from.to_owned(),
                to: to.to_owned(),
                times: 4,
                since: at,
                until: at,
            });
            feed
        };
        let others = |count: u32| {
            (100..100 + count).map(|n| FeedState::new(format!("f{n}").parse().unwrap()))
        };
        let mass = |feeds: &[FeedState]| is_mass_move(feeds, &url(portal), AT);
        let three = ["https://a.test/", "https://b.test/", "https://c.test/"];
        let movers = |to: &str, ago| -> Vec<FeedState> {
            (0..)
                .zip(three)
                .map(|(n, from)| feed(n, from, to, ago))
                .collect()
        };
        let crowd = |movers: Vec<FeedState>| -> Vec<FeedState> {
            movers.into_iter().chain(others(97)).collect()
        };
        assert!(mass(&crowd(movers(portal, 5))), "three unrelated hosts");
        assert!(!mass(&crowd(movers(portal, 61))), "not at once");
        assert!(!mass(&crowd(movers("https://d.test/", 5))), "not there");
        let two: Vec<FeedState> = movers(portal, 5).into_iter().take(2).collect();
        assert!(
            mass(&two.iter().cloned().chain(others(7)).collect::<Vec<_>>()),
            "a fifth of all"
        );
        assert!(!mass(&two.into_iter().chain(others(9)).collect::<Vec<_>>()));
        // A publisher that moves all its feeds to a host of its own.
        let own: Vec<FeedState> = (0..9)
            .map(|n| feed(n, "https://a.test/x", portal, 5))
            .collect();
        assert!(!mass(&own));
    }
}
