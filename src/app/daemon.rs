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
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{Level, error, info, warn};

use crate::app::notify::Manager;
use crate::app::reload::{Look, Reloader};
use crate::app::watchdog::{self, Pulse};
use crate::app::{App, now, press, roster, told};
use crate::config::{Config, Places};
use crate::fetch::client::Client;
use crate::output::OUTPUTS;
use crate::serve::accept::{self, Limits};
use crate::serve::library::{Document, Library, Place};
use crate::serve::limits::Buckets;
use crate::serve::site::{Page, Site};
use crate::service::publish::Press;
use crate::service::report::Fate;
use crate::service::scheduler::{self, Event, Pace};
use crate::store::Store;

/// What came is published when nothing has come for this long, but not later than that after it came.
const QUIET: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(30);

/// How long each part may take to end, after the polls had [`Pace::grace`]: with all of them still less than the 30 s
/// after which we are killed (`TimeoutStopSec` in systemd/feedmill.service).
const PATIENCE: Duration = Duration::from_secs(6);

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
        manager.feeds(first.len());
        let (config, current) = watch::channel(Arc::new(app.config.clone()));
        let (enrolled, enrolment) = watch::channel(Arc::new(first));
        let (retire, retired) = watch::channel(false);
        let listener = listen(&app.config, listener)?;
        let desk = Arc::new(app.desk(Client::new(app.fetch_settings())?)?);
        // What was published before is served at once; whatever it costs, nobody is told that we are ready earlier.
        open_shelves(Arc::new(app.config.clone()), &store, &library).await;
        let server = match listener {
            Some(listener) => Some(serve(&app.config, listener, &library, retired.clone())?),
            None => None,
        };
        let publisher = tokio::spawn(publish(
            current,
            store.clone(),
            Arc::clone(&library),
            Arc::clone(&changed),
            retired,
        ));
        let reloader = Reloader {
            places,
            look,
            config,
            enrolled,
            changed: Arc::clone(&changed),
            manager: manager.clone(),
            level,
        };
        let mut helpers = vec![tokio::spawn(reloader.run(orders.reload))];
        if let Some(every) = watchdog::interval() {
            let price = {
                let desk = Arc::clone(&desk);
                move || desk.price.now()
            };
            helpers.push(tokio::spawn(watchdog::feed(
                every,
                manager.clone(),
                store.clone(),
                price,
                pulse.clone(),
            )));
        }
        let schedule = &app.config.settings.schedule;
        let pace = Pace {
            in_flight: app.config.settings.fetch.max_in_flight,
            between_starts: Duration::from_secs(1) / schedule.starts_per_second,
            ..Pace::default()
        };
        manager.ready();
        info!(feeds = enrolment.borrow().len(), "ready");
        changed.notify_one();
        let stop = async {
            stopped(orders.stop).await;
            manager.stopping();
            info!("stopping: nobody is asked any more, and polls under way may end");
        };
        let polled = scheduler::run(desk, pace, enrolment, stop, |event| {
            told::event(&event);
            manager.event(&event);
            match event {
                Event::Round => pulse.beat(),
                Event::Polled(report) if matches!(report.fate, Fate::Read { .. }) => {
                    changed.notify_one();
                }
                _ => {}
            }
        })
        .await;
        if polled.is_err() {
            manager.stopping();
        }
        for helper in helpers {
            helper.abort();
        }
        let _ = retire.send(true);
        in_time("publishing", publisher).await;
        if let Some(server) = server {
            in_time("the server", server).await;
        }
        if let Ok(closed) = timeout(PATIENCE, store.close()).await {
            closed?;
        } else {
            warn!("the store did not close in time; the next start tidies up");
        }
        info!("stopped");
        Ok(polled?)
    }
}

/// Waits for a part to end, but not for ever: what it leaves undone, the next start does.
async fn in_time(part: &str, task: JoinHandle<()>) {
    match timeout(PATIENCE, task).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => error!(part, %error, "a defect in feedmill: a part broke down"),
        Err(_) => warn!(part, "did not end in time and is left"),
    }
}

/// Ends when the order comes, or when nobody is left to give it.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
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

/// Starts the server.
fn serve(
    config: &Config,
    listener: StdListener,
    library: &Library,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<JoinHandle<()>> {
    let settings = &config.settings.serve;
    let listener = TcpListener::from_std(listener)?;
    info!(address = %listener.local_addr()?, "serving");
    let plain = |body: &str| Page {
        status: axum::http::StatusCode::OK,
        media_type: "text/plain; charset=utf-8",
        body: body.to_owned(),
    };
    let site = Site {
        latest: library.latest(),
        health: Box::new(move || plain("ok\n")),
        metrics: Box::new(move || plain("")),
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

/// Puts what the store holds where readers find it. Where that fails, readers wait for the first publication.
async fn open_shelves(config: Arc<Config>, store: &Store, library: &Arc<Library>) {
    let (store, library) = (store.clone(), Arc::clone(library));
    let done = spawn_blocking(move || shelve(&press(&config, &store)?, &library));
    match done.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => error!(
            error = format!("{error:#}"),
            "nothing can be served before the first publication"
        ),
        Err(error) => error!(%error, "a defect in feedmill: publishing broke down"),
    }
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
            let published = runtime.block_on(press.publish());
            // A disk that takes no files keeps no reader from the news.
            shelve(&press, &shelves)?;
            anyhow::Ok(published?)
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
    library.publish(places, now(), Duration::from_mins(5), now());
    Ok(())
}
