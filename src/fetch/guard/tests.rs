#![allow(clippy::unwrap_used)]

use super::*;

fn allowed(hosts: &[&str]) -> HostSet {
    HostSet::parse(hosts).unwrap()
}

#[test]
fn p_171_only_ports_for_pages() {
    assert!(BAD_PORTS.is_sorted());
    let check = |address: &str, good: bool| {
        let outcome = admit(&PageUrl::parse(address).unwrap(), &HostSet::default());
        assert_eq!(outcome.is_ok(), good, "{address}: {outcome:?}");
    };
    check("http://example.org/", true);
    check("https://example.org:80/", true);
    check("http://example.org:443/", true);
    check("http://example.org:8080/", true);
    check("http://example.org:65535/", true);
    for port in [0, 1, 22, 25, 81, 631, 1023, 2049, 6000, 6667, 10080] {
        check(&format!("http://example.org:{port}/"), false);
        // To allow a host is not to allow all that listens there.
        let url = PageUrl::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        assert!(admit(&url, &allowed(&["127.0.0.1"])).is_err(), "{port}");
    }
}

/// Every spelling of an address that resolvers and libraries are known to take (RELIABILITY F4).
#[test]
fn p_168_no_spelling_of_a_private_address_passes() {
    for host in [
        // loopback
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "127.255.255.254",
        "2130706433",
        "2130706433.",
        "017700000001",
        "0x7f000001",
        "0X7F.1",
        "0x7f.0x0.0x0.0x1",
        "0177.0.0.1",
        "0177.0x0.1",
        "127.0.0.1%2e",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "0",
        "0x0",
        "0.0.0.0",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000::0001]",
        "[::]",
        // mapped, compatible, translated, tunnelled
        "[::ffff:127.0.0.1]",
        "[::FFFF:7f00:1]",
        "[::ffff:8.8.8.8]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a00:1]",
        "[64:ff9b:1::10.0.0.1]",
        "[2002:7f00:1::]",
        "[2002:c0a8:101::1]",
        "[2001:0:53aa:64c:0:0:80ff:fffe]",
        // private and the rest
        "10.0.0.1",
        "10.255.255.255",
        "012.0.0.1",
        "0xa.1",
        "167772161",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "192.168.257",
        "3232235777",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "[::ffff:a9fe:a9fe]",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[febf::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[100::1]",
        "[2001:db8::1]",
        "[2001:2::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[8000::1]",
    ] {
        for scheme in ["http", "https"] {
            let url = PageUrl::parse(&format!("{scheme}://{host}/")).unwrap();
            let outcome = admit(&url, &HostSet::default());
            assert!(
                matches!(outcome, Err(FetchError::Refused(_))),
                "{host} passed as {url}: {outcome:?}"
            );
        }
    }
}

#[test]
fn p_168_what_is_no_address_at_all_is_no_url() {
    for host in [
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "[::1",
        "::1",
        "256.0.0.1",
        "127.0.0.1.1",
        "0x7f.0.0.0.1",
        "4294967296",
        "[::127.0.0.0x1]",
        "[::ffff:127.0.0.1.]",
        "127.0.0.1\u{0}.example.org",
        "a b",
    ] {
        let outcome = PageUrl::parse(&format!("http://{host}/"));
        assert!(outcome.is_err(), "{host}: {outcome:?}");
    }
}

#[test]
fn p_168_public_addresses_pass() {
    for host in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.0.1",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.0.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "[2606:4700::1111]",
        "[2a00:1450::1]",
        "[2001:200::1]",
        "[2001:4860:4860::8888]",
        "[2003::1]",
        "example.org",
        // Names say nothing: their addresses are looked at when they are known.
        "localhost",
        "127.0.0.1.nip.io",
    ] {
        let url = PageUrl::parse(&format!("http://{host}/")).unwrap();
        let outcome = admit(&url, &HostSet::default());
        assert_eq!(outcome, Ok(()), "{host}");
    }
}

#[test]
fn p_168_a_host_is_allowed_by_its_name_alone() {
    let check = |hosts: &[&str], address: &str, good: bool| {
        let outcome = admit(&PageUrl::parse(address).unwrap(), &allowed(hosts));
        assert_eq!(outcome.is_ok(), good, "{hosts:?} {address}: {outcome:?}");
    };
    check(&["127.0.0.1"], "http://127.0.0.1:8080/", true);
    check(&["127.0.0.1"], "http://2130706433/", true);
    check(&["127.1"], "http://127.0.0.1/", true);
    check(&["127.0.0.1"], "http://127.0.0.2/", false);
    check(&["127.0.0.1"], "http://[::ffff:127.0.0.1]/", false);
    check(&["::1"], "http://[::1]/", true);
    check(&["[::1]"], "http://[0:0::1]:8080/", true);
    check(&["intranet.example"], "http://10.0.0.1/", false);

    let ten: IpAddr = "10.0.0.1".parse().unwrap();
    let public: IpAddr = "1.1.1.1".parse().unwrap();
    let check = |hosts: &[&str], host: &str, given: &[IpAddr], left: &[IpAddr]| {
        let outcome = filter(host, given.to_vec(), &allowed(hosts)).unwrap_or_default();
        assert_eq!(outcome, left, "{hosts:?} {host}");
    };
    check(&[], "a.example", &[ten, public], &[public]);
    check(&[], "a.example", &[ten], &[]);
    check(&["a.example"], "a.example", &[ten, public], &[ten, public]);
    check(&["A.Example."], "a.example", &[ten], &[ten]);
    check(&["a.example"], "a.example.", &[ten], &[ten]);
    check(&["a.example"], "b.a.example", &[ten], &[]);
    check(&["10.0.0.1"], "a.example", &[ten], &[]);
    let why = filter("a.example", vec![ten], &allowed(&[])).unwrap_err();
    assert!(
        why.to_string()
            .starts_with("refused: `a.example` is at 10.0.0.1, which is private"),
        "{why}"
    );
}

#[test]
fn allowed_hosts_are_hosts_and_nothing_more() {
    for bad in [
        "",
        " ",
        "*",
        "*.example.org",
        "example.org:80",
        "http://example.org",
        "example.org/",
        "10.0.0.0/8",
        "[::1",
        "256.1.1.1",
        "a b",
        "user@example.org",
    ] {
        assert!(HostSet::parse(&[bad]).is_err(), "{bad}");
    }
    assert!(allowed(&["例え.jp"]).contains("xn--r8jz45g.jp"));
}
