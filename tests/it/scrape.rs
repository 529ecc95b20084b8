//! Sites without feeds, polled by the built program: what is new is stored once, and a site that looks otherwise is
//! told by name.

use std::fs;

use feedmill::config::Config;
use feedmill::model::health::State;
use feedmill::service::poll::{Ended, Job, poll};
use feedmill::service::report::FeedReport;
use feedmill::service::watch::{Glance, Watch};
use feedmill::{app, source};

use crate::support::mill::{EAGER, Mill};
use crate::support::origin::{Origin, Reply};
use crate::support::web::{Room, Say, now};

fn html(body: &str) -> Reply {
    Reply::ok("text/html; charset=utf-8", body).validated()
}

/// A list page of these stories: path and title.
fn list(stories: &[(&str, &str)], more: &str) -> String {
    let stories: String = stories
        .iter()
        .map(|(path, title)| {
            format!("<li><a href=\"{path}\">{title}</a><i>2026年11月1日 08:30</i></li>")
        })
        .collect();
    format!("<!DOCTYPE html><html><body><ul class=\"news\">{stories}</ul>{more}</body></html>")
}

fn story(words: &str) -> Reply {
    html(&format!(
        "<html><body><div class=\"text\"><p>{words}</p></div></body></html>"
    ))
}

fn block(url: &str, further: &str) -> String {
    format!(
        "[[feed]]\nid = \"s\"\nsource = \"scrape\"\nurl = \"{url}\"\nitems = \"ul.news > li\"\nitem_date = \"i\"\n\
         zone = \"Asia/Hong_Kong\"\nallow_hosts = [\"127.0.0.1\"]\n{further}\n"
    )
}

fn paths(origin: &Origin) -> Vec<(String, u16)> {
    origin
        .take_log()
        .into_iter()
        .map(|seen| (seen.path, seen.answered))
        .collect()
}

fn seen(expected: &[(&str, u16)]) -> Vec<(String, u16)> {
    expected
        .iter()
        .map(|(path, status)| ((*path).to_owned(), *status))
        .collect()
}

#[test]
fn a_site_is_stored_once_and_asked_for_what_is_new_only() {
    let two = [("/a/2", "The second"), ("a/1", "The first")];
    let origin = Origin::start([
        ("/news/", html(&list(&two, ""))),
        ("/a/2", story("words of the second")),
        ("/news/a/1", story("words of the first")),
    ]);
    let mill = Mill::new(&block(&origin.url("/news/"), "page_body = \"div.text\""));
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["new"], 2, "{report}");
    assert_eq!(
        paths(&origin),
        seen(&[
            ("/news/", 200),
            ("/robots.txt", 404),
            ("/a/2", 200),
            ("/news/a/1", 200)
        ])
    );
    let feed = mill.feed();
    assert!(feed.contains("words of the first"), "{feed}");
    assert!(feed.contains("2026-11-01T00:30:00Z"), "{feed}");
    // 304.
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["new"], 0, "{report}");
    assert_eq!(paths(&origin), seen(&[("/news/", 304)]));
    // Another page with the same stories, and one that is new.
    let three = [("/a/3", "The third"), two[0], two[1]];
    origin.set("/news/", html(&list(&three, "")));
    origin.set("/a/3", story("words of the third"));
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["new"], 1, "{report}");
    assert_eq!(paths(&origin), seen(&[("/news/", 200), ("/a/3", 200)]));
    assert_eq!(mill.list().len(), 3);
}

