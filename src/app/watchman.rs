//! The daemon's watchman: hears of every poll, looks at the clock now and then, and says how feeds are doing.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};
use tracing::error;

use crate::app::mindful::Mindful;
use crate::app::{now, told};
use crate::model::health::HealthEvent;
use crate::model::time::Timestamp;
use crate::model::withheld::Reason;
use crate::output::Laid;
use crate::output::health::{self, Head};
use crate::serve::site::{Maker, Page};
use crate::service::poll::Desk;
use crate::service::publish::Press;
use crate::service::scheduler::Roster;
use crate::service::shelf::{Made, Matter, Publication};
use crate::service::vitals::metrics::MEDIA_TYPE;
use crate::service::vitals::process::Process;
use crate::service::vitals::{Stock, Vitals};
use crate::service::watch::{Glance, Watch};
use crate::store::{Store, StoreError};

/// How often the clock is looked at: no source is known to be silent by the minute.
const ROUND: Duration = Duration::from_mins(10);

/// How often the disk is looked at.
const STOCKTAKING: Duration = Duration::from_mins(1);

/// How long the health feed is fresh, and among how many of the last changes its entries are looked for.
const FRESH: Duration = Duration::from_mins(5);
const LOOKED_AT: usize = 1_000;

/// Polls judged together.
const TOGETHER: usize = 256;

/// Who watches.
pub struct Watchman {
    /// What is watched.
    pub store: Store,
    /// Where states are told.
    pub vitals: Arc<Vitals>,
    /// Who is polled.
    pub roster: watch::Receiver<Arc<Roster>>,
    /// Polls that ended; when nobody is left to tell of more, the watch is over.
    pub polls: mpsc::UnboundedReceiver<Glance>,
    /// There is something new to be published.
    pub changed: Arc<Notify>,
}

/// Sets one to work; polls that ended are told to the sender.
pub fn start(
    store: &Store,
    vitals: &Arc<Vitals>,
    roster: watch::Receiver<Arc<Roster>>,
    changed: &Arc<Notify>,
) -> (mpsc::UnboundedSender<Glance>, JoinHandle<()>) {
    let (polled, polls) = mpsc::unbounded_channel();
    let watchman = Watchman {
        store: store.clone(),
        vitals: Arc::clone(vitals),
        roster,
        polls,
        changed: Arc::clone(changed),
    };
    (polled, tokio::spawn(watchman.run()))
}

impl Watchman {
    /// Watches until the last poll is told.
    pub async fn run(mut self) {
        if let Err(error) = self.watch().await {
            error!(%error, "nobody watches how feeds are doing any more");
        }
    }

    async fn watch(&mut self) -> Result<(), StoreError> {
        let mut watch = Watch::new(self.store.clone())?;
        self.enrol(&watch)?;
        let mut clock = interval(ROUND);
        let mut stocktaking = interval(STOCKTAKING);
        for ticks in [&mut clock, &mut stocktaking] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut glances = Vec::new();
        loop {
            let judged = tokio::select! {
                count = self.polls.recv_many(&mut glances, TOGETHER) => {
                    if count == 0 {
                        return Ok(());
                    }
                    watch.polled(glances.drain(..), now()).await
                }
                // While we take in nothing ourselves, a silence is ours (P-49).
                _ = clock.tick() => match self.vitals.verdict() {
                    Ok(()) => {
                        let roster = Arc::clone(&self.roster.borrow());
                        watch.by_the_clock(roster.iter().map(|(order, _)| &order.id), now()).await
                    }
                    Err(_) => Ok(Vec::new()),
                },
                Ok(()) = self.roster.changed() => self.enrol(&watch).map(|()| Vec::new()),
                _ = stocktaking.tick() => {
                    self.take_stock().await;
                    continue;
                }
            };
            match judged {
                Ok(events) => self.tell(&events),
                // The scheduler meets the same trouble, and says so; the feeds are judged at their next polls.
                Err(error) => error!(%error, "how feeds are doing could not be kept"),
            }
        }
    }

    fn tell(&self, events: &[HealthEvent]) {
        for event in events {
            told::health(event);
            self.vitals.doing(&event.feed, event.change.to);
        }
        if !events.is_empty() {
            self.changed.notify_one();
        }
    }

