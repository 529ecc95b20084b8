//! Articles from their own pages: which are asked, what is taken over, and what stays the feed's.

use std::fmt::Write as _;

use crate::support::mill::{EAGER, Mill, words};
use crate::support::origin::{Origin, Reply};

/// A feed of these entries: name, and the words it has of them. Each links to `/NAME.html` at the origin.
fn feed(origin: &Origin, items: &[(&str, &str)]) -> Reply {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\"><channel><title>Made-up news</title>\
         <link>https://news.example.org/</link><description>made up for tests</description>",
    );
    for (name, words) in items {
        let link = origin.url(&format!("/{name}.html"));
        write!(
            text,
            "<item><guid isPermaLink=\"false\">{name}</guid><title>Title {name}</title><link>{link}</link>\
             <pubDate>Sat, 01 Nov 2025 06:00:00 GMT</pubDate><description><![CDATA[{words}]]></description></item>"
        )
        .unwrap();
    }
    Reply::ok("application/rss+xml", text + "</channel></rss>").validated()
}

/// An article's page, with what stands around articles, and what comes behind it.
fn page(words: &str, behind: &str) -> Reply {
    Reply::ok(
        "text/html; charset=utf-8",
        format!(
            "<html><head><title>Made up</title></head><body><ul><li><a href='/a'>首页</a><li><a href='/b'>新闻</a></ul>\
             <div><h1>Made up</h1><div>{words}<p>责任编辑：某某</p></div>{behind}</div>\
             <div><ul><li><a href='/c'>别的新闻一</a><li><a href='/d'>别的新闻二</a></ul></div></body></html>"
        ),
    )
}

fn mill(origin: &Origin, fulltext: &str) -> Mill {
    Mill::new(&format!(
        "[[feed]]\nid = \"a\"\nurl = \"{}\"\nlanguage = \"zh-CN\"\nallow_hosts = [\"127.0.0.1\"]\nfulltext = {fulltext}\n",
        origin.url("/feed")
    ))
}

/// What was asked since the last time, in order, with the status of its answer.
fn asked(origin: &Origin) -> Vec<(String, u16)> {
    let log = origin.take_log().into_iter();
    let asked = log.filter(|request| request.path != "/robots.txt");
    asked
        .map(|request| (request.path, request.answered))
        .collect()
}

fn log(expected: &[(&str, u16)]) -> Vec<(String, u16)> {
    expected
        .iter()
        .map(|(path, status)| ((*path).to_owned(), *status))
        .collect()
}

/// The first paragraph of some [`words`], without markup.
fn first(words: &str) -> &str {
    words.split(['<', '>']).nth(2).unwrap()
}

fn start(items: &[(&str, &str)]) -> Origin {
    let origin = Origin::start::<&str>([]);
    origin.set("/feed", feed(&origin, items));
    origin
}

/// What is stored of the articles: title, words and note, in the order of their numbers.
fn stored(mill: &Mill) -> Vec<(String, String, Option<String>)> {
    let mut rows = mill.list();
    rows.sort_by_key(|row| row[0].parse::<u64>().unwrap());
    let shown = rows.iter().map(|row| {
        let run = mill.run(&["show", "--json", &row[0]]);
        assert_eq!(run.status, 0, "{run:?}");
        let shown: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        (
            shown["title"].as_str().unwrap().to_owned(),
            shown["body"]["text"].as_str().unwrap().to_owned(),
            shown["note"].as_str().map(str::to_owned),
        )
    });
    shown.collect()
}

#[test]
fn each_new_entry_is_asked_once_and_an_unchanged_feed_asks_for_none() {
    let origin = start(&[("1", "甲的摘要。"), ("2", "乙的摘要。")]);
    origin.set("/1.html", page(&words(1), ""));
    origin.set("/2.html", page(&words(2), ""));
    let mill = mill(&origin, "\"page\"");
    mill.fetch(0);
    assert_eq!(
        asked(&origin),
        log(&[("/feed", 200), ("/1.html", 200), ("/2.html", 200)])
    );
    let had = stored(&mill);
    assert_eq!(had.len(), 2);
    for (title, body, note) in &had {
        let own = words(if title == "Title 1" { 1 } else { 2 });
        assert!(body.contains(first(&own)), "{body}");
        assert!(
            !body.contains("责任编辑") && !body.contains("别的新闻"),
            "{body}"
        );
        assert_eq!(*note, None);
    }
    mill.fetch(0);
    assert_eq!(asked(&origin), log(&[("/feed", 304)]));
    // One more entry, and one whose words in the feed are others.
    origin.set(
        "/feed",
        feed(
            &origin,
            &[
                ("3", "丙的摘要。"),
                ("1", "甲的新摘要。"),
                ("2", "乙的摘要。"),
            ],
        ),
    );
    origin.set("/3.html", page(&words(3), ""));
    mill.fetch(0);
    assert_eq!(
        asked(&origin),
        log(&[("/feed", 200), ("/3.html", 200), ("/1.html", 200)])
    );
    mill.fetch(0);
    assert_eq!(asked(&origin), log(&[("/feed", 304)]));
}

