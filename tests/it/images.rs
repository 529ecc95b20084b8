//! Copies of pictures, by the built program: what is asked, what is kept, what is shown and what is served.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Crc;
use flate2::write::ZlibEncoder;
use nix::sys::signal::Signal;

use crate::support::daemon::{Daemon, PATIENCE, settings};
use crate::support::mill::{EAGER, Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};

const HOME: &str = "https://river.example.net/";

/// A valid picture of one row; the shades make its bytes.
fn png(shades: &[u8]) -> Vec<u8> {
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let mut crc = Crc::new();
        crc.update(name);
        crc.update(data);
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length, name.as_slice(), data, &crc.sum().to_be_bytes()].concat()
    };
    let width = u32::try_from(shades.len()).unwrap().to_be_bytes();
    let header = [&width, [0, 0, 0, 1, 8, 0, 0, 0, 0].as_slice()].concat();
    let mut packed = ZlibEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(&[&[0], shades].concat()).unwrap();
    let parts = [
        b"\x89PNG\r\n\x1A\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &packed.finish().unwrap()),
        chunk(b"IEND", &[]),
    ];
    parts.concat()
}

fn shade(number: u8, width: usize) -> Vec<u8> {
    png(&vec![number; width])
}

fn name(bytes: &[u8]) -> String {
    format!("{}.png", blake3::hash(bytes).to_hex())
}

/// A feed of items with these bodies, whose pictures are copied.
fn ordered(origin: &Origin) -> String {
    plain("a", &origin.url("/feed")).trim_end().to_owned() + "\nimages = \"copy\"\n\n"
}

fn feed(bodies: &[(&str, String)]) -> Reply {
    Reply::ok("application/rss+xml", document(bodies))
}

/// Newest first. The words of an entry are its own, wherever it stands.
fn document(bodies: &[(&str, String)]) -> String {
    let whole: Vec<(String, String, String)> = bodies
        .iter()
        .map(|(id, body)| {
            let seed = id.bytes().fold(0, |seed, byte| seed * 31 + u32::from(byte));
            let body = words(seed) + body;
            ((*id).to_owned(), format!("Title of {id}"), body)
        })
        .collect();
    let items: Vec<(&str, &str, &str)> = whole
        .iter()
        .map(|(id, title, body)| (id.as_str(), title.as_str(), body.as_str()))
        .collect();
    rss(&items)
}

fn img(url: &str) -> String {
    format!("<img src=\"{url}\">")
}

/// Settings with a public address, and these lines of `[images]`.
fn public(mill: &Mill, images: &str) {
    let text = format!("{EAGER}[feed]\npublic_url = \"{HOME}\"\n[images]\n{images}\n");
    mill.write("feedmill.toml", &text);
}

/// The files of copies: name and bytes.
fn kept(mill: &Mill) -> BTreeMap<String, Vec<u8>> {
    let list = |dir: &Path| -> Vec<_> {
        let entries = fs::read_dir(dir).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let folders = list(&mill.path("data/images"));
    let files = folders.iter().flat_map(|folder| list(folder));
    files
        .map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(file).unwrap())
        })
        .collect()
}

/// The paths that were asked, but for the feed and robots.txt.
fn asked(origin: &Origin) -> Vec<String> {
    let mut paths: Vec<String> = origin
        .take_log()
        .into_iter()
        .map(|request| request.path)
        .collect();
    paths.retain(|path| path != "/feed" && path != "/robots.txt");
    paths.sort();
    paths
}

