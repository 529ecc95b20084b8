//! The program as a service: polls who is due, publishes what came, and serves it, until told to stop.

use std::collections::HashMap;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{Level, info};

use crate::app::bench::Bench;
use crate::app::crew::Crew;
use crate::app::follower::Follower;
use crate::app::grouper::Grouper;
use crate::app::keeper::Keeper;
use crate::app::mindful::Mindful;
use crate::app::notify::Manager;
use crate::app::publisher::{Publisher, stopped};
use crate::app::reload::{Look, Reloader};
use crate::app::search;
use crate::app::watchdog::{self, Pulse};
use crate::app::watchman;
use crate::app::{App, copier, now, orders, roster, told};
use crate::config::{Config, Places};
use crate::serve::accept::{self, Limits};
use crate::serve::library::Library;
use crate::serve::limits::Buckets;
use crate::serve::search::Search;
use crate::serve::site::{Maker, Site};
use crate::service::poll::Desk;
use crate::service::report::Fate;
use crate::service::scheduler::{self, Event, Pace};
use crate::service::vitals::Vitals;
use crate::service::watch::Glance;
use crate::store::Store;

/// What people and service managers tell a daemon.
pub struct Orders {
    /// `true`: stop.
    pub stop: watch::Receiver<bool>,
    /// Read the configuration again.
    pub reload: mpsc::Receiver<()>,
}

/// A daemon that can be started.
pub struct Daemon {
    /// Its configuration and its store.
    pub app: App,
    /// Where its configuration is read again.
    pub places: Places,
    /// The files of the configuration, as they were before it was read.
    pub look: Look,
    /// A socket that was handed over; without one it binds its own.
    pub listener: Option<StdListener>,
    /// Sets what is logged.
    pub level: Box<dyn Fn(Level) + Send + Sync>,
}

impl Daemon {
    /// Works until told to stop. An error is one that nothing but a restart, or a person, can mend.
    pub async fn run(self, orders: Orders) -> anyhow::Result<()> {
        let Self {
            app,
            places,
            look,
            listener,
            level,
        } = self;
        let store = app.store.clone();
        let manager = Manager::default();
        let changed = Arc::new(Notify::new());
        let library = Arc::new(Library::default());
        let pulse = Pulse::default();
        let first = roster(&app.config)?;
        let (config, current) = watch::channel(Arc::new(app.config.clone()));
        let (enrolled, enrolment) = watch::channel(Arc::new(first));
        let (retire, retired) = watch::channel(false);
        let vitals = Arc::new(Vitals::new(now()));
        let listener = listen(&app.config, listener)?;
        let desk = Arc::new(app.desk(app.client()?)?);
        let handed = app.handed();
        handed.open();
        let (clerk, box_of_orders) = clerk(&app, &changed);
        let (grouper, stored) = Grouper::start(current.clone(), store.clone(), &changed);
        let mut publisher = Publisher::new(current.clone(), store.clone(), Arc::clone(&library));
        let mut hands = follow(&mut publisher, &store, &retired);
        // What was published before is served at once; whatever it costs, nobody is told that we are ready earlier.
        publisher.open().await;
        let live = (live(&vitals, &desk), publisher.search());
        let serve = |listener| serve(&app.config, listener, &library, live, retired.clone());
        let server = listener.map(serve).transpose()?;
        let (polled, watchman) = watchman::start(&store, &vitals, enrolment.clone(), &changed);
        let keeper = Keeper::new(config.subscribe(), &store, &vitals, &changed);
        hands.push(tokio::spawn(keeper.run(retired.clone())));
        let (news, copier) =
            copier::start(current.clone(), &desk, &changed, orders.stop.clone()).await;
        let publisher = tokio::spawn(publisher.run(Arc::clone(&changed), retired));
        let bench = Bench::new(config.subscribe(), store.clone(), Arc::clone(&changed));
        let bench = tokio::spawn(bench.run());
        let reloader = Reloader {
            places,
            look,
            config,
            enrolled,
            changed: Arc::clone(&changed),
            manager: manager.clone(),
            level,
        };
        let reloader = tokio::spawn(reloader.run(orders.reload));
        let watchdog = watchdog::interval().map(|every| {
            let (desk, manager, pulse) = (Arc::clone(&desk), manager.clone(), pulse.clone());
            let price = move || desk.price.now();
            tokio::spawn(watchdog::feed(every, manager, store.clone(), price, pulse))
        });
        manager.feeds(enrolment.borrow().len());
        manager.ready();
        info!(feeds = enrolment.borrow().len(), "ready");
        changed.notify_one();
        let stop = async {
            stopped(orders.stop).await;
            manager.stopping();
            info!("stopping: nobody is asked any more, and polls under way may end");
        };
        let ended = scheduler::run(desk, pace(&app.config), enrolment, stop, |event| {
            told::event(&event);
            vitals.note(&event, now());
            manager.event(&event);
            match event {
                Event::Round { .. } => pulse.beat(),
                Event::Resumed => changed.notify_one(), // what found no room
                Event::Polled(report) => {
                    if let Some(glance) = Glance::of(report) {
                        let _ = polled.send(glance); // without a watchman nobody wants to know
                    }
                    if matches!(report.fate, Fate::Read { .. }) || report.released > 0 {
                        stored.notify_one();
                        changed.notify_one();
                        news.notify_one();
                    }
                }
                _ => {}
            }
        })
        .await;
        drop(polled);
        if ended.is_err() {
            manager.stopping();
        }
        let ears = [reloader, bench, clerk, copier, grouper].into_iter();
        let crew = Crew {
            ears: ears.chain(watchdog).collect(),
            watchman,
            publisher,
            hands,
            server,
        };
        handed.close();
        box_of_orders.close();
        crew.retire(&retire, &store).await?;
        Ok(ended?)
    }
}

