//! The fold over whole articles, and the loopback origin other tests rely on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use crate::support::origin::{Origin, Reply};
use feedmill::model::content::ContentHash;
use feedmill::rules::fold::fold;

#[test]
fn a_reprint_in_the_other_script_and_width_has_the_same_content_hash() {
    let hash = |title: &str, body: &str| ContentHash::of(&fold(title), &fold(body), None);
    let traditional =
        "（本報訊）氣象台預測，今晚至明早將有驟雨；市民外出應攜帶雨具，並留意衞生署公佈。"
            .repeat(3);
    let simplified =
        "(本报讯)气象台预测, 今晚至明早将有骤雨。市民外出应携带雨具,并留意卫生署公布。".repeat(3);
    assert_ne!(traditional, simplified);
    // 佈 and 布 are one character when folded, as OpenCC has it.
    assert_eq!(hash("驟雨", &traditional), hash("骤雨", &simplified));
    assert_ne!(
        hash("驟雨", &traditional),
        hash("骤雨", &simplified.replacen("今晚", "昨晚", 1))
    );
}

/// Publishers' articles, read where they lie: their words stay there.
#[test]
fn real_articles_settle() {
    let seeds = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/seeds"));
    let Ok(files) = fs::read_dir(seeds) else {
        println!("skipped: {} is not here", seeds.display());
        return;
    };
    let texts = files
        .flatten()
        .filter_map(|file| fs::read_to_string(file.path()).ok());
    let mut read = 0;
    for text in texts {
        let folded = fold(&text);
        assert!(folded.as_str().len() > text.len() / 2 && folded.as_str().len() < text.len());
        assert_eq!(fold(folded.as_str()), folded);
        read += 1;
    }
    assert!(read > 0, "no text in {}", seeds.display());
}

/// One exchange, by hand, on a connection that stays open.
fn ask_with(stream: &mut TcpStream, head: &str, sent: &str) -> (String, Vec<u8>) {
    write!(stream, "{head}\r\n\r\n{sent}").unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = header(&head, "Content-Length").map_or(0, |value| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

fn ask(stream: &mut TcpStream, head: &str) -> (String, Vec<u8>) {
    ask_with(stream, head, "")
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn the_origin_answers_conditionally_and_remembers_what_it_was_asked() {
    let page = |body: &str| Reply::ok("text/plain", body).validated().gzipped();
    let origin = Origin::start([
        ("/a", page("one")),
        ("/cut", Reply::ok("text/plain", "whole").cut(2)),
    ]);
    let mut stream = TcpStream::connect(origin.base_url().trim_start_matches("http://")).unwrap();

    let (head, body) = ask(&mut stream, "GET /a HTTP/1.1");
    assert!(
        head.starts_with("HTTP/1.1 200 ") && body == b"one",
        "{head}"
    );
    let etag = header(&head, "ETag").unwrap().to_owned();
    let modified = header(&head, "Last-Modified").unwrap().to_owned();
    for held in [
        format!("If-None-Match: \"x\", {etag}"),
        format!("If-Modified-Since: {modified}"),
    ] {
        let (head, _) = ask(&mut stream, &format!("GET /a HTTP/1.1\r\n{held}"));
        assert!(head.starts_with("HTTP/1.1 304 "), "{head}");
        assert_eq!(header(&head, "ETag"), Some(etag.as_str()));
    }
    let (head, body) = ask(&mut stream, "GET /a HTTP/1.1\r\nAccept-Encoding: gzip");
    assert_eq!(header(&head, "Content-Encoding"), Some("gzip"));
    assert!(body.starts_with(&[0x1F, 0x8B]));

    origin.set("/a", page("two"));
    let post = format!("POST /a HTTP/1.1\r\nContent-Length: 2\r\nIf-None-Match: {etag}");
    let (_, body) = ask_with(&mut stream, &post, "{}");
    assert_eq!(body, b"two");
    let (head, _) = ask(&mut stream, "GET /b HTTP/1.1");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");

    write!(stream, "GET /cut HTTP/1.1\r\n\r\n").unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(
        rest.contains("Content-Length: 5") && rest.ends_with("\r\n\r\nwh"),
        "{rest}"
    );

    let log = origin.take_log();
    let answered: Vec<_> = log.iter().map(|r| (r.path.as_str(), r.answered)).collect();
    assert_eq!(
        answered,
        [
            ("/a", 200),
            ("/a", 304),
            ("/a", 304),
            ("/a", 200),
            ("/a", 200),
            ("/b", 404),
            ("/cut", 200)
        ]
    );
    assert_eq!(
        (log[4].method.as_str(), log[4].body.as_slice()),
        ("POST", &b"{}"[..])
    );
    assert!(origin.log().is_empty());
}
