//! Our own outage: when nobody can be reached, nobody is to blame (POLLING P-49).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::http::FetchError;
use crate::model::time::Timestamp;

/// How often one host is tried while we are cut off.
pub const CANARY: Duration = Duration::from_mins(1);

/// So many hosts have to be out of reach before "more than half of them" says anything.
const FEW: usize = 3;

/// Hosts that were asked, and how many of them could not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Hosts asked.
    pub asked: usize,
    /// Hosts of which nothing came at all.
    pub unreached: usize,
}

/// Whether a request failed before anybody at the other end could have a part in it: no name, no connection, no secure
/// connection (a portal in between answers for everybody, and can prove to be nobody).
pub fn is_unreached(error: &FetchError) -> bool {
    match error {
        FetchError::Dns { .. } | FetchError::Connect { .. } | FetchError::Tls { .. } => true,
        FetchError::Timeout { stage, .. } => {
            matches!(*stage, "address" | "connection" | "handshake")
        }
        _ => false,
    }
}

/// Whether the requests of one cycle, as (host, whether it was reached), say that the fault is ours: all of several
/// hosts are out of reach, or more than half of many. Then no poll of it that failed to reach its host is recorded, and
/// one host is tried every minute ([`canary`]) until one answers.
pub fn our_outage<'a>(requests: impl IntoIterator<Item = (&'a str, bool)>) -> Option<Outage> {
    let mut hosts: BTreeMap<&str, bool> = BTreeMap::new();
    for (host, reached) in requests {
        *hosts.entry(host).or_default() |= reached;
    }
    let asked = hosts.len();
    let unreached = hosts.values().filter(|reached| !**reached).count();
    let all = asked > 1 && unreached == asked;
    let most = unreached >= FEW && unreached * 2 > asked;
    (all || most).then_some(Outage { asked, unreached })
}

/// The host to try in this minute: each in its turn, so that one that is really down does not keep us asleep.
pub fn canary<'a>(hosts: &[&'a str], now: Timestamp) -> Option<&'a str> {
    let minute = now.millis().div_euclid(60_000);
    let count = i64::try_from(hosts.len()).ok().filter(|count| *count > 0)?;
    hosts
        .get(usize::try_from(minute.rem_euclid(count)).ok()?)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(requests: &[(&'static str, bool)], unreached: Option<usize>) {
        let found = our_outage(requests.iter().copied());
        assert_eq!(
            found.map(|outage| outage.unreached),
            unreached,
            "{requests:?}"
        );
    }

    #[test]
    fn p_49_when_most_hosts_are_out_of_reach_it_is_us() {
        check(&[], None);
        check(&[("a", false)], None);
        check(&[("a", false), ("a", false), ("a", false)], None);
        check(&[("a", false), ("b", false)], Some(2));
        check(&[("a", false), ("b", false), ("c", true)], None);
        check(
            &[("a", false), ("b", false), ("c", false), ("d", true)],
            Some(3),
        );
        let half = [
            ("a", false),
            ("b", false),
            ("c", false),
            ("d", true),
            ("e", true),
            ("f", true),
        ];
        check(&half, None);
        // One answer from a host is an answer of the host.
        check(
            &[
                ("a", false),
                ("a", true),
                ("b", false),
                ("c", false),
                ("d", true),
            ],
            None,
        );
    }

    #[test]
    fn p_49_an_answer_of_any_kind_is_an_answer() {
        let host = || "h.test".to_owned();
        let why = || "why".to_owned();
        let timeout = |stage| FetchError::Timeout {
            stage,
            host: host(),
            limit: CANARY,
        };
        for (error, unreached) in [
            (
                FetchError::Dns {
                    host: host(),
                    why: why(),
                },
                true,
            ),
            (
                FetchError::Connect {
                    host: host(),
                    why: why(),
                },
                true,
            ),
            (
                FetchError::Tls {
                    host: host(),
                    why: why(),
                },
                true,
            ),
            (timeout("connection"), true),
            (timeout("first byte"), false),
            (
                FetchError::Status {
                    status: 500,
                    retry_after: None,
                },
                false,
            ),
            (FetchError::Refused(why()), false),
        ] {
            assert_eq!(is_unreached(&error), unreached, "{error}");
        }
    }

    #[test]
    fn the_canary_goes_round() {
        let hosts = ["a", "b", "c"];
        let at = |minute: u32| canary(&hosts, Timestamp::EPOCH.plus(CANARY * minute));
        assert_eq!(
            [at(0), at(1), at(2), at(3)],
            [Some("a"), Some("b"), Some("c"), Some("a")]
        );
        assert_eq!(canary(&[], Timestamp::EPOCH), None);
        assert!(canary(&hosts, Timestamp::from_millis(i64::MIN)).is_some());
    }
}
