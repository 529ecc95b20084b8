//! Which addresses we connect to. Every address of a request and of each redirect passes [`admit`] before anything is sent.

use crate::model::http::FetchError;
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

/// Whether we connect there at all.
pub fn admit(url: &PageUrl) -> Result<(), FetchError> {
    let url = url.as_url();
    // `PageUrl` lets nothing else in; said again because this is the one place that is asked before each request.
    if !matches!(url.scheme(), "http" | "https") {
        return Err(FetchError::Refused(format!(
            "`{}:` is not the web",
            url.scheme()
        )));
    }
    match url.port() {
        Some(port) if !is_web_port(port) => Err(FetchError::Refused(format!(
            "port {port} is not one for web pages"
        ))),
        _ => Ok(()),
    }
}

/// 80, 443 and what an ordinary user may listen on, but for the ports of other well-known services.
fn is_web_port(port: u16) -> bool {
    matches!(port, 80 | 443) || (port > 1023 && BAD_PORTS.binary_search(&port).is_err())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn p_171_only_ports_for_pages() {
        assert!(BAD_PORTS.is_sorted());
        let check = |address: &str, good: bool| {
            let outcome = admit(&PageUrl::parse(address).unwrap());
            assert_eq!(outcome.is_ok(), good, "{address}: {outcome:?}");
        };
        check("http://example.org/", true);
        check("https://example.org:80/", true);
        check("http://example.org:443/", true);
        check("http://example.org:8080/", true);
        check("http://example.org:65535/", true);
        for port in [0, 1, 22, 25, 81, 631, 1023, 2049, 6000, 6667, 10080] {
            check(&format!("http://example.org:{port}/"), false);
        }
    }
}
