//! The publishers' readers over whole pages: made-up ones in the publishers' shapes, saved ones where they are at hand,
//! and any bytes at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use feedmill::model::entry::{Draft, Lead, Listing, ReadError, Teaser};
use feedmill::model::feed::{OptionKind, Options, Subscription};
use feedmill::model::http::{Ask, Page};
use feedmill::model::time::Zone;
use feedmill::model::urls::PageUrl;
use feedmill::source::{SOURCES, Source, source};
use proptest::prelude::*;

/// A fixture with the options it is read with; `true` for a list, `false` for the page of one entry.
type Fixture = (
    &'static str,
    &'static str,
    bool,
    &'static [(&'static str, &'static str)],
);

static FIXTURES: [Fixture; 39] = [
    ("dw", "list.rdf", true, &[]),
    ("dw", "list_rss2.xml", true, &[]),
    ("dw", "search.json", true, &[]),
    ("dw", "media_next.json", true, &[]),
    ("dw", "fulltext.xml", true, &[("route", "fulltext")]),
    ("dw", "article.json", false, &[]),
    ("dw", "article_bare.json", false, &[]),
    ("dw", "video.json", false, &[]),
    ("qq", "hot.json", true, &[]),
    ("qq", "author.json", true, &[("list", "author")]),
    ("qq", "channel.json", true, &[("list", "channel")]),
    ("qq", "refused_ret.json", true, &[]),
    ("qq", "refused_code.json", true, &[]),
    ("qq", "article.html", false, &[]),
    ("qq", "video.html", false, &[]),
    ("qq", "app.html", false, &[]),
    ("qq", "redesigned.html", false, &[]),
    ("qq", "no_words.html", false, &[]),
    ("qq", "simple.json", false, &[]),
    ("qq", "app_2017.json", false, &[]),
    ("qq", "refused_ret.json", false, &[]),
    (
        "takungpao",
        "columns.json",
        true,
        &[("column", "china/上海")],
    ),
    ("takungpao", "columns.json", true, &[("column", "no-such")]),
    ("takungpao", "stories.json", true, &[]),
    ("takungpao", "list.html", true, &[]),
    ("takungpao", "story.json", false, &[]),
    ("takungpao", "tkww.html", false, &[]),
    ("takungpao", "tkp.html", false, &[]),
    ("scrape", "list_gb18030.html", true, SCRAPED),
    (
        "scrape",
        "list_big5.html",
        true,
        &[
            ("items", "tr.row"),
            ("item_date", "@data-time"),
            ("item_author", "td:nth-child(2)"),
            ("item_title", "a @title"),
        ],
    ),
    ("scrape", "redesigned.html", true, SCRAPED),
    (
        "scrape",
        "whole.html",
        true,
        &[
            ("items", "div.note"),
            ("item_link", "a.permalink"),
            ("item_title", "h2"),
            ("item_body", ".words"),
            ("next", "a[rel=next]"),
        ],
    ),
    ("scrape", "article_gb18030.html", false, SCRAPED),
    ("scrape", "redesigned.html", false, SCRAPED),
    ("json", "list.json", true, LISTED),
    (
        "json",
        "embedded.html",
        true,
        &[
            ("embedded", "window.__LIST__"),
            ("items", "feed.items[*]"),
            ("item_date", "date"),
            ("page_body", "article"),
        ],
    ),
    ("json", "empty.json", true, &[("items", "data.list")]),
    ("json", "renamed.json", true, &[("items", "data.list")]),
    (
        "json",
        "renamed_fields.json",
        true,
        &[("items", "data.list")],
    ),
];

/// Everything a list page can be asked for.
const SCRAPED: &[(&str, &str)] = &[
    ("items", "li.story"),
    ("item_title", "h3"),
    ("item_date", ".when"),
    ("date_format", "发布于%Y年%m月%d日 %H:%M"),
    ("item_summary", ".sum"),
    ("item_author", ".by"),
    ("item_image", ".pic img"),
    ("page_body", "div.text"),
    ("page_drop", ".ad, .share"),
    ("page_title", "h1"),
    ("page_date", "time @title"),
    ("page_author", ".author"),
    ("next", "a.next"),
];