#[test]
fn without_the_order_no_page_is_asked() {
    let origin = start(&[("1", "甲的摘要。")]);
    let mill = mill(&origin, "\"feed\"");
    mill.fetch(0);
    assert_eq!(asked(&origin), log(&[("/feed", 200)]));
}

#[test]
fn a_page_that_fails_or_has_less_leaves_the_feeds_words_and_says_so() {
    let long = words(9);
    let origin = start(&[("1", "甲的摘要。"), ("2", "乙的摘要。"), ("3", &long)]);
    origin.set("/2.html", page(&words(2), ""));
    origin.set(
        "/3.html",
        page("<p>请在客户端内打开，查看这篇文章的全部内容。</p>", ""),
    );
    let mill = mill(&origin, "\"page\"");
    let told = mill.fetch(0).to_string();
    assert!(told.contains("the feed's own words"), "{told}");
    assert_eq!(
        asked(&origin),
        log(&[
            ("/feed", 200),
            ("/1.html", 404),
            ("/2.html", 200),
            ("/3.html", 200)
        ])
    );
    let had = stored(&mill);
    let of = |title: &str| had.iter().find(|(known, ..)| known == title).unwrap();
    let (_, body, note) = of("Title 1");
    assert_eq!(body, "甲的摘要。");
    assert_eq!(
        note.as_deref(),
        Some("the feed's own words: HTTP status 404 (not found)")
    );
    let (_, body, note) = of("Title 2");
    assert!(body.contains(first(&words(2))) && note.is_none(), "{body}");
    let (_, body, note) = of("Title 3");
    assert_eq!(*body, long);
    assert!(
        note.as_deref().unwrap().contains("the page has "),
        "{note:?}"
    );
    // They are not asked again at every poll, not even when the feed has something new.
    origin.set("/4.html", page(&words(4), ""));
    origin.set(
        "/feed",
        feed(
            &origin,
            &[
                ("4", "丁"),
                ("1", "甲的摘要。"),
                ("2", "乙的摘要。"),
                ("3", &long),
            ],
        ),
    );
    mill.fetch(0);
    assert_eq!(asked(&origin), log(&[("/feed", 200), ("/4.html", 200)]));
}

/// One page for all, which asks the reader to agree to something, is nobody's article.
#[test]
fn a_wall_before_all_articles_is_none_of_them() {
    let own: Vec<String> = (1..6).map(|seed| first(&words(seed)).to_owned()).collect();
    let names: Vec<String> = (1..6).map(|n| format!("{n}")).collect();
    let items: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip(own.iter().map(String::as_str))
        .collect();
    let origin = start(&items);
    let wall = "<p>为保障账号安全，请先完成以下验证再继续浏览。我们使用必要的存储来记住您的选择，您可以随时在设置页面更改。\
        如果您使用的是公共网络，请稍候片刻，系统会自动跳转到您想看的内容。</p><p>验证通过以后本页面不再出现，感谢您的配合与理解，\
        如有疑问请联系客服热线或在工作时间到服务大厅咨询。</p>";
    for name in &names {
        origin.set(format!("/{name}.html"), page(wall, ""));
    }
    let mill = mill(&origin, "\"page\"");
    mill.fetch(1); // that none can be had is told as the feed's failure
    let found = stored(&mill);
    assert_eq!(found.len(), 5);
    for own in &own {
        let has = |(_, body, _): &&(String, String, Option<String>)| body.contains(own.as_str());
        assert_eq!(found.iter().filter(has).count(), 1, "{own}");
    }
    for (_, _, note) in &found {
        let note = note.as_deref().unwrap_or_default();
        assert!(note.contains("none of what the feed says"), "{note}");
    }
    assert_eq!(
        mill.feed().matches("<entry").count(),
        5,
        "not one entry for all"
    );
}

#[test]
fn the_pages_of_one_article_are_joined_in_their_order() {
    let origin = start(&[("1", "甲的摘要。")]);
    let next = |to: &str| format!("<p><a href='/1_9.html'>9</a> <a href='{to}'>下一页</a></p>");
    origin.set("/1.html", page(&words(1), &next("/1_2.html")));
    origin.set("/1_2.html", page(&words(2), &next("/1_3.html")));
    // A circle.
    origin.set("/1_3.html", page(&words(3), &next("/1_2.html")));
    let mill = mill(&origin, "\"page\"");
    mill.fetch(0);
    assert_eq!(
        asked(&origin),
        log(&[
            ("/feed", 200),
            ("/1.html", 200),
            ("/1_2.html", 200),
            ("/1_3.html", 200)
        ])
    );
    let (_, body, note) = &stored(&mill)[0];
    let places: Vec<_> = (1..=3).map(|n| body.find(first(&words(n)))).collect();
    assert!(places[0].is_some() && places.is_sorted(), "{places:?}");
    assert!(
        !body.contains("下一页") && note.is_none(),
        "{note:?} {body}"
    );
}

