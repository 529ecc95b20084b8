//! `feedmill run`: the service.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tracing::info;

use crate::app::daemon::{Daemon, Orders};
use crate::app::reload::Look;
use crate::app::{self, App, sockets};
use crate::cli::{Global, Outcome, log};

/// Poll each feed when it is due, publish and serve what came, until told to stop.
#[derive(clap::Args)]
pub struct Args {
    /// Listen here instead of where the settings say, such as 0.0.0.0:8080; a socket that systemd hands over comes first
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

impl Args {
    /// Exit 0: told to stop, and stopped cleanly.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let places = global.places()?;
        let look = Look::at(&places);
        let config = app::configuration(&places)?;
        let level = log::start(config.settings.log.level);
        let listener = match (sockets::handed()?, self.listen) {
            (None, Some(here)) => {
                Some(TcpListener::bind(here).with_context(|| format!("cannot listen on {here}"))?)
            }
            (handed, _) => handed,
        };
        let app = App::open(config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let daemon = Daemon {
            app,
            places,
            look,
            listener,
            level,
        };
        let outcome = runtime.block_on(async {
            daemon.app.catch_up().await?;
            daemon.run(signals()?).await
        });
        // Reading threads that are still at work have nobody to report to.
        runtime.shutdown_background();
        outcome.map(|()| Outcome::Well)
    }
}

/// SIGTERM and Ctrl-C stop, SIGHUP reads the configuration again. A second signal changes nothing.
fn signals() -> anyhow::Result<Orders> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    // A write past a limit on file sizes is an error like a full disk, not the end.
    let mut oversize = listen(SignalKind::from_raw(libc::SIGXFSZ))?;
    let (stop, stopped) = watch::channel(false);
    let (reload, reloaded) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = interrupt.recv() => info!("told to stop (SIGINT)"),
                Some(()) = terminate.recv() => info!("told to stop (SIGTERM)"),
                Some(()) = hangup.recv() => {
                    info!("told to read the configuration again (SIGHUP)");
                    let _ = reload.try_send(()); // one that waits already is enough
                    continue;
                }
                Some(()) = oversize.recv() => continue, // whoever wrote has the error
            }
            let _ = stop.send(true);
        }
    });
    Ok(Orders {
        stop: stopped,
        reload: reloaded,
    })
}