/// Everything a JSON list can be asked for.
const LISTED: &[(&str, &str)] = &[
    ("items", "data.list"),
    ("item_id", "id"),
    ("item_link", "https://site.example/a/{id}"),
    ("item_date", "time"),
    ("item_summary", "desc"),
    ("item_body", "html"),
    ("item_author", "authors[*].name"),
    ("item_image", "pic"),
    ("next", "data.paging.next"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn subscription(source: &dyn Source, options: &[(&str, &str)]) -> Subscription {
    let spec = source.spec();
    let mut filled = Options::default();
    for option in spec.options {
        if let Some(default) = option.default {
            filled.0.insert(option.name.into(), default.into());
        }
    }
    for (name, value) in options {
        filled.0.insert((*name).into(), (*value).into());
    }
    Subscription {
        language: spec.language.into(),
        zone: Zone::parse(spec.zone).unwrap(),
        archive: Some(spec.archive.into()),
        options: filled,
        ..Subscription::new(spec.name.parse().unwrap(), spec.name)
    }
}

fn page(bytes: Vec<u8>) -> Page {
    Page {
        url: PageUrl::parse("https://site.example/news/page").unwrap(),
        media_type: None,
        charset: None,
        links: Vec::new(),
        bytes,
    }
}

/// A teaser that says as little as a listing may.
fn bare() -> Teaser {
    Teaser {
        draft: Draft {
            link: PageUrl::parse("https://site.example/a/1").ok(),
            ..Draft::default()
        },
        details: Vec::new(),
    }
}

fn show_draft(out: &mut String, draft: &Draft) {
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            writeln!(out, "    {name}: {value}").unwrap();
        }
    };
    line("id", draft.id.as_ref().map(|id| id.as_str().to_owned()));
    line("link", draft.link.as_ref().map(ToString::to_string));
    line("title", draft.title.as_ref().map(|t| format!("{t:?}")));
    line("published", draft.published.map(|t| t.to_string()));
    line("cms_date", draft.cms_date.map(|t| t.millis().to_string()));
    line(
        "authors",
        Some(draft.authors.join(" | ")).filter(|s| !s.is_empty()),
    );
    line("language", draft.language.clone());
    line(
        "categories",
        Some(draft.categories.join(" | ")).filter(|s| !s.is_empty()),
    );
    line(
        "summary",
        draft
            .summary
            .as_ref()
            .map(|c| format!("{:?} {:?}", c.kind, c.text)),
    );
    line(
        "thumbnail",
        draft.thumbnail.as_ref().map(ToString::to_string),
    );
    for enclosure in &draft.enclosures {
        line(
            "enclosure",
            Some(format!("{} {:?}", enclosure.url, enclosure.media_type)),
        );
    }
    line(
        "body",
        draft
            .body
            .as_ref()
            .map(|c| format!("{:?} {:?}", c.kind, c.text)),
    );
}

fn show_listing(listing: &Listing) -> String {
    let mut out = format!(
        "listing {:?} home {:?} updated {:?}\n",
        listing.info.title,
        listing.info.home.as_ref().map(ToString::to_string),
        listing.info.updated.map(|t| t.to_string())
    );
    for lead in &listing.leads {
        match lead {
            Lead::Whole(draft) => {
                out.push_str("  whole\n");
                show_draft(&mut out, draft);
            }
            Lead::Teaser(teaser) => {
                out.push_str("  teaser\n");
                show_draft(&mut out, &teaser.draft);
                for ask in &teaser.details {
                    writeln!(out, "    detail: {}", ask.url).unwrap();
                }
            }
        }
    }
    for skipped in &listing.skipped {
        writeln!(out, "  skipped {}: {}", skipped.what, skipped.why).unwrap();
    }
    for note in &listing.notes {
        writeln!(out, "  note: {note}").unwrap();
    }
    if let Some(more) = &listing.more {
        writeln!(out, "  more: {}", more.url).unwrap();
    }
    out
}

fn show<T>(read: Result<T, ReadError>, shown: impl Fn(T) -> String) -> String {
    read.map_or_else(|error| format!("error: {error}\n"), shown)
}

/// What a fixture is read as, and nothing else.
fn read(fixture: &Fixture, bytes: Vec<u8>) -> String {
    let (name, _, list, options) = fixture;
    let source = source(name).unwrap();
    let subscription = subscription(source, options);
    let page = page(bytes);
    if *list {
        show(source.read(&subscription, &page), |listing| {
            show_listing(&listing)
        })
    } else {
        show(source.complete(&subscription, &bare(), 0, &page), |draft| {
            let mut out = "draft\n".to_owned();
            show_draft(&mut out, &draft);
            out
        })
    }
}

fn fixture_bytes(fixture: &Fixture) -> Vec<u8> {
    fs::read(
        root()
            .join("tests/fixtures")
            .join(fixture.0)
            .join(fixture.1),
    )
    .unwrap()
}