#[test]
fn pictures_are_copied_and_shown_from_there() {
    let (wide, lead, lies) = (shade(1, 30), shade(2, 30), shade(3, 30));
    let home = Origin::start([
        ("/wide.png", Reply::ok("image/png", wide.clone())),
        ("/again.png", Reply::ok("image/png", wide.clone())),
        ("/lies", Reply::ok("text/html", lies.clone())),
        (
            "/page.png",
            Reply::ok("image/png", "<!doctype html><script>alert(1)</script>"),
        ),
        (
            "/drawn.png",
            Reply::ok(
                "image/png",
                "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
            ),
        ),
        ("/gone.png", Reply::status(410)),
        ("/lead.png", Reply::ok("image/png", lead.clone())),
        (
            "/own.png",
            Reply::ok("image/png", shade(9, 30)).header("Cache-Control", "private"),
        ),
    ]);
    let bomb = [b"\xFF\xD8\xFF\xE0".to_vec(), vec![0; 10 << 20]].concat();
    home.set("/bomb.jpg", Reply::ok("image/jpeg", bomb));
    let away = Origin::start([("/x.png", Reply::ok("image/png", shade(8, 30)))]);
    home.set(
        "/away.png",
        Reply::status(302).header(
            "Location",
            &away.url("/x.png").replace("127.0.0.1", "127.0.0.9"),
        ),
    );
    let url = |path: &str| home.url(path);
    let set = format!(
        "<picture><source type=\"image/webp\" srcset=\"{}\"><img src=\"{}\" srcset=\"{} 300w, {} 1200w, {} 4000w\" alt=\"a bridge\"></picture>",
        url("/new.webp"),
        url("/small.png"),
        url("/small.png"),
        url("/wide.png"),
        url("/huge.png"),
    );
    let bodies = [
        ("one", set),
        ("two", img(&url("/again.png")) + &img(&url("/lies"))),
        (
            "three",
            [
                "/page.png",
                "/drawn.png",
                "/gone.png",
                "/none.png",
                "/own.png",
            ]
            .map(|path| img(&url(path)))
            .concat(),
        ),
        (
            "four",
            img(&url("/bomb.jpg")) + &img(&url("/away.png")) + &img(&away.url("/x.png")),
        ),
        (
            "five",
            format!(
                "<img src=\"{}\" width=\"1\" height=\"1\">",
                url("/pixel.png")
            ),
        ),
    ];
    let lead_of = format!(
        "five</guid><enclosure url=\"{}\" length=\"1\" type=\"image/png\"/>",
        url("/lead.png")
    );
    let document = document(&bodies).replace("five</guid>", &lead_of);
    home.set("/feed", Reply::ok("application/rss+xml", document));
    let mill = Mill::new(&ordered(&home));
    public(&mill, "");
    mill.fetch(0);

    let log = home.log();
    let expected = [
        "/again.png",
        "/away.png",
        "/bomb.jpg",
        "/drawn.png",
        "/gone.png",
        "/lead.png",
        "/lies",
        "/none.png",
        "/own.png",
        "/page.png",
        "/wide.png",
    ];
    assert_eq!(asked(&home), expected);
    for request in log
        .iter()
        .filter(|request| request.path != "/feed" && request.path != "/robots.txt")
    {
        assert_eq!(request.header("Referer"), None);
        assert!(
            request.header("Accept").unwrap().starts_with("image/"),
            "{request:?}"
        );
    }
    let robots = log
        .iter()
        .filter(|request| request.path == "/robots.txt")
        .count();
    assert_eq!(robots, 1, "it is crawling");
    assert!(
        away.log().is_empty(),
        "a stranger's words lead to no private address: {:?}",
        away.log()
    );
    let files = kept(&mill);
    let expected: BTreeMap<String, Vec<u8>> = [&wide, &lead, &lies]
        .map(|bytes| (name(bytes), bytes.clone()))
        .into();
    assert_eq!(
        files, expected,
        "once however many addresses, and pictures alone"
    );

    let document = mill.feed();
    let ours = |bytes: &[u8]| format!("{HOME}image/{}", name(bytes));
    for bytes in [&wide, &lies] {
        let shown = format!("img src=\"{}\"", ours(bytes));
        assert!(document.contains(&shown), "{document}");
    }
    let shown = format!("<media:thumbnail url=\"{}\"/>", ours(&lead));
    assert!(document.contains(&shown), "{document}");
    for gone in ["/small.png", "/new.webp", "/huge.png", "srcset"] {
        assert!(!document.contains(gone), "{gone}: {document}");
    }
    for theirs in [
        "/page.png",
        "/drawn.png",
        "/gone.png",
        "/none.png",
        "/bomb.jpg",
        "/away.png",
        "/own.png",
    ] {
        assert!(document.contains(&url(theirs)), "{theirs}: {document}");
    }
    let of = format!(
        "<fm:copy href=\"{}\" of=\"{}\"/>",
        ours(&wide),
        url("/wide.png")
    );
    assert!(document.contains(&of), "{document}");

    // Nothing is asked twice, and the same store is the same bytes.
    mill.fetch(0);
    assert_eq!(asked(&home), Vec::<String>::new());
    assert_eq!(mill.feed(), document);
    // Whatever is shown: the archive has what the publisher wrote.
    let archive: Vec<u8> = mill.archive().into_values().flatten().collect();
    assert!(!String::from_utf8(archive).unwrap().contains(HOME));
}

