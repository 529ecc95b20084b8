#![allow(clippy::unwrap_used)]

use super::*;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

fn at(minutes: u32) -> Duration {
    MINUTE * minutes
}

/// The place of a host, `https`, its usual port.
fn place(host: &str) -> (String, String) {
    (format!("https://{host}"), host.to_owned())
}

struct World(Silences);

impl World {
    fn new() -> Self {
        Self(Silences::new(HostSet::parse(&["shared.test"]).unwrap()))
    }

    fn answered(&mut self, host: &str, feed: &str, status: u16, wait: Option<u32>, now: Duration) {
        let (origin, host) = place(host);
        let (origin, host) = (origin.as_str(), host.as_str());
        let wait = wait.map(at);
        let feed = feed.parse().unwrap();
        self.0
            .answered(Place { origin, host }, &feed, status, wait, now);
    }

    fn left(&self, host: &str, now: Duration) -> Option<Duration> {
        let (origin, host) = place(host);
        let (origin, host) = (origin.as_str(), host.as_str());
        self.0
            .held(Place { origin, host }, now)
            .map(|held| held.left)
    }

    fn leave(&mut self, host: &str, now: Duration) -> Leave {
        let (origin, host) = place(host);
        let (origin, host) = (origin.as_str(), host.as_str());
        self.0.leave(Place { origin, host }, now)
    }
}

#[test]
fn p_34_a_429_silences_its_origin_alone() {
    let mut world = World::new();
    world.answered("a.t.test", "f", 429, Some(30), at(0));
    assert_eq!(world.left("a.t.test", at(10)), Some(at(20)));
    assert_eq!(world.left("a.t.test", at(30)), None);
    assert_eq!(world.left("b.t.test", at(10)), None);
    let other_port = Place {
        origin: "https://a.t.test:8443",
        host: "a.t.test",
    };
    assert_eq!(world.0.held(other_port, at(10)), None);
    // Without a word on how long.
    world.answered("c.u.test", "f", 429, None, at(0));
    assert_eq!(world.left("c.u.test", at(0)), Some(HOUR * 4));
    world.answered("d.u2.test", "f", 429, Some(u32::MAX), at(0));
    assert_eq!(world.left("d.u2.test", at(0)), Some(CAP_RETRY_AFTER));
}

#[test]
fn p_34_two_hosts_of_a_domain_within_an_hour_silence_the_domain() {
    let mut world = World::new();
    world.answered("u1.t.test", "f", 429, Some(300), at(0));
    world.answered("u1.t.test", "f", 429, Some(300), at(1));
    assert_eq!(world.left("u3.t.test", at(1)), None, "one host is one host");
    world.answered("u2.t.test", "g", 429, Some(10), at(59));
    assert_eq!(
        world.left("u3.t.test", at(59)),
        Some(at(301 - 59)),
        "as long as the longer of the two"
    );
    assert_eq!(world.left("u3.other.test", at(59)), None);
    world.answered("w1.other.test", "h", 429, Some(10), at(59));
    assert_eq!(world.left("w2.other.test", at(59)), None, "one of its own");

    let mut world = World::new();
    world.answered("u1.t.test", "f", 429, Some(300), at(0));
    world.answered("u2.t.test", "g", 429, Some(300), at(60));
    assert_eq!(world.left("u3.t.test", at(60)), None, "an hour apart");

    // Where people have their own names below one suffix, they are strangers to each other.
    let mut world = World::new();
    world.answered("one.co.uk", "f", 429, Some(300), at(0));
    world.answered("two.co.uk", "g", 429, Some(300), at(0));
    assert_eq!(world.left("three.co.uk", at(0)), None);
    // Addresses have no domain.
    world.answered("192.0.2.1", "f", 429, Some(300), at(0));
    world.answered("198.51.2.1", "g", 429, Some(300), at(0));
    assert_eq!(world.left("203.0.2.1", at(0)), None);
}

#[test]
fn p_34_a_503_silences_the_origin_when_two_feeds_got_one() {
    let mut world = World::new();
    world.answered("h.test", "a", 503, Some(60), at(0));
    world.answered("h.test", "a", 503, Some(60), at(1));
    assert_eq!(world.left("h.test", at(1)), None, "the feed's own affair");
    world.answered("h.test", "b", 503, None, at(9));
    assert_eq!(
        world.left("h.test", at(9)),
        Some(HOUR),
        "as the backoff begins"
    );

    let mut world = World::new();
    world.answered("h.test", "a", 503, Some(60), at(0));
    world.answered("h.test", "b", 503, Some(60), at(10));
    assert_eq!(world.left("h.test", at(10)), None, "ten minutes apart");
}