#[test]
fn every_fixture_is_read_as_its_snapshot_says() {
    for (place, fixture) in FIXTURES.iter().enumerate() {
        let again = FIXTURES[..place]
            .iter()
            .filter(|f| (f.0, f.1) == (fixture.0, fixture.1))
            .count();
        let name = format!("{}{}", fixture.1.replace('.', "_"), "_again".repeat(again));
        insta::with_settings!({
            snapshot_path => format!("../fixtures/{}/snapshots", fixture.0),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name, read(fixture, fixture_bytes(fixture)));
        });
    }
}

#[test]
fn every_fixture_is_in_the_table_and_says_it_is_made_up() {
    for source in ["dw", "json", "qq", "scrape", "takungpao"] {
        for entry in fs::read_dir(root().join("tests/fixtures").join(source)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() || name == "README.md" {
                continue;
            }
            assert!(
                FIXTURES.iter().any(|f| (f.0, f.1) == (source, &name)),
                "{source}/{name} is read by no test"
            );
            let text = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(
                text.contains("made up") || text.contains("made_up"),
                "{source}/{name}"
            );
        }
    }
}

/// Every file or folder here that implements `Source` is registered, under its own name.
#[test]
fn every_source_is_registered() {
    let mut found = 0;
    for entry in fs::read_dir(root().join("src/source")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let main = if path.is_dir() {
            path.join("mod.rs")
        } else {
            path
        };
        if name == "mod"
            || !fs::read_to_string(&main)
                .unwrap()
                .contains("impl Source for ")
        {
            continue;
        }
        found += 1;
        let registered = source(&name).unwrap_or_else(|| panic!("{name} is not in SOURCES"));
        assert_eq!(registered.spec().name, name);
    }
    assert_eq!(found, SOURCES.len());
    assert!(source("no-such").is_none());
}

#[test]
fn every_source_has_sound_defaults_and_a_first_question() {
    for source in SOURCES {
        let spec = source.spec();
        let required: Vec<_> = spec
            .options
            .iter()
            .filter(|option| option.required)
            .collect();
        let given: Vec<_> = required
            .iter()
            .map(|option| match option.kind {
                OptionKind::Url => (option.name, "https://example.org/"),
                _ => (option.name, "a"),
            })
            .collect();
        let subscription = subscription(*source, &given);
        assert!(
            ["hugo", "html", "text"].contains(&spec.archive),
            "{}",
            spec.name
        );
        for option in spec.options {
            match (option.kind, option.default) {
                (OptionKind::Url, Some(text)) => drop(PageUrl::parse(text).unwrap()),
                (OptionKind::OneOf(words), Some(text)) => assert!(words.contains(&text)),
                (OptionKind::Written(check), Some(text)) => assert_eq!(check(text), Ok(())),
                _ => {}
            }
        }
        assert!(
            source
                .first(&subscription)
                .url
                .as_str()
                .starts_with("https://")
        );
        // The addresses in our own source stand in where an option is missing, too.
        let mut empty = subscription.clone();
        empty.options = Options::default();
        source.first(&empty);
    }
}

#[test]
fn the_first_question_follows_the_options() {
    let check = |name: &str, options: &[(&str, &str)], expected: &str| {
        let source = source(name).unwrap();
        let Ask { url, method, .. } = source.first(&subscription(source, options));
        assert_eq!(format!("{url} {method:?}"), expected);
    };
    check("dw", &[], "https://rss.dw.com/rdf/rss-chi-all Get");
    check(
        "dw",
        &[("url", "https://m.example/f")],
        "https://m.example/f Get",
    );
    check(
        "qq",
        &[],
        "https://r.inews.qq.com/gw/event/hot_ranking_list?page_size=50 Get",
    );
    check(
        "qq",
        &[
            ("list", "author"),
            ("suid", "8Q+/="),
            ("list_base", "http://127.0.0.1:9/m/"),
        ],
        "http://127.0.0.1:9/m/getSubNewsMixedList?guestSuid=8Q%2B%2F%3D&tabId=om_index&caller=1&from_scene=103 Get",
    );
    check("takungpao", &[], "https://www.tkww.hk/columns.json Get");
    check(
        "takungpao",
        &[("column", "0a1b2c3d-0000-4000-8000-000000000001")],
        "https://www.tkww.hk/columns/0a1b2c3d-0000-4000-8000-000000000001/tkww/app/stories.json Get",
    );
    let qq = source("qq").unwrap();
    let ask = qq.first(&subscription(
        qq,
        &[("list", "channel"), ("channel", "a\"b")],
    ));
    let feedmill::model::http::Method::PostJson(body) = ask.method else {
        panic!("a channel is asked by POST")
    };
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["channel_id"], "a\"b");
    assert_eq!(body["qimei36"].as_str().unwrap().len(), 36);
    assert_eq!(ask.url.as_str(), "https://i.news.qq.com/web_feed/getPCList");
}