    fn enrol(&mut self, watch: &Watch) -> Result<(), StoreError> {
        let roster = Arc::clone(&self.roster.borrow_and_update());
        // Private feeds have no numbers of their own (F-63): anybody who is served may read them.
        let mut states = self.store.feed_states()?;
        let said: HashSet<_> = states
            .iter()
            .filter(|state| state.learned.private)
            .map(|state| state.id.clone())
            .collect();
        let (hidden, named): (Vec<_>, Vec<_>) = roster
            .iter()
            .partition(|(order, _)| order.private.unwrap_or(said.contains(&order.id)));
        let count = named.len();
        let origins = named
            .iter()
            .map(|(order, source)| source.first(order).url.origin());
        self.vitals.may_name(origins);
        let feeds: Vec<_> = named
            .iter()
            .chain(&hidden)
            .map(|(order, _)| &order.id)
            .collect();
        let wanted: HashSet<_> = feeds.iter().copied().collect();
        states.retain(|state| wanted.contains(&state.id));
        self.vitals.enrol(feeds.iter().copied(), count, &states);
        for feed in feeds {
            self.vitals.doing(feed, watch.state(feed));
        }
        Ok(())
    }

    async fn take_stock(&self) {
        let store = self.store.clone();
        // Counting rows reads indexes from the disk.
        if let Ok(Ok(stock)) = spawn_blocking(move || stock(&store)).await {
            self.vitals.stock(stock);
        }
    }
}

fn stock(store: &Store) -> Result<Stock, StoreError> {
    let counts = store.counts()?;
    let bytes = ["", "-wal"].iter().filter_map(|ending| {
        let mut path = store.path().as_os_str().to_owned();
        path.push(ending);
        fs::metadata(path).ok()
    });
    Ok(Stock {
        store_bytes: bytes.map(|file| file.len()).sum(),
        files: counts.files,
        articles: counts.articles,
        entries: counts.entries,
        withheld: Reason::ALL.map(|why| counts.withheld.get(&why).copied().unwrap_or_default()),
    })
}

/// The health feed as it is now: of the feeds that are subscribed to and not private (F-63).
pub fn health_feed(press: &Press) -> Result<Publication, StoreError> {
    let head = Head {
        store_id: press.store.river_id()?,
        title: press.masthead.title.clone(),
        author: press.masthead.author.clone(),
        home: press.masthead.home.clone(),
    };
    let mut events = press.store.health_events(LOOKED_AT)?;
    let states = press.store.feed_states()?;
    let learned: HashMap<_, _> = states.iter().map(|s| (&s.id, &s.learned)).collect();
    events.retain(|event| {
        let subscription = press.subscriptions.get(&event.feed);
        let learned = learned.get(&event.feed);
        subscription.is_some_and(|order| learned.is_some_and(|learned| !order.is_private(learned)))
    });
    let newest = events.first().map(|event| event.change.at);
    let made = Made {
        laid: Laid {
            bytes: health::render(&head, &events),
            entries: Vec::new(),
        },
        full: events.len() >= health::ENTRIES,
    };
    Ok(Publication {
        path: format!("/{}", health::FILE),
        view: "health".to_owned(),
        media_type: health::MEDIA_TYPE,
        matter: Matter::Made(Arc::new(made)),
        changed: newest.unwrap_or(Timestamp::EPOCH),
        max_age: FRESH,
    })
}

/// `/healthz`: 200 while what feeds bring is taken in, 503 with the reason when it is not.
pub fn healthz(vitals: Arc<Vitals>) -> Maker {
    Box::new(move || {
        let (status, body) = match vitals.verdict() {
            Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
            Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        };
        Page {
            status,
            media_type: "text/plain; charset=utf-8",
            body,
        }
    })
}

/// `/metrics`.
pub fn metrics(vitals: Arc<Vitals>, desk: Arc<Desk<Mindful>>) -> Maker {
    Box::new(move || {
        let (ledger, silent) = desk.web.spent();
        Page {
            status: StatusCode::OK,
            media_type: MEDIA_TYPE,
            body: vitals.metrics(&Process::now(), &ledger, silent),
        }
    })
}