#[test]
fn a_list_goes_on_for_so_many_pages_and_never_in_a_circle() {
    let next = |to: &str| format!("<a class=\"next\" href=\"{to}\">next</a>");
    let origin = Origin::start([
        ("/1", html(&list(&[("/a/1", "One")], &next("/2")))),
        ("/2", html(&list(&[("/a/2", "Two")], &next("/3#top")))),
        ("/3", html(&list(&[("/a/3", "Three")], &next("/4")))),
        ("/4", html(&list(&[("/a/4", "Four")], ""))),
    ]);
    let further = "next = \"a.next\"\npages = 2";
    let mill = Mill::new(&block(&origin.url("/1"), further));
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["new"], 2, "{report}");
    assert_eq!(paths(&origin), seen(&[("/1", 200), ("/2", 200)]));
    let notes = report["feeds"][0]["notes"].to_string();
    assert!(notes.contains("goes on after page 2"), "{report}");
    // Round and round.
    origin.set("/3", html(&list(&[("/a/3", "Three")], &next("/1"))));
    mill.write(
        "feeds.toml",
        &block(&origin.url("/1"), "next = \"a.next\"\npages = 20"),
    );
    let report = mill.fetch(0);
    assert_eq!(
        paths(&origin),
        seen(&[("/1", 200), ("/2", 200), ("/3", 200)])
    );
    let notes = report["feeds"][0]["notes"].to_string();
    assert!(notes.contains("leads back to"), "{report}");
}

