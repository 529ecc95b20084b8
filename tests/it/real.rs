//! Real answers of publishers, through the built program: asked, stored, archived, published, and asked again. They lie
//! beside the project and are read there; where they are absent, these tests say so and pass.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use feedmill::model::time::{Timestamp, Zone};
use feedmill::output::archive::{Sheet, detect};
use serde_json::{Value, json};

use crate::support::check_atom;
use crate::support::mill::Mill;
use crate::support::origin::{Origin, Reply};

const JSON: &str = "application/json; charset=utf-8";

/// A sample's text.
fn sample(name: &str) -> Option<String> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples")).join(name);
    let text = fs::read_to_string(path);
    if text.is_err() {
        println!("skipped: no {name} beside the project");
    }
    text.ok()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn answer(media: &str, body: impl Into<Vec<u8>>) -> Reply {
    Reply::ok(media, body).validated().gzipped()
}

fn no_origin() -> Origin {
    Origin::start(Vec::<(String, Reply)>::new())
}

/// A made-up article in the shape of DW's detail answers.
fn made_up_article(id: &str) -> Reply {
    let mut text = String::new();
    for paragraph in 0..4 {
        let _ = write!(text, "Made-up paragraph {paragraph} of article {id}. ");
    }
    let answer_ = json!({
        "type": "Article", "id": id, "name": format!("Made up {id}"), "teaser": format!("Teaser of {id}"),
        "displayDate": "2022-09-05T07:00:00.123Z", "permaLink": format!("https://p.dw.com/p/{id}"),
        "body": [{"content": {"type": "Paragraph", "text": text}}],
    });
    answer(JSON, answer_.to_string())
}

fn made_up_media(id: &str, kind: &str) -> Reply {
    let media = json!({
        "type": kind, "id": id, "name": format!("Made up {id}"), "permaLink": format!("https://p.dw.com/p/m{id}"),
        "teaser": format!("The made-up teaser of {kind} {id}, long enough to be told apart from the other made-up teasers."),
        "displayDate": "2021-10-20T14:00:00.000Z", "mainContent": {"sources": []},
    });
    answer(JSON, media.to_string())
}

/// Reads every archive file back, and what is read renders the same bytes.
fn sheets(mill: &Mill, zone: &str) -> Vec<Sheet> {
    let zone = Zone::parse(zone).unwrap();
    let files = mill.archive();
    files
        .iter()
        .map(|(name, bytes)| {
            let format = detect(bytes).unwrap();
            let sheet = format.parse(bytes, &zone).unwrap();
            assert_eq!(&format.render(&sheet, &zone).unwrap(), bytes, "{name}");
            sheet
        })
        .collect()
}

/// What holds of every run: the feed is as it has to be, the archive is proven, and a second run changes no byte and no
/// time of any file.
fn settles(origin: &Origin, mill: &Mill, again: &str) {
    let faults = check_atom::check(&mill.feed());
    assert!(faults.is_empty(), "{faults:#?}");
    let verify = mill.run(&["archive", "verify"]);
    assert_eq!(verify.status, 0, "{verify:?}");
    let (before, listed) = (mill.published(), mill.list());
    origin.take_log();
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["result"], again, "{report}");
    assert_eq!(report["feed_changed"], false);
    assert_eq!(before, mill.published());
    assert_eq!(listed, mill.list());
}

fn time(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<jiff::Timestamp>().unwrap())
}

