//! The program as a service: polls who is due, publishes what came, and serves it, until told to stop.

use std::collections::HashMap;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::app::publisher::{Publisher, stopped};
use crate::app::watchman::{self, Watchman};
use crate::app::{App, configuration, fetch_settings, now, roster, told};
use crate::config::{Config, Places};
use crate::fetch::client::Client;
use crate::serve::accept::{self, Limits};
use crate::serve::library::Library;
use crate::serve::limits::Buckets;
use crate::serve::site::Site;
use crate::service::report::Fate;
use crate::service::scheduler::{self, Event, Pace};
use crate::service::vitals::Vitals;
use crate::service::watch::Glance;

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
        let publisher = Publisher::new(current, store.clone(), Arc::clone(&library));
        let publisher = tokio::spawn(publisher.run(Arc::clone(&changed), retired));
        let reloader = tokio::spawn(reload(orders.reload, places, config, enrolled));
        let schedule = &app.config.settings.schedule;
        let pace = Pace {
            in_flight: app.config.settings.fetch.max_in_flight,
            between_starts: Duration::from_secs(1) / schedule.starts_per_second,
            ..Pace::default()
        };
        let desk = Arc::new(app.desk(Client::new(fetch_settings(&app.config))?)?);
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
        live: HashMap::from([
            ("/healthz", watchman::healthz(Arc::clone(vitals))),
            ("/metrics", watchman::metrics(Arc::clone(vitals))),
        ]),
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