/// A list that tells dates from the moment of reading.
#[test]
fn a_relative_date_counts_from_the_poll() {
    let page = "<ul class=news><li><a href=/a/1>One</a><i>2小时前</i><p>words of it</p></li></ul>";
    let origin = Origin::start([("/1", Reply::ok("text/html", page))]);
    let mill = Mill::new(&block(&origin.url("/1"), "item_body = \"p\""));
    let run = mill.run(&["try", "s", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(told["have"]["date"], 1, "{told}");
    mill.fetch(0);
    let date = mill.list()[0][2].clone();
    let date: jiff::Timestamp = date.parse().unwrap();
    let ago = app::now().millis() - date.as_millisecond();
    assert!((7_200_000..7_800_000).contains(&ago), "{ago}");
}

#[test]
fn a_json_interface_is_stored_by_its_ids() {
    let items = |more: &str| {
        format!(
            "{{\"list\": [{more}{{\"id\": 7, \"title\": \"Seven\", \"t\": 1793522400, \"html\": \"<p>words of seven</p>\"}}]}}"
        )
    };
    let json = |body: &str| Reply::ok("application/json", body);
    let origin = Origin::start([("/api", json(&items("")))]);
    let mill = Mill::new(&format!(
        "[[feed]]\nid = \"s\"\nsource = \"json\"\nurl = \"{}\"\nitems = \"list\"\nitem_id = \"id\"\n\
         item_link = \"https://example.org/a/{{id}}\"\nitem_date = \"t\"\nitem_body = \"html\"\nallow_hosts = [\"127.0.0.1\"]\n",
        origin.url("/api")
    ));
    assert_eq!(mill.fetch(0)["feeds"][0]["new"], 1);
    // The same bytes without a validator, then another story beside it.
    assert_eq!(mill.fetch(0)["feeds"][0]["new"], 0);
    let eight = "{\"id\": 8, \"title\": \"Eight\", \"t\": 1793526000, \"html\": \"<p>words of eight</p>\"}, ";
    origin.set("/api", json(&items(eight)));
    assert_eq!(mill.fetch(0)["feeds"][0]["new"], 1);
    let links: Vec<String> = mill.list().into_iter().map(|row| row[5].clone()).collect();
    assert_eq!(
        links,
        ["https://example.org/a/7", "https://example.org/a/8"]
    );
}

/// One subscription, as a configuration has it.
fn configured(mill: &Mill) -> Config {
    let mut places = feedmill::config::Places::below(mill.path(""));
    places.system = mill.path("nowhere");
    app::configuration(&places).unwrap()
}

/// The list of another shape, and the page of another shape behind a list that is as it was.
#[tokio::test]
async fn a_selector_that_finds_nothing_is_a_redesign_and_named() {
    let good = list(&[("/a/1", "One")], "");
    let text = "<html><body><div class=\"text\">words of it</div></body></html>";
    for (list_page, page, told) in [
        (
            "<html><main><a href=/a/9>New</a></main></html>",
            text,
            "no items `ul.news > li` in the list page",
        ),
        (
            "<html><ul class=news><li>New</li></ul></html>",
            text,
            "no item_link `a[href]` in the list page",
        ),
        (
            "<html><ul class=news><li><a href=/a/8>N</a></li><li><a href=/a/9>M</a></li><li><a href=/a/7>L</a></li></ul></html>",
            "<html><article>words of it</article></html>",
            "no page_body `div.text` in the entry's page",
        ),
    ] {
        let mill = Mill::new(&block(
            "https://lines.example.org/f",
            "page_body = \"div.text\"",
        ));
        let mut room = Room::new();
        let config = configured(&mill);
        let mut watch = Watch::new(room.store.clone()).unwrap();
        let say = |text: &str| Say::Page(text.to_owned());
        room.details = 10;
        room.web.set("/a/1", say(text));
        let mut said = Vec::new();
        for poll_number in 0..4 {
            room.later(std::time::Duration::from_hours(2));
            room.web
                .set("/f", say(if poll_number == 0 { &good } else { list_page }));
            if poll_number > 0 {
                for path in ["/a/7", "/a/8", "/a/9"] {
                    room.web.set(path, say(page));
                }
            }
            let job = Job::new(
                config.subscriptions[0].clone(),
                source::source("scrape").unwrap(),
                room.state("s"),
            );
            let Ended::Recorded(polled) = poll(&room.desk(), job).await.unwrap() else {
                panic!("not recorded")
            };
            let report = FeedReport::from(*polled);
            let events = watch.polled(Glance::of(&report), now()).await.unwrap();
            said.extend(events.iter().map(|event| event.change.to));
        }
        assert_eq!(said, [State::Redesigned], "{told}");
        // And so `status` says, of that store.
        let store = room.directory.path().join("store.sqlite");
        room.store.close().await.unwrap();
        mill.write(
            "feedmill.toml",
            &format!("{EAGER}[store]\npath = \"{}\"\n", store.display()),
        );
        let run = mill.run(&["status", "--json"]);
        assert_eq!(run.status, 1, "{run:?}");
        let status: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(status[0]["state"], "redesigned", "{status}");
        assert!(status.to_string().contains(told), "{told}: {status}");
    }
}

#[test]
fn a_wrong_selector_or_path_is_told_with_file_and_line() {
    let check = |lines: &str, told: &str| {
        let mill = Mill::new(&block("https://example.org/", lines));
        let run = mill.run(&["check"]);
        assert_eq!(run.status, 2, "{lines}: {run:?}");
        assert!(run.err.contains(told), "{lines}: {}", run.err);
    };
    check(
        "item_title = \"h3 >\"",
        "feeds.toml:9: `item_title` in [[feed]] \"s\": `h3 >` is no CSS selector",
    );
    check("page_body = \"div[\"", "feeds.toml:9: `page_body`");
    check("next = \"a:no-such\"", "feeds.toml:9: `next`");
    check("date_format = \"%H:%M\"", "does not say month and day");
    check("page_drop = \".ad\"", "page_drop needs page_body");
    check(
        "item_body = \"p\"\npage_body = \"p\"",
        "leave one of them out",
    );
    check("pages = 21", "feeds.toml:9: `pages`");
    check("item_id = \"id\"", "feeds.toml:9: unknown key `item_id`");
    let json = |lines: &str, told: &str| {
        let mill = Mill::new(&format!(
            "[[feed]]\nid = \"s\"\nsource = \"json\"\nurl = \"https://example.org/\"\n{lines}\n"
        ));
        let run = mill.run(&["check"]);
        assert_eq!(run.status, 2, "{lines}: {run:?}");
        assert!(run.err.contains(told), "{lines}: {}", run.err);
    };
    json(
        "items = \"a..b\"",
        "feeds.toml:5: `items` in [[feed]] \"s\": `a..b` is no path",
    );
    json(
        "items = \"a\"\nitem_link = \"https://example.org/{id\"",
        "feeds.toml:6: `item_link`",
    );
    json("item_link = \"a\"", "needs `items`");
}

#[test]
fn the_guide_shows_blocks_that_are_right() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scraping.md");
    let guide = fs::read_to_string(guide).unwrap();
    let mut blocks = 0;
    for block in guide.split("```toml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let run = Mill::new(block).run(&["check"]);
        assert_eq!(run.status, 0, "{block}: {}", run.err);
        blocks += 1;
    }
    assert!(blocks >= 3);
}