#[test]
fn the_list_of_dw_with_the_detail_api() {
    let Some(list) = sample("dw/rdf_rss-en-all_20260910_cut5.xml") else {
        return;
    };
    let document = roxmltree::Document::parse(&list).unwrap();
    let rss = "http://purl.org/rss/1.0/";
    let items: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name((rss, "item")))
        .collect();
    let field = |item: &roxmltree::Node, name: &str| {
        let found = item.children().find(|node| node.tag_name().name() == name);
        found.and_then(|node| node.text()).unwrap().to_owned()
    };
    assert_eq!(items.len(), 5);
    let origin = Origin::start([("/rdf", answer("application/rdf+xml", list.as_bytes()))]);
    for item in &items {
        let id = field(item, "contentID");
        origin.set(format!("/api/detail/article/{id}"), made_up_article(&id));
    }
    let feeds = format!(
        "[[feed]]\nid = \"dw\"\nsource = \"dw\"\nlanguage = \"en\"\nurl = \"{}\"\napi = \"{}\"\nallow_hosts = [\"127.0.0.1\"]\n",
        origin.url("/rdf"),
        origin.base_url()
    );
    let mill = Mill::new(&feeds);
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["new"], 5, "{report}");
    assert_eq!(origin.log().len(), 7, "the list, robots.txt and five pages");

    let sheets = sheets(&mill, "UTC");
    // The list is newest first, numbers are oldest first.
    for ((item, line), sheet) in items.iter().rev().zip(mill.list()).zip(&sheets) {
        let link = field(item, "link");
        let link = link.split('?').next().unwrap();
        let link = link.replace('€', "%E2%82%AC");
        assert_eq!(line[5], link, "without maca");
        assert_eq!(line[4], field(item, "title"));
        assert_eq!(sheet.published, Some(time(&field(item, "date"))));
        assert_eq!(sheet.link, link);
        let id = field(item, "contentID");
        assert!(
            sheet.body.text.contains(&format!("of article {id}.")),
            "{}",
            sheet.body.text
        );
        assert!(
            sheet
                .body
                .text
                .starts_with("<div><i><br>2022-09-05T07:00:00.123Z</i></div><p>"),
            "the byline: {}",
            sheet.body.text
        );
        let shown = json_of(&mill.run(&["show", "--json", &line[0]]).out);
        assert_eq!(shown["original_id"], id.as_str());
        assert_eq!(shown["categories"], json!([field(item, "subject")]));
    }
    settles(&origin, &mill, "unchanged");
    let asked: Vec<u16> = origin.log().iter().map(|seen| seen.answered).collect();
    assert_eq!(asked, [304], "the list alone, and nothing of it sent");
}

