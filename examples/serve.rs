//! Serves made-up articles from a store of its own, for readers, checkers and load generators to be pointed at.
//!
//!     cargo run --release --example serve -- 8089 1000
//!
//! The port and how many entries the feed has. `GET /grow` adds an article and publishes it: what a poll would have done.
#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use axum::http::StatusCode;
use feedmill::model::article::Article;
use feedmill::model::content::{Content, ContentHash, RawHash};
use feedmill::model::entry::EntryKey;
use feedmill::model::feed::{FeedInfo, Options, Subscription};
use feedmill::model::ids::EntryId;
use feedmill::model::learned::Learned;
use feedmill::model::poll::{Coverage, PollRecord, PollResult, Reading};
use feedmill::model::river::CopyPolicy;
use feedmill::model::time::Timestamp;
use feedmill::model::urls::PageUrl;
use feedmill::serve::accept::Limits;
use feedmill::serve::library::Library;
use feedmill::serve::site::Page;
use feedmill::serve::{Site, serve, shelve};
use feedmill::service::publish::{Masthead, Press};
use feedmill::service::shelf::Shelf;
use feedmill::store::Store;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

const FEED: &str = "made-up";

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let port = arguments.next().map_or(Ok(8089), |text| text.parse())?;
    let entries = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(port, entries))
}

async fn run(port: u16, entries: usize) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let store = Store::open(&directory.path().join("store.sqlite"))?;
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    let press = press(&store, &directory, listener.local_addr()?, entries)?;
    let mut shelf = Shelf::new(Some(directory.path().join("sealed")));
    let library = Library::default();
    record(&store, 0..entries).await?;
    publish(&mut shelf, &press, &library).await?;
    let (grow, mut growing) = mpsc::unbounded_channel();
    let mut limits = Limits::default();
    limits.per_client = limits.in_all;
    limits.life = Duration::from_hours(1);
    let site = Site {
        latest: library.latest(),
        search: None,
        live: HashMap::from([("/grow", maker(grow))]),
        buckets: None,
        limits,
        proxies: Vec::new(),
        clock: now,
        since: Instant::now(),
    };
    println!("http://{}/", listener.local_addr()?);
    let grown = async {
        let mut next = entries;
        while growing.recv().await.is_some() {
            record(&store, next..next + 1).await?;
            next += 1;
            publish(&mut shelf, &press, &library).await?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        () = serve(listener, Arc::new(site), async { let _ = tokio::signal::ctrl_c().await; }) => Ok(()),
        grown = grown => grown,
    }
}

fn maker(grow: mpsc::UnboundedSender<()>) -> Box<dyn Fn() -> Page + Send + Sync> {
    Box::new(move || Page {
        status: if grow.send(()).is_ok() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        media_type: "text/plain; charset=utf-8",
        body: "one more\n".to_owned(),
    })
}

async fn publish(shelf: &mut Shelf, press: &Press, library: &Library) -> Result<()> {
    loop {
        let filled = shelf.fill(press)?;
        shelve(library, filled.publications, now()).await?;
        if !filled.unfinished {
            return Ok(());
        }
    }
}

fn press(
    store: &Store,
    directory: &tempfile::TempDir,
    address: SocketAddr,
    entries: usize,
) -> Result<Press> {
    let subscription = Subscription {
        title: Some("Made-up news".to_owned()),
        language: "zh-CN".to_owned(),
        tags: vec!["made".to_owned(), "科学".to_owned()],
        options: Options(
            [(
                "url".to_owned(),
                "https://news.example.org/feed.xml".to_owned(),
            )]
            .into(),
        ),
        ..Subscription::new(FEED.parse()?, "feed")
    };
    Ok(Press {
        share: feedmill::rules::share::Share::ALL,
        store: store.clone(),
        archive: None,
        sealed: None,
        feed: directory.path().join("feed.atom"),
        entries,
        copies: CopyPolicy::default(),
        masthead: Masthead {
            id: None,
            title: "Made-up river".to_owned(),
            subtitle: Some("Made up, to be served".to_owned()),
            author: "feedmill".to_owned(),
            language: "zh-CN".to_owned(),
            home: PageUrl::parse(&format!("http://{address}/"))?,
        },
        subscriptions: HashMap::from([(subscription.id.clone(), subscription)]),
    })
}

async fn record(store: &Store, numbers: std::ops::Range<usize>) -> Result<()> {
    let articles = numbers.map(article).collect::<Result<Vec<_>>>()?;
    store
        .record(PollRecord {
            feed: FEED.parse()?,
            at: now(),
            took: Duration::ZERO,
            next: now(),
            why_next: "made up".to_owned(),
            not_before: None,
            fresh_until: None,
            failures: 0,
            learned: Learned::default(),
            result: PollResult::Read(Box::new(Reading {
                info: FeedInfo::default(),
                articles,
                known: 0,
                skipped: Vec::new(),
                missed: Vec::new(),
                notes: Vec::new(),
                document: None,
                coverage: Coverage::Whole(None),
                ..Reading::default()
            })),
        })
        .await?;
    Ok(())
}

/// About 830 bytes in the Atom document, so that a thousand of them fit.
fn article(number: usize) -> Result<Article> {
    const SIGNS: [char; 16] = [
        '山', '水', '风', '云', '城', '市', '新', '闻', '人', '民', '路', '桥', '春', '秋', '早',
        '晚',
    ];
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let words: String = (0..60)
        .filter_map(|_| {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0xFFFF_FFFF;
            SIGNS.get((state >> 16) % SIGNS.len())
        })
        .collect();
    let link = PageUrl::parse(&format!("https://news.example.org/{number}"))?;
    let id = format!("tag:example.org,2026:{number}");
    let key = EntryId::new(&id).map_or(EntryKey::Link(link.clone()), EntryKey::Id);
    Ok(Article {
        id: EntryId::new(&id),
        key,
        link: Some(link),
        title: format!("{} {number}", words.chars().take(8).collect::<String>()),
        authors: Vec::new(),
        language: None,
        published: None,
        updated: None,
        cms_date: None,
        categories: Vec::new(),
        summary: None,
        body: Content::html(format!("<p>{words}</p>")),
        partial: false,
        note: None,
        thumbnail: None,
        enclosures: Vec::new(),
        origin: None,
        content: ContentHash::from_bytes(*blake3::hash(words.as_bytes()).as_bytes()),
        raw: RawHash::of([Some(words.as_bytes())]),
        teaser: None,
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