#[test]
fn without_an_order_nothing_is_asked() {
    let home = Origin::start([("/x.png", Reply::ok("image/png", shade(1, 30)))]);
    home.set("/feed", feed(&[("one", img(&home.url("/x.png")))]));
    let mill = Mill::new(&plain("a", &home.url("/feed")));
    public(&mill, "");
    mill.fetch(0);
    // Ordered later, it is for what comes from then on; a private feed's pictures would be shown to nobody.
    mill.write("feeds.toml", &ordered(&home));
    mill.fetch(0);
    mill.write(
        "feeds.toml",
        &(ordered(&home).trim_end().to_owned() + "\nprivate = true\n"),
    );
    home.set(
        "/feed",
        feed(&[
            ("one", img(&home.url("/x.png"))),
            ("two", img(&home.url("/x.png"))),
        ]),
    );
    mill.fetch(0);
    assert_eq!(asked(&home), Vec::<String>::new());
    assert!(home.log().is_empty());
    assert!(!mill.path("data/images").exists());
}

#[test]
fn a_file_that_leads_nowhere_else_keeps_the_publishers_addresses() {
    let home = Origin::start([("/x.png", Reply::ok("image/png", shade(1, 30)))]);
    home.set("/feed", feed(&[("one", img(&home.url("/x.png")))]));
    let mill = Mill::new(&ordered(&home));
    mill.fetch(0);
    assert_eq!(kept(&mill).len(), 1);
    assert!(!mill.feed().contains("/image/"), "{}", mill.feed());
    public(&mill, "");
    mill.fetch(0);
    assert!(mill.feed().contains(&format!("{HOME}image/")));
}

#[test]
fn p_164_robots_txt_is_obeyed() {
    let home = Origin::start([
        (
            "/robots.txt",
            Reply::ok("text/plain", "user-agent: *\ndisallow: /closed/\n"),
        ),
        ("/closed/x.png", Reply::ok("image/png", shade(1, 30))),
        ("/open/x.png", Reply::ok("image/png", shade(2, 30))),
    ]);
    home.set(
        "/to.png",
        Reply::status(302).header("Location", &home.url("/closed/x.png")),
    );
    let bodies = ["/closed/x.png", "/open/x.png", "/to.png"]
        .map(|path| img(&home.url(path)))
        .concat();
    home.set("/feed", feed(&[("one", bodies)]));
    let mill = Mill::new(&ordered(&home));
    public(&mill, "");
    mill.fetch(0);
    // Where a redirect leads nobody knows before; what it led to is not kept.
    assert_eq!(asked(&home), ["/closed/x.png", "/open/x.png", "/to.png"]);
    assert_eq!(
        kept(&mill).into_keys().collect::<Vec<_>>(),
        [name(&shade(2, 30))]
    );
    assert!(mill.feed().contains(&home.url("/closed/x.png")));
    assert!(mill.feed().contains(&home.url("/to.png")));
}

#[test]
fn what_fails_in_passing_is_not_asked_at_every_run() {
    let home = Origin::start([("/x.png", Reply::status(503))]);
    home.set("/feed", feed(&[("one", img(&home.url("/x.png")))]));
    let mill = Mill::new(&ordered(&home));
    public(&mill, "");
    mill.fetch(0);
    assert_eq!(asked(&home), ["/x.png"]);
    home.set("/x.png", Reply::ok("image/png", shade(1, 30)));
    mill.fetch(0);
    assert_eq!(asked(&home), Vec::<String>::new(), "it waits for an hour");
}