#[test]
fn the_search_of_dw() {
    let Some(list) = sample("dw/api_search_global_lang15_20220905.json") else {
        return;
    };
    let items = json_of(&list)["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 7);
    let place = "/api/search/global?terms=*&languageId=15";
    let origin = Origin::start([(place, answer(JSON, list))]);
    for item in &items {
        let id = item["reference"]["id"].to_string();
        origin.set(format!("/api/detail/article/{id}"), made_up_article(&id));
    }
    let feeds = format!(
        "[[feed]]\nid = \"dw\"\nsource = \"dw\"\nlanguage = \"ha\"\nurl = \"{}\"\napi = \"{}\"\nallow_hosts = [\"127.0.0.1\"]\n",
        origin.url(place),
        origin.base_url()
    );
    let mill = Mill::new(&feeds);
    assert_eq!(mill.fetch(0)["feeds"][0]["new"], 7);
    let sheets = sheets(&mill, "UTC");
    for ((item, line), sheet) in items.iter().rev().zip(mill.list()).zip(&sheets) {
        let id = item["reference"]["id"].to_string();
        assert_eq!(line[4], item["name"].as_str().unwrap().trim());
        assert_eq!(line[5], format!("https://p.dw.com/p/{id}"));
        let published = time(item["displayDate"].as_str().unwrap());
        assert_eq!(sheet.published, Some(published));
        let shown = json_of(&mill.run(&["show", "--json", &line[0]]).out);
        assert_eq!(shown["original_id"], id.as_str());
        assert_eq!(shown["summary"], item["teaserText"]);
    }
    settles(&origin, &mill, "unchanged");
}

#[test]
fn the_media_centre_of_dw_over_two_pages_with_a_real_film() {
    let names = [
        "dw/mediacenter_list_next_202210.json",
        "dw/mediacenter_list_end_202210.json",
        "dw/detail_video_59567960.json",
    ];
    let [Some(first), Some(last), Some(film)] = names.map(sample) else {
        return;
    };
    let origin = no_origin();
    let place = "/api/list/mediacenter/1?pageIndex=";
    for (page, list) in [("177", &first), ("178", &last)] {
        origin.set(format!("{place}{page}"), answer(JSON, list.as_bytes()));
        for item in json_of(list)["items"].as_array().unwrap() {
            let id = item["reference"]["id"].to_string();
            let kind = item["reference"]["type"].as_str().unwrap();
            let kind = kind.trim_end_matches("Ref");
            origin.set(
                format!("/api/detail/{}/{id}", kind.to_lowercase()),
                made_up_media(&id, kind),
            );
        }
    }
    origin.set("/api/detail/video/59567960", answer(JSON, film.as_bytes()));
    let feeds = format!(
        "[[feed]]\nid = \"dw\"\nsource = \"dw\"\nlanguage = \"de\"\nurl = \"{}177\"\napi = \"{}\"\nallow_hosts = [\"127.0.0.1\"]\n",
        origin.url(place),
        origin.base_url()
    );
    let mill = Mill::new(&feeds);
    assert_eq!(mill.fetch(0)["feeds"][0]["new"], 5);
    let film = json_of(&film);
    let link = film["permaLink"].as_str().unwrap();
    let mut stored = mill.list().into_iter();
    let entry = stored.find(|fields| fields[5] == link).unwrap();
    let listed = &json_of(&first)["items"][0];
    assert_eq!(
        entry[4],
        listed["name"].as_str().unwrap(),
        "the list's title"
    );
    assert_eq!(entry[2], "2021-10-20T19:15:40Z");
    let shown = json_of(&mill.run(&["show", "--json", &entry[0]]).out);
    let body = shown["body"]["text"].as_str().unwrap();
    assert!(body.contains(film["teaser"].as_str().unwrap()), "{body}");
    let best = &film["mainContent"]["sources"][1]["url"];
    assert!(
        body.contains(&format!(
            "<video src=\"{}\" controls",
            best.as_str().unwrap()
        )),
        "{body}"
    );
    assert!(
        mill.feed()
            .contains(&format!("rel=\"enclosure\" href={best}")),
        "{}",
        mill.feed()
    );
    sheets(&mill, "UTC");
    // Validators vouch for one page of two, so the list is read again, and found known.
    settles(&origin, &mill, "read");
}

#[test]
fn the_hot_list_of_tencent_news_and_a_body_of_it() {
    let names = [
        "qq/hot_ranking_item_20221228A08SHX00.json",
        "qq/origincontent_excerpt_20261001A0BC0Q00.html",
    ];
    let [Some(item), Some(body)] = names.map(sample) else {
        return;
    };
    let item = json_of(&item);
    let id = item["id"].as_str().unwrap();
    let tip = json!({"id": "TIP2022122800000", "articletype": "560", "title": "made up"});
    let list =
        json!({"ret": 0, "idlist": [{"ids_hash": "", "has_more": 0, "newslist": [tip, item]}]});
    let data = json!({
        "article_id": id, "title": item["title"], "pubtime": item["time"], "atype": "0",
        "originContent": {"text": body, "version": 1}, "originAttribute": {},
    });
    let page =
        format!("<!DOCTYPE html><html><body><script>window.DATA = {data};</script></body></html>");
    let origin = Origin::start([
        (
            "/gw/event/hot_ranking_list?page_size=50".to_owned(),
            answer(JSON, list.to_string()),
        ),
        (
            format!("/rain/a/{id}"),
            answer("text/html; charset=utf-8", page),
        ),
    ]);
    let base = origin.base_url();
    let mill = Mill::new(&format!(
        "[[feed]]\nid = \"qq\"\nsource = \"qq\"\nlist_base = \"{base}\"\narticle_base = \"{base}\"\nallow_hosts = [\"127.0.0.1\"]\n"
    ));
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["new"], 1, "{report}");
    let list = mill.list();
    let link = format!("https://new.qq.com/rain/a/{id}");
    assert_eq!(
        list[0][2..],
        [
            "2022-12-28T13:43:13Z",
            "qq",
            item["title"].as_str().unwrap(),
            &link
        ]
    );
    let sheets = sheets(&mill, "Asia/Shanghai");
    let [sheet] = sheets.as_slice() else {
        panic!("one file")
    };
    let files = mill.archive();
    let text = str::from_utf8(files.values().next().unwrap()).unwrap();
    let time = item["time"].as_str().unwrap();
    assert!(text.contains(&format!("\ndate: \"{time}\"\n")), "{text}");
    assert!(text.ends_with(&format!("\n\n[qq]({link})\n")), "{text}");
    assert_eq!(
        sheet.thumbnail,
        item["bigImage"][0].as_str().unwrap(),
        "no 640360 is offered"
    );
    assert_eq!(sheet.summary.chars().count(), 53);
    assert!(sheet.summary.ends_with("..."));
    let words = &sheet.body.text;
    assert!(
        !words.contains(['<', '>']) && !words.contains("--"),
        "{words}"
    );
    assert_eq!(
        words
            .matches("![图片](https://inews.gtimg.com/om_bt/")
            .count(),
        body.matches("<img").count()
    );
    let shown = json_of(&mill.run(&["show", "--json", "0"]).out);
    assert_eq!(shown["original_id"], id);
    assert_eq!(shown["authors"], json!([item["source"]]));
    settles(&origin, &mill, "unchanged");
}

