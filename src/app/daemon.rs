//! The program as a service: polls who is due, publishes what came, and serves it, until told to stop.

use std::collections::HashMap;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

use crate::app::watchman::{self, Watchman};
use crate::app::{App, configuration, now, press, roster, told};
use crate::config::{Config, Places};
use crate::fetch::client::Client;
use crate::output::{OUTPUTS, health};
use crate::serve::accept::{self, Limits};
use crate::serve::library::{Document, Library, Place};
use crate::serve::limits::Buckets;
use crate::serve::site::Site;
use crate::service::publish::Press;
use crate::service::report::Fate;
use crate::service::scheduler::{self, Event, Pace};
use crate::service::vitals::Vitals;
use crate::service::watch::Glance;
use crate::store::Store;

/// What came is published when nothing has come for this long, but not later than that after it came.
const QUIET: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(30);

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
    /// A socket that was handed over; without one it binds its own.
    pub listener: Option<StdListener>,
}

impl Daemon {
    /// Works until told to stop. An error is one that nothing but a restart, or a person, can mend.
    pub async fn run(self, orders: Orders) -> anyhow::Result<()> {
        let Self {
            app,
            places,
            listener,
        } = self;
        let store = app.store.clone();
        let changed = Arc::new(Notify::new());
        let library = Arc::new(Library::default());
        let (config, current) = watch::channel(Arc::new(app.config.clone()));
        let (enrolled, enrolment) = watch::channel(Arc::new(roster(&app.config)?));
        let (retire, retired) = watch::channel(false);
        let vitals = Arc::new(Vitals::new(now()));
        let server = serve(&app.config, listener, &library, &vitals, retired.clone())?;
        let (polled, polls) = mpsc::unbounded_channel();
        let watchman = Watchman {
            store: store.clone(),
            vitals: Arc::clone(&vitals),
            roster: enrolment.clone(),
            polls,
            changed: Arc::clone(&changed),
        };
        let watchman = tokio::spawn(watchman.run());
        let publisher = tokio::spawn(publish(
            current,
            store.clone(),
            Arc::clone(&library),
            Arc::clone(&changed),
            retired,
        ));
        let reloader = tokio::spawn(reload(orders.reload, places, config, enrolled));
        let schedule = &app.config.settings.schedule;
        let pace = Pace {
            in_flight: app.config.settings.fetch.max_in_flight,
            between_starts: Duration::from_secs(1) / schedule.starts_per_second,
            ..Pace::default()
        };
        let desk = Arc::new(app.desk(Client::new(app.fetch_settings())?)?);
        changed.notify_one();
        let stopped = stopped(orders.stop);
        let ended = scheduler::run(desk, pace, enrolment, stopped, move |event| {
            told::event(&event);
            vitals.note(&event, now());
            if let Event::Polled(report) = event {
                if let Some(glance) = Glance::of(report) {
                    let _ = polled.send(glance); // without a watchman nobody wants to know
                }
                if matches!(report.fate, Fate::Read { .. }) {
                    changed.notify_one();
                }
            }
        })
        .await;
        info!("stopping: no more polls");
        reloader.abort();
        watchman.await.context("the watchman broke down")?;
        let _ = retire.send(true);
        publisher.await.context("the publisher broke down")?;
        if let Some(server) = server {
            server.await.context("the server broke down")?;
        }
        store.close().await?;
        info!("stopped");
        Ok(ended?)
    }
}

/// Ends when the order comes, or when nobody is left to give it.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Starts the server, where one is wanted.
fn serve(
    config: &Config,
    handed: Option<StdListener>,
    library: &Library,
    vitals: &Arc<Vitals>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    let settings = &config.settings.serve;
    let listener = match handed {
        Some(listener) => listener,
        None if !settings.enabled => return Ok(None),
        None => StdListener::bind(settings.listen)
            .with_context(|| format!("cannot listen on {}", settings.listen))?,
    };
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    info!(address = %listener.local_addr()?, "serving");
    let site = Site {
        latest: library.latest(),
        health: watchman::healthz(Arc::clone(vitals)),
        metrics: watchman::metrics(Arc::clone(vitals)),
        buckets: Some(Buckets::default()),
        limits: Limits::default(),
        proxies: settings.proxies.clone(),
        clock: now,
        since: Instant::now(),
    };
    Ok(Some(tokio::spawn(accept::serve(
        listener,
        Arc::new(site),
        stopped(stop),
    ))))
}

/// Publishes whenever something came and it has become quiet; once at the start, and once more at the end.
async fn publish(
    config: watch::Receiver<Arc<Config>>,
    store: Store,
    library: Arc<Library>,
    changed: Arc<Notify>,
    stop: watch::Receiver<bool>,
) {
    let mut last = false;
    while !last {
        tokio::select! {
            () = changed.notified() => {}
            () = stopped(stop.clone()) => last = true,
        }
        let by = Instant::now() + LATEST;
        while !last {
            let quiet = (Instant::now() + QUIET).min(by);
            tokio::select! {
                () = changed.notified(), if quiet < by => {}
                () = stopped(stop.clone()) => last = true,
                () = sleep_until(quiet) => break,
            }
        }
        let config = Arc::clone(&config.borrow());
        let (store, shelves) = (store.clone(), Arc::clone(&library));
        let runtime = Handle::current();
        // Rendering, compressing and writing files take their time, and no reader waits for them.
        let done = spawn_blocking(move || {
            let press = press(&config, &store)?;
            let published = runtime.block_on(press.publish())?;
            shelve(&press, &shelves)?;
            anyhow::Ok(published)
        });
        match done.await {
            Ok(Ok(published)) => told::published(&published),
            Ok(Err(error)) => error!(
                error = format!("{error:#}"),
                "nothing, or not everything, was published; the next publication makes up for it"
            ),
            Err(error) => error!(%error, "a defect in feedmill: publishing broke down"),
        }
    }
}

/// Puts the feeds where readers find them.
fn shelve(press: &Press, library: &Library) -> anyhow::Result<()> {
    let mut places = HashMap::new();
    for output in OUTPUTS {
        let document = Document::new(output.media_type(), press.render(*output)?)?;
        places.insert(
            format!("/{}", output.file()),
            Place::Here(Arc::new(document)),
        );
    }
    let health = Document::new(health::MEDIA_TYPE, watchman::health_feed(press)?)?;
    places.insert(format!("/{}", health::FILE), Place::Here(Arc::new(health)));
    library.publish(places, now(), Duration::from_mins(5), now());
    Ok(())
}

/// Reads the configuration again whenever told to. A wrong one is refused whole, and the old one stays.
async fn reload(
    mut orders: mpsc::Receiver<()>,
    places: Places,
    config: watch::Sender<Arc<Config>>,
    enrolled: watch::Sender<Arc<scheduler::Roster>>,
) {
    while orders.recv().await.is_some() {
        let places = places.clone();
        let read = spawn_blocking(move || configuration(&places)).await;
        let read = match read {
            Ok(Ok(read)) => read,
            Ok(Err(problems)) => {
                error!(%problems, "the configuration is wrong; the old one stays");
                continue;
            }
            Err(error) => {
                error!(%error, "a defect in feedmill: the configuration could not be read; the old one stays");
                continue;
            }
        };
        match roster(&read) {
            Ok(roster) => {
                info!(feeds = roster.len(), "the configuration was read again");
                config.send_replace(Arc::new(read));
                enrolled.send_replace(Arc::new(roster));
            }
            Err(error) => warn!(error = format!("{error:#}"), "the old configuration stays"),
        }
    }
}
