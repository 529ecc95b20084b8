//! What a page says of itself besides its words: title, picture, date, and where it goes on.

use dom_query::Document;

use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;
use crate::rules::dates;
use crate::rules::extract::prose::Run;
use crate::rules::extract::tree::{At, Tree, one_blank};
use crate::rules::fold::fold;
use crate::rules::lead;

/// The content of the first of these `meta` elements that has any.
fn meta(document: &Document, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let selector =
            format!("meta[property='{name}'], meta[name='{name}'], meta[itemprop='{name}']");
        let found = document.try_select(&selector)?;
        let content = found.iter().find_map(|meta| meta.attr("content"));
        content
            .map(|content| one_blank(&content))
            .filter(|content| !content.is_empty())
    })
}

/// What the page calls itself, the site's name included where it is put behind the title.
pub(super) fn names(document: &Document) -> Vec<String> {
    let given = meta(document, &["og:title", "twitter:title", "headline"]);
    let title = document
        .try_select("title")
        .map(|title| one_blank(&title.first().text()));
    given
        .into_iter()
        .chain(title)
        .filter(|name| !name.is_empty())
        .collect()
}

/// The heading that is the article's title: the first that the page's own name begins with, else its only `h1`.
pub(super) fn title(tree: &Tree, runs: &[Run], names: &[String]) -> Option<(At, String)> {
    let folded: Vec<String> = names
        .iter()
        .map(|name| fold(name).as_str().to_owned())
        .collect();
    let is_named = |run: &&Run| {
        let words = fold(&run.text);
        let words = words.as_str();
        let long = words.chars().count() >= 4;
        long && run.size.density() < 0.5
            && folded.iter().any(|name| {
                name.starts_with(words) && words.chars().count() * 5 >= name.chars().count() * 2
            })
    };
    let is_h1 = |run: &&Run| {
        tree.upwards(run.home)
            .take(3)
            .any(|at| tree.at(at).name == "h1")
    };
    let mut h1 = runs.iter().filter(is_h1);
    let only = h1.next().filter(|_| h1.next().is_none());
    let found = runs
        .iter()
        .filter(is_h1)
        .find(is_named)
        .or_else(|| runs.iter().find(is_named))
        .or_else(|| only.filter(|run| run.size.all >= 10 && run.size.density() < 0.5))?;
    Some((found.home, found.text.clone()))
}

/// The page's own name without the site's behind it.
pub(super) fn without_site(name: &str) -> String {
    let parts = ["_", "|", " - ", " – ", " — ", "｜"];
    let end = parts
        .iter()
        .filter_map(|part| name.find(part))
        .min()
        .unwrap_or(name.len());
    let (title, _) = name.split_at(end);
    let title = title.trim();
    if title.chars().count() >= 4 {
        title
    } else {
        name
    }
    .to_owned()
}

/// The picture the page names for itself, unless that is the site's logo.
pub(super) fn image(document: &Document, base: &PageUrl) -> Option<PageUrl> {
    let given = meta(
        document,
        &[
            "og:image",
            "og:image:url",
            "twitter:image",
            "twitter:image:src",
            "image",
        ],
    )?;
    base.join(&given).ok().filter(lead::may_be)
}

/// When it was published, by its own word.
pub(super) fn published(document: &Document, zone: &Zone) -> Option<Timestamp> {
    let named = meta(
        document,
        &[
            "article:published_time",
            "datePublished",
            "og:published_time",
            "pubdate",
            "publishdate",
            "PubDate",
            "publish_time",
            "parsely-pub-date",
            "date",
        ],
    );
    let in_data = || {
        document
            .try_select("script[type='application/ld+json']")?
            .iter()
            .find_map(|data| {
                let text = data.text();
                let (_, rest) = text.split_once("\"datePublished\"")?;
                rest.trim_start()
                    .strip_prefix(':')?
                    .trim_start()
                    .strip_prefix('"')?
                    .split('"')
                    .next()
                    .map(str::to_owned)
            })
    };
    let in_time = || {
        let times = document.try_select("time[datetime]")?;
        times
            .iter()
            .next()?
            .attr("datetime")
            .map(|time| time.to_string())
    };
    [named, in_data(), in_time()]
        .into_iter()
        .flatten()
        .find_map(|text| dates::parse(&text, zone, None))
}

/// Where relative addresses of the page begin.
pub(super) fn base(document: &Document, url: &PageUrl) -> PageUrl {
    let given = document
        .try_select("base[href]")
        .and_then(|base| base.iter().next()?.attr("href"));
    given
        .and_then(|href| url.join(&href).ok())
        .unwrap_or_else(|| url.clone())
}

/// Words of a link to the next page that can mean nothing else.
const NEXT: &[&str] = &[
    "下一页",
    "下一頁",
    "下页",
    "下頁",
    "下 一 页",
    "次のページ",
    "次へ",
    "next page",
    "continue to next page",
];
/// Words that may also lead to the next article.
const PERHAPS: &[&str] = &["next", "continue", "more", "continued"];

/// The next page of the same article: on the same host, said in words that mean a page, or said otherwise and with the
/// same address but for a number at its end.
pub(super) fn next(document: &Document, base: &PageUrl, url: &PageUrl) -> Option<PageUrl> {
    let links = document.try_select("a[href], link[rel][href]")?;
    links.iter().find_map(|link| {
        let words = link.text().to_lowercase();
        let words = words.trim_matches(|c: char| !c.is_alphanumeric()).trim();
        let rel = link.attr("rel").is_some_and(|rel| {
            rel.split_ascii_whitespace()
                .any(|rel| rel.eq_ignore_ascii_case("next"))
        });
        let sure = NEXT.contains(&words);
        if !(sure || rel || PERHAPS.contains(&words)) {
            return None;
        }
        let next = base.join(&link.attr("href")?).ok()?.without_fragment();
        let same_host = next.as_url().origin() == url.as_url().origin();
        let other = next != url.without_fragment();
        (same_host && other && (sure || is_page_of(&next, url))).then_some(next)
    })
}

/// Whether two addresses differ by the number of a page only: `a.html` and `a_2.html`, `a` and `a/2`, `a?page=2`.
fn is_page_of(next: &PageUrl, this: &PageUrl) -> bool {
    const NUMBERS: [&str; 5] = ["page", "p", "pg", "paged", "pageno"];
    let stem = |url: &PageUrl| {
        let url = url.as_url();
        let path = url.path().trim_end_matches('/');
        let (path, extension) = match path.rsplit_once('.') {
            Some((stem, extension)) if extension.len() <= 5 && !extension.contains('/') => {
                (stem, extension)
            }
            _ => (path, ""),
        };
        let bare = path.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = path.len() - bare.len();
        let parted = bare
            .strip_suffix(['_', '-', '/'])
            .map(|bare| bare.strip_suffix("/page").unwrap_or(bare));
        let path = match parted {
            Some(bare) if (1..=2).contains(&digits) => bare,
            _ => path,
        };
        let path = path.strip_suffix("/index").unwrap_or(path).to_owned();
        let query: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !NUMBERS.contains(&&*name.to_lowercase()))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        (path, extension.to_owned(), query)
    };
    let ((path, extension, query), (own_path, own_extension, own_query)) = (stem(next), stem(this));
    path == own_path
        && query == own_query
        && (extension == own_extension || extension.is_empty() || own_extension.is_empty())
        && !path.is_empty()
}
