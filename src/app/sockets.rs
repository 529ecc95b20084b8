//! Sockets that a service manager made for us (`LISTEN_FDS`, `sd_listen_fds(3)`).

use std::net::TcpListener;

use anyhow::Context;
use listenfd::ListenFd;
use tracing::warn;

/// The listening socket that was handed over, `None` where none was. It takes its variables out of the environment, so
/// it is asked once, before there are threads. An error: what was handed over is no TCP socket.
pub fn handed() -> anyhow::Result<Option<TcpListener>> {
    let mut sockets = ListenFd::from_env();
    let listener = sockets
        .take_tcp_listener(0)
        .context("the socket that was handed over cannot be used")?;
    if sockets.len() > 1 {
        warn!(
            sockets = sockets.len(),
            "more than one socket was handed over: the first is served, the others are left alone"
        );
    }
    Ok(listener)
}