fn sample(name: &str) -> Option<Vec<u8>> {
    let path: PathBuf = root().join("../shared/samples").join(name);
    let bytes = fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("skipped: {} is not here", path.display());
    }
    bytes
}

fn list_sample(name: &str, source_name: &str) -> Option<Listing> {
    let source = source(source_name).unwrap();
    let listing = source
        .read(&subscription(source, &[]), &page(sample(name)?))
        .unwrap();
    assert_eq!(listing.skipped, [], "{name}");
    Some(listing)
}

#[test]
fn saved_lists_give_all_their_entries() {
    let check = |name, count, more| {
        if let Some(listing) = list_sample(name, "dw") {
            assert_eq!(
                (listing.leads.len(), listing.more.is_some()),
                (count, more),
                "{name}"
            );
            for lead in &listing.leads {
                let Lead::Teaser(teaser) = lead else {
                    panic!("{name}: not a teaser")
                };
                assert!(
                    teaser.draft.id.is_some() && teaser.draft.published.is_some(),
                    "{name}"
                );
                assert!(!teaser.details.is_empty(), "{name}");
            }
        }
    };
    check("dw/rdf_rss-en-all_20260910_cut5.xml", 5, false);
    check("dw/api_search_global_lang15_20220905.json", 7, false);
    check("dw/mediacenter_list_next_202210.json", 3, true);
    check("dw/mediacenter_list_end_202210.json", 2, false);
}

#[test]
fn the_saved_feed_has_clean_links() {
    let Some(listing) = list_sample("dw/rdf_rss-en-all_20260910_cut5.xml", "dw") else {
        return;
    };
    for lead in &listing.leads {
        let link = lead.link().unwrap().as_str();
        assert!(!link.contains("maca") && link.is_ascii(), "{link}");
        assert!(link.ends_with(lead.id().unwrap().as_str()), "{link}");
    }
}

#[test]
fn the_saved_hot_item_is_an_article() {
    let Some(item) = sample("qq/hot_ranking_item_20221228A08SHX00.json") else {
        return;
    };
    let item: serde_json::Value = serde_json::from_slice(&item).unwrap();
    let answer = serde_json::json!({"ret": 0, "idlist": [{"newslist": [item]}]});
    let qq = source("qq").unwrap();
    let listing = qq
        .read(
            &subscription(qq, &[]),
            &page(answer.to_string().into_bytes()),
        )
        .unwrap();
    let [Lead::Teaser(teaser)] = &listing.leads[..] else {
        panic!("{listing:?}")
    };
    let draft = &teaser.draft;
    assert_eq!(draft.published.unwrap().to_string(), "2022-12-28T13:43:13Z");
    assert_eq!(
        draft.link.as_ref().unwrap().as_str(),
        "https://new.qq.com/rain/a/20221228A08SHX00"
    );
    assert!(
        draft
            .thumbnail
            .as_ref()
            .unwrap()
            .as_str()
            .ends_with("_640330/0")
    );
    assert_eq!(teaser.details.len(), 3);
}

#[test]
fn the_saved_films_become_entries() {
    if let Some(bytes) = sample("qq/view_inews_detail_2017_video.json") {
        let qq = source("qq").unwrap();
        let draft = qq
            .complete(&subscription(qq, &[]), &bare(), 2, &page(bytes))
            .unwrap();
        assert_eq!(draft.published.unwrap().to_string(), "2017-11-29T02:31:46Z");
        assert!(draft.thumbnail.unwrap().as_str().ends_with("_640360/0"));
        assert!(
            draft
                .body
                .unwrap()
                .text
                .starts_with("<a href=\"https://site.example/a/1\"><img src=\"http")
        );
    }
    if let Some(bytes) = sample("dw/detail_video_59567960.json") {
        let dw = source("dw").unwrap();
        let draft = dw
            .complete(&subscription(dw, &[]), &bare(), 0, &page(bytes))
            .unwrap();
        let body = draft.body.unwrap().text;
        assert!(
            body.starts_with("<p>")
                && body.ends_with("_sd_avc.mp4\" controls style=\"width:100%\"></video>"),
            "{body}"
        );
        assert_eq!(draft.cms_date.unwrap().millis(), 1_634_757_340_878);
        assert_eq!(draft.enclosures.len(), 1);
    }
}

