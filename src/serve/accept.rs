//! The accept loop. Every connection costs something, so there is a bound on how many there are, on how many one client
//! has, and on how long each may take; axum's own loop has none of them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::serve::explained::Explained;
use crate::serve::limits::network;
use crate::serve::patience::{Patience, Patient};
use crate::serve::site::{Peer, Site, router};

/// How much clients may hold open, and for how long (F-42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of one client; a proxy of our own is bounded by `in_all` alone.
    pub per_client: usize,
    /// Connections in all. Beyond that, new ones wait in the system's queue.
    pub in_all: usize,
    /// From the first byte of a head to our answer; also from the connection to the first head.
    pub head: Duration,
    /// From one answer to the next head.
    pub idle: Duration,
    /// For a byte of an answer to be taken.
    pub stall: Duration,
    /// A connection's whole life, after which what is being answered is finished.
    pub life: Duration,
    /// What is being answered when we are told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_client: 32,
            in_all: 1024,
            head: Duration::from_secs(5),
            idle: Duration::from_mins(1),
            stall: Duration::from_secs(10),
            life: Duration::from_mins(2),
            drain: Duration::from_secs(5),
        }
    }
}

/// Bytes of a request's head, and its headers.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// Serves until told to stop; then takes no more connections, finishes what is being answered within [`Limits::drain`],
/// and cuts off what is left.
pub async fn serve(listener: TcpListener, app: Arc<Site>, stop: impl Future<Output = ()>) {
    let limits = app.limits;
    let room = Arc::new(Semaphore::new(limits.in_all));
    let crowd = Arc::new(Crowd::default());
    let (stopping, stopped) = watch::channel(());
    let door = Door {
        router: router(app.clone()),
        limits,
        stopped,
    };
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    let mut pause = Pause::default();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if let Some(wait) = pause.after(&error) {
                    tracing::warn!(%error, "no connection can be accepted; trying again");
                    tokio::select! {
                        () = &mut stop => break,
                        () = sleep(wait) => {}
                    }
                }
                continue;
            }
        };
        pause = Pause::default();
        let client = peer.to_canonical();
        let most = if app.proxies.contains(&client) {
            usize::MAX
        } else {
            limits.per_client
        };
        let Some(place) = crowd.enter(network(client), most) else {
            continue;
        };
        // Where it gets crowded, nobody keeps a place for a request that may never come.
        let linger = room.available_permits() * 2 > limits.in_all;
        let connection = door.clone().connection(stream, client, linger);
        connections.spawn(async move {
            connection.await;
            drop((place, permit));
        });
    }
    drop(listener);
    drop(stopping);
    let all_done = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain, all_done).await.is_err() {
        tracing::warn!("connections were cut off: they did not end in time");
        connections.shutdown().await;
    }
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await;
    let permit = permit.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer.ip(), permit))
}

/// What every connection needs.
#[derive(Clone)]
struct Door {
    router: Router,
    limits: Limits,
    stopped: watch::Receiver<()>,
}

impl Door {
    async fn connection(mut self, stream: TcpStream, client: IpAddr, linger: bool) {
        let limits = self.limits;
        let patience = Patience {
            head: limits.head,
            idle: limits.idle,
            stall: limits.stall,
        };
        // An answer is written in one go; waiting for more of it would only be waiting.
        let _ = stream.set_nodelay(true);
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(Peer(client));
            let answer = hyper::service::Service::call(&router, request);
            async {
                let mut answer = answer.await?;
                // The router gives an answer without a body the length 0; that of a 304 would be another's (F-28).
                if answer.status() == StatusCode::NOT_MODIFIED {
                    answer.headers_mut().remove(CONTENT_LENGTH);
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http1::Builder::new()
            .header_read_timeout(None)
            .keep_alive(linger)
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .serve_connection(
                TokioIo::new(Explained::new(Patient::new(stream, patience))),
                service,
            );
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            _ = self.stopped.changed() => None,
            () = sleep(limits.life) => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            let Ok(ended) = timeout(limits.drain, connection).await else {
                return;
            };
            ended
        };
        if let Err(error) = ended {
            tracing::debug!(%client, %error, "a connection ended badly");
        }
    }
}

/// How many connections each client has.
#[derive(Debug, Default)]
struct Crowd(Mutex<HashMap<IpAddr, usize>>);

/// One of a client's connections, for as long as it lives.
#[derive(Debug)]
struct Inside {
    crowd: Arc<Crowd>,
    client: IpAddr,
}

impl Crowd {
    /// `None` where the client has its full number already.
    fn enter(self: &Arc<Self>, client: IpAddr, most: usize) -> Option<Inside> {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inside.entry(client).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Inside {
            crowd: self.clone(),
            client,
        })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut inside = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.client);
            }
        }
    }
}

/// How long to leave it after a failed accept: nothing where one client went away, longer and longer where the system has
/// no more to give (`EMFILE`, `ENFILE`, `ENOMEM`), which asking again at once would only make worse.
#[derive(Debug, Default)]
struct Pause {
    last: Option<Duration>,
}

impl Pause {
    fn after(&mut self, error: &io::Error) -> Option<Duration> {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
        if matches!(
            error.kind(),
            ConnectionAborted | ConnectionReset | Interrupted
        ) {
            return None;
        }
        let longer = |last: Duration| (last * 2).min(Duration::from_secs(1));
        let wait = self.last.map_or(Duration::from_millis(20), longer);
        self.last = Some(wait);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_full_system_is_asked_less_and_less() {
        let mut pause = Pause::default();
        let full = io::Error::from_raw_os_error(libc::EMFILE);
        let waits: Vec<u128> = (0..8)
            .map(|_| pause.after(&full).unwrap().as_millis())
            .collect();
        assert_eq!(waits, [20, 40, 80, 160, 320, 640, 1000, 1000]);
        let gone = io::Error::from(io::ErrorKind::ConnectionAborted);
        assert_eq!(pause.after(&gone), None);
    }

    #[test]
    fn a_client_has_its_number_of_connections_and_no_more() {
        let crowd = Arc::new(Crowd::default());
        let client = "192.0.2.1".parse().unwrap();
        let two: Vec<_> = (0..2).filter_map(|_| crowd.enter(client, 2)).collect();
        assert_eq!(two.len(), 2);
        assert!(crowd.enter(client, 2).is_none());
        assert!(crowd.enter("192.0.2.2".parse().unwrap(), 2).is_some());
        drop(two);
        assert!(crowd.enter(client, 2).is_some());
        assert!(crowd.0.lock().unwrap().is_empty(), "nobody is remembered");
    }
}