#[test]
fn a_film_of_2017_by_the_last_of_three_routes() {
    let Some(film) = sample("qq/view_inews_detail_2017_video.json") else {
        return;
    };
    let id = "20171129V077OD00";
    let list = json!({"ret": 0, "newslist": [{"id": id, "articletype": "56"}]});
    let origin = Origin::start([
        (
            "/getSubNewsMixedList?guestSuid=made-up&tabId=om_index&caller=1&from_scene=103"
                .to_owned(),
            answer(JSON, list.to_string()),
        ),
        (
            format!("/getSimpleNews?id={id}"),
            answer(JSON, film.as_bytes()),
        ),
    ]);
    let base = origin.base_url();
    let mill = Mill::new(&format!(
        "[[feed]]\nid = \"qq\"\nsource = \"qq\"\nlist = \"author\"\nsuid = \"made-up\"\nallow_hosts = [\"127.0.0.1\"]\nlist_base = \"{base}\"\n\
         article_base = \"{base}\"\nview_base = \"{base}\"\nsimple_base = \"{base}\"\n"
    ));
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["new"], 1, "{report}");
    let paths: Vec<String> = origin.log().into_iter().map(|seen| seen.path).collect();
    assert_eq!(
        paths[1..],
        [
            "/robots.txt".to_owned(),
            format!("/rain/a/{id}"),
            format!("/a/{id}"),
            format!("/getSimpleNews?id={id}")
        ]
    );
    let film = &json_of(&film)["content"];
    let list = mill.list();
    assert_eq!(
        list[0][2..],
        [
            "2017-11-29T02:31:46Z",
            "qq",
            film["title"].as_str().unwrap(),
            &format!("https://new.qq.com/rain/a/{id}")
        ]
    );
    let shown = json_of(&mill.run(&["show", "--json", "0"]).out);
    assert_eq!(shown["authors"], json!([film["source"]]));
    let sheets = sheets(&mill, "Asia/Shanghai");
    assert_eq!(
        sheets[0].thumbnail,
        film["imgurl_ext"]["640360"].as_str().unwrap()
    );
    settles(&origin, &mill, "unchanged");
}