#[test]
fn copies_stay_within_their_room_and_their_bounds() {
    let home = Origin::start(std::iter::empty::<(String, Reply)>());
    let bodies: Vec<(String, String)> = (0..4)
        .rev()
        .map(|number| {
            let path = format!("/{number}.png");
            home.set(path.clone(), Reply::ok("image/png", shade(number, 1000)));
            (format!("e{number}"), img(&home.url(&path)))
        })
        .collect();
    let bodies: Vec<(&str, String)> = bodies
        .iter()
        .map(|(id, body)| (id.as_str(), body.clone()))
        .collect();
    let mill = Mill::new(&ordered(&home));
    let size = shade(0, 1000).len();
    public(&mill, &format!("space = \"{}B\"", 2 * size + 100));
    let there = |mill: &Mill| -> Vec<u8> {
        let files = kept(mill);
        (0..4)
            .filter(|number| files.contains_key(&name(&shade(*number, 1000))))
            .collect()
    };
    home.set("/feed", feed(&bodies[2..]));
    mill.fetch(0);
    assert_eq!(there(&mill), [0, 1]);
    home.set("/feed", feed(&bodies[1..]));
    mill.fetch(0);
    assert_eq!(there(&mill), [1, 2], "the oldest had to go");
    let document = mill.feed();
    assert!(
        document.contains(&home.url("/0.png")),
        "its publisher's address is back"
    );
    assert!(document.contains(&name(&shade(2, 1000))), "{document}");
    asked(&home);
    mill.fetch(0);
    assert_eq!(
        asked(&home),
        Vec::<String>::new(),
        "it is not fetched in turns"
    );
    // Less room at the next start, and a file that a crash left.
    let orphan = mill
        .path("data/images/ab")
        .join(format!("ab{}.gif", "0".repeat(62)));
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, "GIF89a").unwrap();
    public(&mill, &format!("space = \"{}B\"\nper_day = 3", size + 100));
    home.set("/feed", feed(&bodies));
    mill.fetch(0);
    assert_eq!(there(&mill), [2]);
    assert!(!orphan.exists());
    assert_eq!(asked(&home), Vec::<String>::new(), "three were asked today");
    public(
        &mill,
        &format!("space = \"{}B\"\nmax = \"1KiB\"\nonce = \"0s\"", 9 * size),
    );
    mill.fetch(0);
    assert_eq!(
        asked(&home),
        Vec::<String>::new(),
        "there is no time for it"
    );
    public(&mill, &format!("space = \"{}B\"\nmax = \"1KiB\"", 9 * size));
    mill.fetch(0);
    assert_eq!(asked(&home), ["/3.png"]);
    assert_eq!(there(&mill), [2], "it is larger than one may be");
}

/// One request as it is written, and the answer: head and body.
fn ask(address: SocketAddr, line: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec())
        .unwrap()
        .to_lowercase();
    (head, answer[end + 4..].to_vec())
}

