//! Which addresses we connect to (P-168, P-171, RELIABILITY F4). [`admit`] looks at every URL before anything is sent,
//! redirects included; [`private`] looks at the very address a connection is made to, after the name was resolved.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::http::{FetchError, HostSet};
use crate::model::urls::PageUrl;

/// Ports on which a request for a page would be a letter to somebody else: the "bad ports" of the WHATWG Fetch
/// Standard, sorted (P-171).
const BAD_PORTS: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
];

/// A block of addresses: its first, the bits they share, what it is.
type Block<A> = (A, u32, &'static str);

/// What is not on the public IPv4 internet (IANA's special-purpose registry, RFC 6890, and multicast).
const V4: [Block<Ipv4Addr>; 15] = [
    (Ipv4Addr::UNSPECIFIED, 8, "this very network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "behind a carrier's NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a 6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// An address by its first six groups.
const fn v6(groups: [u16; 6]) -> Ipv6Addr {
    let [one, two, three, four, five, six] = groups;
    Ipv6Addr::new(one, two, three, four, five, six, 0, 0)
}

/// What is not on the public IPv6 internet, the first that fits: a form that carries an IPv4 address reaches whatever
/// that one names, so such forms are out whatever they carry. Only `2000::/3` is given out at all (RFC 4291 §2.4).
const V6: [Block<Ipv6Addr>; 19] = [
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (
        v6([0, 0, 0, 0, 0, 0]),
        96,
        "an IPv4 address in disguise (compatible)",
    ),
    (
        v6([0, 0, 0, 0, 0, 0xffff]),
        96,
        "an IPv4 address in disguise (mapped)",
    ),
    (
        v6([0, 0, 0, 0, 0xffff, 0]),
        96,
        "an IPv4 address in disguise (translated)",
    ),
    (
        v6([0x64, 0xff9b, 0, 0, 0, 0]),
        96,
        "an IPv4 address in disguise (NAT64)",
    ),
    (
        v6([0x64, 0xff9b, 1, 0, 0, 0]),
        48,
        "an IPv4 address in disguise (local NAT64)",
    ),
    (
        v6([0x2001, 0, 0, 0, 0, 0]),
        32,
        "an IPv4 address in disguise (Teredo)",
    ),
    (v6([0x2001, 0, 0, 0, 0, 0]), 23, "for protocols"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0]), 32, "for documentation"),
    (
        v6([0x2002, 0, 0, 0, 0, 0]),
        16,
        "an IPv4 address in disguise (6to4)",
    ),
    (v6([0x3fff, 0, 0, 0, 0, 0]), 20, "for documentation"),
    (v6([0xfc00, 0, 0, 0, 0, 0]), 7, "unique local"),
    (v6([0xfe80, 0, 0, 0, 0, 0]), 10, "link-local"),
    (v6([0xfec0, 0, 0, 0, 0, 0]), 10, "site-local"),
    (v6([0xff00, 0, 0, 0, 0, 0]), 8, "multicast"),
    (v6([0, 0, 0, 0, 0, 0]), 3, "reserved"),
    (v6([0x4000, 0, 0, 0, 0, 0]), 2, "reserved"),
    (v6([0x8000, 0, 0, 0, 0, 0]), 1, "reserved"),
];

/// What an address is, if it is none of the public internet.
pub fn private(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            let bits = address.to_bits();
            let holds = |(first, shared, _): &&Block<Ipv4Addr>| {
                (bits ^ first.to_bits()).leading_zeros() >= *shared
            };
            V4.iter().find(holds).map(|(.., what)| *what)
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let holds = |(first, shared, _): &&Block<Ipv6Addr>| {
                (bits ^ first.to_bits()).leading_zeros() >= *shared
            };
            V6.iter().find(holds).map(|(.., what)| *what)
        }
    }
}

/// Whether a URL is one we connect to at all. An address in place of a name is judged here; what a name stands for is
/// known only later.
pub fn admit(url: &PageUrl, allowed: &HostSet) -> Result<(), FetchError> {
    let parts = url.as_url();
    // `PageUrl` lets nothing else in; said again because this is the one place that is asked before each request.
    if !matches!(parts.scheme(), "http" | "https") {
        return Err(FetchError::Refused(format!(
            "`{}:` is not the web",
            parts.scheme()
        )));
    }
    if let Some(port) = parts.port().filter(|port| !is_web_port(*port)) {
        return Err(FetchError::Refused(format!(
            "port {port} is not one for web pages"
        )));
    }
    let address = match parts.host() {
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address),
        _ => return Ok(()),
    };
    match private(address) {
        Some(what) if !allowed.contains(url.host()) => Err(refused(url.host(), address, what)),
        _ => Ok(()),
    }
}

/// The addresses of a name that may be connected to; if all of them are private, why not.
pub fn filter(
    host: &str,
    addresses: Vec<IpAddr>,
    allowed: &HostSet,
) -> Result<Vec<IpAddr>, FetchError> {
    if allowed.contains(host) {
        return Ok(addresses);
    }
    let mut last = None;
    let public: Vec<IpAddr> = addresses
        .into_iter()
        .filter(|address| match private(*address) {
            Some(what) => {
                last = Some(refused(host, *address, what));
                false
            }
            None => true,
        })
        .collect();
    match last {
        Some(refused) if public.is_empty() => Err(refused),
        _ => Ok(public),
    }
}

fn refused(host: &str, address: IpAddr, what: &str) -> FetchError {
    FetchError::Refused(format!(
        "`{host}` is at {address}, which is {what} and no public address; a feed that is meant to be asked there \
         says so by `allow_hosts`"
    ))
}

/// 80, 443 and what an ordinary user may listen on, but for the ports of other well-known services.
fn is_web_port(port: u16) -> bool {
    matches!(port, 80 | 443) || (port > 1023 && BAD_PORTS.binary_search(&port).is_err())
}

#[cfg(test)]
mod tests;