#[test]
fn p_34_independent_hosts_are_never_silent() {
    let mut world = World::new();
    for feed in ["a", "b"] {
        world.answered("shared.test", feed, 429, Some(60), at(0));
        world.answered("shared.test", feed, 503, Some(60), at(0));
    }
    assert_eq!(world.left("shared.test", at(0)), None);
}

#[test]
fn p_33_a_silence_is_never_shortened() {
    let mut world = World::new();
    world.answered("h.test", "a", 429, Some(60), at(0));
    world.answered("h.test", "b", 200, None, at(1));
    world.answered("h.test", "b", 429, Some(1), at(2));
    assert_eq!(world.left("h.test", at(2)), Some(at(58)));
}

#[test]
fn p_36_when_it_opens_one_goes_first() {
    let mut world = World::new();
    world.answered("h.test", "a", 429, Some(60), at(0));
    assert!(matches!(world.leave("h.test", at(59)), Leave::Silent(_)));
    assert_eq!(world.leave("h.test", at(60)), Leave::First);
    assert_eq!(world.leave("h.test", at(60)), Leave::Wait);
    // No answer: the next goes first.
    let (origin, host) = place("h.test");
    let (origin, host) = (origin.as_str(), host.as_str());
    world.0.gave_up(Place { origin, host });
    assert_eq!(world.leave("h.test", at(61)), Leave::First);
    assert_eq!(world.leave("h.test", at(61)), Leave::Wait);
    // Again a 429: silence anew.
    world.answered("h.test", "a", 429, Some(60), at(62));
    assert!(matches!(world.leave("h.test", at(63)), Leave::Silent(_)));
    assert_eq!(world.leave("h.test", at(122)), Leave::First);
    world.answered("h.test", "a", 500, None, at(122));
    assert_eq!(world.leave("h.test", at(122)), Leave::Go);
    assert_eq!(world.leave("h.test", at(122)), Leave::Go);
}

#[test]
fn p_36_a_domain_opens_with_one_of_its_hosts() {
    let mut world = World::new();
    world.answered("u1.t.test", "f", 429, Some(60), at(0));
    world.answered("u2.t.test", "g", 429, Some(60), at(0));
    assert_eq!(world.leave("u3.t.test", at(60)), Leave::First);
    assert_eq!(world.leave("u4.t.test", at(60)), Leave::Wait);
    world.answered("u3.t.test", "h", 200, None, at(60));
    assert_eq!(world.leave("u4.t.test", at(60)), Leave::Go);
    assert_eq!(
        world.leave("u1.t.test", at(60)),
        Leave::First,
        "its own is not over"
    );
}

#[test]
fn p_33_silences_survive_in_a_list() {
    let mut world = World::new();
    world.answered("u1.t.test", "f", 429, Some(60), at(0));
    world.answered("u2.t.test", "g", 429, Some(90), at(0));
    let list = world.0.list(at(30));
    assert_eq!(list.len(), 3);
    let mut after = World::new();
    for held in list {
        after.0.restore(held, at(1000));
    }
    assert_eq!(
        after.left("u1.t.test", at(1000)),
        Some(at(60)),
        "its domain's"
    );
    assert_eq!(after.left("u9.t.test", at(1000)), Some(at(60)));
    assert_eq!(after.leave("u9.t.test", at(1060)), Leave::First);
    assert_eq!(world.0.list(at(90)), []);
}

#[test]
fn silences_are_forgotten() {
    let mut world = World::new();
    for n in 0..100 {
        world.answered(&format!("h{n}.test"), "f", 429, Some(1), at(0));
    }
    assert_eq!(world.0.by_scope.len(), 100);
    world.answered("h.test", "f", 200, None, HOUR * 25);
    assert_eq!(world.0.by_scope.len(), 0);
}

#[test]
fn p_33_what_is_kept_is_taken_up_for_what_is_left_of_it() {
    let hour = Duration::from_hours(1);
    let at = Timestamp::from_secs(1_790_000_000);
    let held = |left| Held {
        scope: "https://a.example".to_owned(),
        left,
        why: "HTTP status 429".to_owned(),
    };
    let kept = KeptSilence::of(held(hour * 24), at);
    let later = |by| kept.clone().held(at.plus(by));
    assert_eq!(later(Duration::ZERO), Some(held(hour * 24)));
    assert_eq!(later(hour * 20), Some(held(hour * 4)));
    assert_eq!(later(hour * 24), None, "it is over");
    assert_eq!(later(hour * 99), None);
    let back = |by| kept.clone().held(at.minus(by));
    assert_eq!(
        back(hour),
        Some(held(hour * 25)),
        "a clock set back a little"
    );
    assert_eq!(back(CAP_RETRY_AFTER), None, "or far");
}