/// Starts what is derived from the articles and follows them.
fn follow(
    publisher: &mut Publisher,
    store: &Store,
    stop: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let all = [search::follower(store.clone())];
    let start = |follower: Follower| {
        let bell = Arc::new(Notify::new());
        publisher.followed_by(Arc::clone(&bell));
        tokio::spawn(follower.run(bell, stop.clone()))
    };
    all.map(start).into()
}

/// How fast polls begin, and how many are under way.
fn pace(config: &Config) -> Pace {
    let (fetch, schedule) = (&config.settings.fetch, &config.settings.schedule);
    Pace {
        in_flight: fetch.max_in_flight,
        per_host: fetch.per_host,
        between_starts: Duration::from_secs(1) / schedule.starts_per_second,
        ..Pace::default()
    }
}

/// The socket to serve at, where a server is wanted. Whoever connects waits until there is something to serve.
fn listen(config: &Config, handed: Option<StdListener>) -> anyhow::Result<Option<StdListener>> {
    let settings = &config.settings.serve;
    let listener = match handed {
        Some(listener) => listener,
        None if !settings.enabled => return Ok(None),
        None => StdListener::bind(settings.listen)
            .with_context(|| format!("cannot listen on {}", settings.listen))?,
    };
    listener.set_nonblocking(true)?;
    Ok(Some(listener))
}

/// What is made when it is asked for.
fn live(vitals: &Arc<Vitals>, desk: &Arc<Desk<Mindful>>) -> HashMap<&'static str, Maker> {
    let metrics = watchman::metrics(Arc::clone(vitals), Arc::clone(desk));
    HashMap::from([
        ("/healthz", watchman::healthz(Arc::clone(vitals))),
        ("/metrics", metrics),
    ])
}

/// Starts who carries out what others order who have the same data directory.
fn clerk(app: &App, changed: &Arc<Notify>) -> (JoinHandle<()>, orders::Orders) {
    let folder = orders::Orders::of(&app.config.settings.data);
    folder.open();
    let changed = Arc::clone(changed);
    let done = move || changed.notify_one();
    let work = folder.clone().serve(app.store.clone(), done);
    (tokio::spawn(work), folder)
}

/// Starts the server.
fn serve(
    config: &Config,
    listener: StdListener,
    library: &Library,
    (live, search): (HashMap<&'static str, Maker>, Search),
    stop: watch::Receiver<bool>,
) -> anyhow::Result<JoinHandle<()>> {
    let settings = &config.settings.serve;
    let listener = TcpListener::from_std(listener)?;
    info!(address = %listener.local_addr()?, "serving");
    let site = Site {
        latest: library.latest(),
        live,
        search: Some(search),
        buckets: Some(Buckets::default()),
        limits: Limits::default(),
        proxies: settings.proxies.clone(),
        clock: now,
        since: Instant::now(),
    };
    Ok(tokio::spawn(accept::serve(
        listener,
        Arc::new(site),
        stopped(stop),
    )))
}