/// Asks until the answer is one like this; each time as somebody else, so that nobody asks too often.
fn until(
    daemon: &mut Daemon,
    path: &str,
    holds: impl Fn(&str, &[u8]) -> bool,
) -> (String, Vec<u8>) {
    let (address, by) = (daemon.address(), Instant::now() + PATIENCE);
    for turn in 0_u32.. {
        let [_, _, high, low] = turn.to_be_bytes();
        let (head, body) = ask(
            address,
            &format!("GET {path}"),
            &format!("X-Forwarded-For: 10.0.{high}.{low}\r\n"),
        );
        if holds(&head, &body) {
            return (head, body);
        }
        assert!(
            Instant::now() < by,
            "never: {path}\n{head}\n{}\n{}",
            String::from_utf8_lossy(&body),
            daemon.log()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    unreachable!()
}

fn updated(document: &str) -> &str {
    let (_, rest) = document.split_once("<updated>").unwrap();
    rest.split_once("</updated>").unwrap().0
}

#[test]
fn copies_are_served_for_good_and_to_all_but_from_private_feeds() {
    let large: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let (one, two, other) = (shade(1, 30), png(&large), shade(7, 30));
    let home = Origin::start([
        (
            "/one.png",
            Reply::ok("image/png", one.clone()).after(Duration::from_secs(3)),
        ),
        ("/two.png", Reply::ok("image/png", two.clone())),
    ]);
    home.set(
        "/feed",
        feed(&[
            ("one", img(&home.url("/one.png"))),
            ("two", img(&home.url("/two.png"))),
        ]),
    );
    let mill = Mill::new(&ordered(&home));
    let more = format!("proxies = [\"127.0.0.1\"]\n[feed]\npublic_url = \"{HOME}\"\n");
    mill.write("feedmill.toml", &settings(&more));
    let mut daemon = Daemon::start(&mill, Duration::from_secs(30));

    // First as the publisher has it, then all copies at once; and nothing about an entry but its pictures is new.
    let (_, before) = until(&mut daemon, "/feed.atom", |_, body| {
        String::from_utf8_lossy(body).contains("/one.png")
    });
    let before = String::from_utf8(before).unwrap();
    assert!(!before.contains("/image/"), "{before}");
    let (_, after) = until(&mut daemon, "/feed.atom", |_, body| {
        String::from_utf8_lossy(body).contains("/image/")
    });
    let after = String::from_utf8(after).unwrap();
    for bytes in [&one, &two] {
        assert!(
            after.contains(&format!("{HOME}image/{}", name(bytes))),
            "{after}"
        );
    }
    assert_eq!(updated(&after), updated(&before));
    let rounds = daemon.log().matches("pictures were asked for").count();
    assert_eq!(rounds, 1, "{}", daemon.log());
    for path in ["/source/a.json", "/source/a.rss"] {
        until(&mut daemon, path, |_, body| {
            String::from_utf8_lossy(body).contains(&name(&one))
        });
    }

    let path = format!("/image/{}", name(&two));
    let (head, body) = until(&mut daemon, &path, |_, _| true);
    assert!(body == two, "{head}");
    for line in [
        "http/1.1 200",
        "content-type: image/png\r",
        "cache-control: public, max-age=31536000, immutable\r",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none';",
        "sandbox\r",
        &format!("content-length: {}\r", two.len()),
        &format!("etag: \"{}\"\r", &name(&two)[..32]),
    ] {
        assert!((head.clone() + "\r").contains(line), "{line}: {head}");
    }
    let address = daemon.address();
    let etag = format!("If-None-Match: \"{}\"\r\n", &name(&two)[..32]);
    let (head, body) = ask(address, &format!("GET {path}"), &etag);
    assert!(
        head.starts_with("http/1.1 304") && body.is_empty(),
        "{head}"
    );
    let (head, _) = ask(address, &format!("GET {path}"), "If-None-Match: \"0\"\r\n");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let (head, body) = ask(address, &format!("HEAD {path}"), "");
    assert!(
        head.starts_with("http/1.1 200") && body.is_empty(),
        "{head}"
    );
    assert!(
        head.contains(&format!("content-length: {}", two.len())),
        "{head}"
    );

    // A file that is there and that nobody shows, and names that are none.
    fs::write(
        mill.path("data/images")
            .join(&name(&one)[..2])
            .join(name(&other)),
        &other,
    )
    .unwrap();
    let bare = name(&one);
    for wrong in [
        name(&other),
        bare.replace(".png", ".jpg"),
        bare.to_uppercase(),
        format!("{}/{bare}", &bare[..2]),
        format!("../image/{bare}"),
        format!("%2e%2e/feedmill.sqlite?{bare}"),
        "../feedmill.sqlite".to_owned(),
        String::new(),
    ] {
        let (head, _) = ask(address, &format!("GET /image/{wrong}"), "");
        assert!(head.starts_with("http/1.1 404"), "{wrong}: {head}");
    }

    // A feed that becomes private takes its pictures with it.
    mill.write(
        "feeds.toml",
        &(ordered(&home).trim_end().to_owned() + "\nprivate = true\n"),
    );
    daemon.signal(Signal::SIGHUP);
    until(&mut daemon, &path, |head, _| {
        head.starts_with("http/1.1 404")
    });
    daemon.stop();
}