/// A body that is in the archive, fed through a full-text feed, comes out as it is in the archive.
#[test]
fn the_full_text_route_keeps_the_archives_bytes() {
    for name in ["dw_1022801", "dw_1046207_2020", "dw_1022864"] {
        let Some(file) = sample(&format!("dw/archive/{name}.md")) else {
            continue;
        };
        let file = String::from_utf8(file).unwrap();
        let body = file
            .split_once("------\n\n")
            .unwrap()
            .1
            .trim_end_matches('\n');
        let feed = format!(
            "<rss><channel><item><link>https://www.dw.com/zh/x/a-1</link><description><![CDATA[{body}]]></description></item></channel></rss>"
        );
        let dw = source("dw").unwrap();
        let listing = dw
            .read(
                &subscription(dw, &[("route", "fulltext")]),
                &page(feed.into_bytes()),
            )
            .unwrap();
        let [Lead::Whole(draft)] = &listing.leads[..] else {
            panic!("{listing:?}")
        };
        let article = body.split("<br><hr><div>").next().unwrap();
        assert_eq!(draft.body.as_ref().unwrap().text, article, "{name}");
        assert!(draft.cms_date.is_some());
    }
}

/// The words of the published excerpt survive, its machinery does not.
#[test]
fn the_saved_body_loses_only_machinery() {
    let Some(bytes) = sample("qq/origincontent_excerpt_20261001A0BC0Q00.html") else {
        return;
    };
    let text = String::from_utf8(bytes).unwrap();
    let answer = serde_json::json!({"content": {"text": text}}).to_string();
    let qq = source("qq").unwrap();
    let body = qq
        .complete(
            &subscription(qq, &[]),
            &bare(),
            2,
            &page(answer.into_bytes()),
        )
        .unwrap()
        .body
        .unwrap()
        .text;
    assert!(!body.contains("<!--") && !body.contains("<style"));
    assert_eq!(body.matches("<p").count(), text.matches("<p").count());
    assert_eq!(body.matches("<img").count(), text.matches("<img").count());
}

/// A worker's stack; what overflows it would end the process, not the test.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

/// One fixture for each way a page is read.
fn readers() -> Vec<&'static Fixture> {
    let mut readers: Vec<&Fixture> = Vec::new();
    for fixture in &FIXTURES {
        let way = |f: &Fixture| (f.0, f.2, f.3.contains(&("route", "fulltext")));
        if !readers.iter().any(|known| way(known) == way(fixture)) {
            readers.push(fixture);
        }
    }
    assert_eq!(readers.len(), 10);
    readers
}

fn all_readers(bytes: &[u8]) {
    for fixture in readers() {
        read(fixture, bytes.to_vec());
    }
}

#[test]
fn any_bytes_return() {
    on_a_small_stack(|| {
        proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) }, |(bytes in prop::collection::vec(any::<u8>(), 0..400))| {
            all_readers(&bytes);
        });
    });
}

#[test]
fn any_mutation_of_a_fixture_returns() {
    on_a_small_stack(|| {
        let pages: Vec<_> = FIXTURES.iter().map(|f| (f, fixture_bytes(f))).collect();
        let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
        let cut = any::<prop::sample::Index>();
        proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) }, |(edits in edits, cut in cut, truncate in any::<bool>())| {
            for (fixture, bytes) in &pages {
                let mut bytes = bytes.clone();
                for (place, byte) in &edits {
                    let place = place.index(bytes.len());
                    bytes[place] = *byte;
                }
                if truncate {
                    bytes.truncate(cut.index(bytes.len()));
                }
                read(fixture, bytes);
            }
        });
    });
}

/// Random bytes never nest; these do.
#[test]
fn bombs_return_at_once() {
    on_a_small_stack(|| {
        let nested = |open: &str, n: usize| open.repeat(n);
        for bomb in [
            nested("[", 500_000),
            nested("{\"data\":", 200_000),
            format!("{{\"data\":{{\"content\":{}", nested("[", 100_000)),
            nested("<div>", 300_000),
            nested("<ul><li>", 100_000),
            nested("<b><i>", 100_000),
            nested("<svg><desc>", 100_000),
            nested("<item>", 100_000),
            format!("<rss><channel>{}", nested("<item>", 100_000)),
            format!(
                "<rss><channel>{}</channel></rss>",
                nested("<item></item>", 20_000)
            ),
            format!("<rss><channel><item><title>{}", nested("&amp;", 200_000)),
            format!(
                "<rss {}>",
                (0..5_000).fold(String::new(), |mut s, n| {
                    write!(s, "xmlns:a{n}='x' ").unwrap();
                    s
                })
            ),
            nested("<!--IMG_0", 200_000),
            nested("window.DATA = {", 200_000),
            format!("<p>{}", nested("window.DATA = {\"", 200_000)),
        ] {
            all_readers(bomb.as_bytes());
        }
    });
}