#[test]
fn an_article_without_end_has_ten_more_pages_and_other_hosts_are_not_asked() {
    let origin = start(&[("1", "甲的摘要。"), ("2", "乙的摘要。")]);
    let next = |to: String| format!("<p><a href='{to}'>下一页</a></p>");
    origin.set("/1.html", page(&words(1), &next("/1_2.html".to_owned())));
    for n in 2..=20 {
        let behind = next(format!("/1_{}.html", n + 1));
        origin.set(format!("/1_{n}.html"), page(&words(n), &behind));
    }
    let elsewhere = Origin::start([("/2_2.html", page(&words(30), ""))]);
    origin.set(
        "/2.html",
        page(&words(31), &next(elsewhere.url("/2_2.html"))),
    );
    let mill = mill(&origin, "\"page\"");
    mill.fetch(0);
    let asked = asked(&origin);
    assert_eq!(asked.len(), 1 + 11 + 1, "{asked:?}");
    assert_eq!(asked[11], ("/1_11.html".to_owned(), 200));
    assert!(elsewhere.take_log().is_empty());
    let had = stored(&mill);
    let of = |title: &str| had.iter().find(|(known, ..)| known == title).unwrap();
    assert_eq!(
        of("Title 1").2.as_deref(),
        Some("it goes on after 11 pages")
    );
}

#[test]
fn what_is_no_page_leaves_the_feeds_words() {
    let html = |text: Vec<u8>| Reply::ok("text/html", text);
    let hostile = [
        ("deep", html("<div>".repeat(100_000).into_bytes())),
        (
            "huge",
            html([b"<p>".as_slice(), &b"a, b. ".repeat(500_000)].concat()),
        ),
        ("binary", html((0..=255).cycle().take(50_000).collect())),
        (
            "pdf",
            Reply::ok("application/pdf", "%PDF-1.7 <p>words, and words.</p>"),
        ),
        ("empty", html(Vec::new())),
        (
            "menu",
            html(b"<ul><li><a href=/a>one</a><li><a href=/b>two</a></ul>".to_vec()),
        ),
    ];
    let items: Vec<(&str, &str)> = hostile
        .iter()
        .map(|(name, _)| (*name, "这是摘要。"))
        .chain([("good", "这是摘要。")])
        .collect();
    let origin = start(&items);
    for (name, reply) in hostile {
        origin.set(format!("/{name}.html"), reply);
    }
    origin.set("/good.html", page(&words(1), ""));
    let mill = mill(&origin, "\"page\"");
    mill.fetch(0);
    let had = stored(&mill);
    assert_eq!(had.len(), items.len());
    for (title, body, note) in had {
        if title == "Title good" {
            assert!(note.is_none());
        } else {
            assert_eq!(body, "这是摘要。", "{title}");
            let note = note.unwrap_or_default();
            assert!(note.starts_with("the feed's own words: "), "{title} {note}");
        }
    }
}

#[test]
fn a_selector_says_where_the_words_are() {
    let origin = start(&[("1", "甲的摘要。"), ("2", "乙的摘要。")]);
    let two = format!("{}<div class='words'>{}</div>", words(5), words(1));
    origin.set("/1.html", page(&two, ""));
    origin.set("/2.html", page(&words(2), ""));
    let mill = mill(&origin, "{ selector = \".words\" }");
    mill.fetch(0);
    let had = stored(&mill);
    let of = |title: &str| had.iter().find(|(known, ..)| known == title).unwrap();
    let (_, body, _) = of("Title 1");
    assert!(body.contains(first(&words(1))) && !body.contains(first(&words(5))));
    let note = of("Title 2").2.clone().unwrap();
    assert!(note.contains("`.words`"), "{note}");
}

#[test]
fn what_is_over_the_budget_of_a_poll_comes_with_the_next() {
    let names = ["1", "2", "3"];
    let items: Vec<_> = names.iter().map(|name| (*name, "摘要。")).collect();
    let origin = start(&items);
    for (name, seed) in names.iter().zip(1..) {
        origin.set(format!("/{name}.html"), page(&words(seed), ""));
    }
    let mill = mill(&origin, "\"page\"");
    mill.write("feedmill.toml", &format!("{EAGER}details_per_poll = 2\n"));
    mill.fetch(0);
    assert_eq!(
        asked(&origin),
        log(&[("/feed", 200), ("/1.html", 200), ("/2.html", 200)])
    );
    assert_eq!(stored(&mill).len(), 2);
    mill.fetch(0);
    assert_eq!(asked(&origin), log(&[("/feed", 200), ("/3.html", 200)]));
    assert_eq!(stored(&mill).len(), 3);
}

#[test]
fn pages_none_of_which_can_be_had_are_the_feeds_failure_and_its_words_are_kept() {
    let origin = start(&[
        ("1", "甲的摘要。"),
        ("2", "乙的摘要。"),
        ("3", "丙的摘要。"),
    ]);
    let mill = mill(&origin, "\"page\"");
    let told = mill.fetch(1).to_string();
    // What three of these in a row are told as: thin (rules/health/tests.rs).
    assert!(told.contains("detail pages cannot be had"), "{told}");
    assert_eq!(stored(&mill).len(), 3);
}
