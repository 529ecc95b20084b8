//! From a URL to a connection: name, guard, TCP, TLS, each with its own limit. The guard judges the very addresses that
//! are connected to, and every connection of the client is made here (RELIABILITY F4).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;

use crate::fetch::FetchSettings;
use crate::fetch::addresses::{Addresses, Seat};
use crate::fetch::guard;
use crate::fetch::names::Resolve;
use crate::fetch::patience::Patience;
use crate::fetch::why::{Stage, explain};
use crate::model::http::{FetchError, HostSet};
use crate::model::urls::PageUrl;

/// How long one address may keep the next waiting (RFC 8305 §8, P-51).
const STAGGER: Duration = Duration::from_millis(250);

/// A connection to an origin. Closed when it is dropped.
#[derive(Debug)]
pub struct Line {
    /// Takes one request after the other.
    pub sender: SendRequest<Full<Bytes>>,
    /// Where it leads.
    pub address: IpAddr,
}

/// Makes connections.
#[derive(Debug)]
pub struct Dialer {
    resolver: Arc<dyn Resolve>,
    tls: Tls,
    addresses: Addresses,
}

/// The settings of TLS, shared by all connections with its memory of sessions.
struct Tls(TlsConnector);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Dialer {
    /// With these names, these authorities, and so many requests at once to one address.
    pub fn new(
        resolver: Arc<dyn Resolve>,
        tls: Arc<rustls::ClientConfig>,
        per_address: usize,
    ) -> Self {
        Self {
            resolver,
            tls: Tls(TlsConnector::from(tls)),
            addresses: Addresses::new(per_address),
        }
    }

    /// The seats of addresses.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The addresses behind a URL that may be connected to, in the order to try them; never none.
    pub async fn look_up(
        &self,
        url: &PageUrl,
        allowed: &HostSet,
        settings: &FetchSettings,
        patience: &mut Patience<'_>,
    ) -> Result<Vec<IpAddr>, FetchError> {
        let host = url.host();
        let found = match url.as_url().host() {
            Some(url::Host::Ipv4(address)) => vec![IpAddr::V4(address)],
            Some(url::Host::Ipv6(address)) => vec![IpAddr::V6(address)],
            _ => patience
                .wait("address", settings.dns, host, self.resolver.resolve(host))
                .await?
                .map_err(|error| explain(&error, Stage::Name, host))?,
        };
        if found.is_empty() {
            return Err(FetchError::Dns {
                host: host.to_owned(),
                why: "it has no address".to_owned(),
            });
        }
        guard::filter(host, found, allowed).map(in_turn)
    }

    /// Connects to one of the addresses: the first, on which there is a seat already, or another that is faster.
    pub async fn connect(
        &self,
        url: &PageUrl,
        addresses: &[IpAddr],
        seat: Seat,
        settings: &FetchSettings,
        patience: &mut Patience<'_>,
    ) -> Result<(Line, Seat), FetchError> {
        let host = url.host();
        let port = url.as_url().port_or_known_default().unwrap_or(80);
        let (stream, address, seat) = patience
            .wait(
                "connection",
                settings.connect,
                host,
                self.race(addresses, port, seat),
            )
            .await?
            .map_err(|error| explain(&error, Stage::Connection, host))?;
        // Small requests must not wait for each other's acknowledgement; a socket that refuses works all the same.
        let _ = stream.set_nodelay(true);
        let failed = |error: &hyper::Error| explain(error, Stage::Connection, host);
        let sender = if url.as_url().scheme() == "https" {
            let name = server_name(url)?;
            let stream = patience
                .wait(
                    "handshake",
                    settings.tls,
                    host,
                    self.tls.0.connect(name, stream),
                )
                .await?
                .map_err(|error| explain(&error, Stage::Connection, host))?;
            converse(stream).await.map_err(|error| failed(&error))?
        } else {
            converse(stream).await.map_err(|error| failed(&error))?
        };
        tracing::debug!(%url, %address, "connected");
        Ok((Line { sender, address }, seat))
    }

    /// Tries the addresses in turn, the next when one fails or is slow; the first that connects wins (RFC 8305).
    async fn race(
        &self,
        addresses: &[IpAddr],
        port: u16,
        seat: Seat,
    ) -> io::Result<(TcpStream, IpAddr, Seat)> {
        let mut waiting = addresses.iter().copied();
        let mut running = JoinSet::new();
        let run = |running: &mut JoinSet<_>, address: IpAddr, seat: Seat| {
            running.spawn(async move {
                let stream = TcpStream::connect(SocketAddr::new(address, port)).await?;
                Ok((stream, address, seat))
            });
        };
        if let Some(first) = waiting.next() {
            run(&mut running, first, seat);
        }
        let mut last = None;
        loop {
            tokio::select! {
                done = running.join_next() => match done {
                    Some(Ok(Ok(won))) => return Ok(won),
                    Some(Ok(Err(error))) => last = Some(error),
                    Some(Err(_)) => {}
                    None => break,
                },
                () = sleep(STAGGER), if waiting.len() > 0 => {}
            }
            let next = waiting.by_ref().find_map(|address| {
                let seat = self.addresses.try_enter(address)?;
                Some((address, seat))
            });
            if let Some((address, seat)) = next {
                run(&mut running, address, seat);
            }
        }
        Err(last.unwrap_or_else(|| io::Error::other("no address to connect to")))
    }
}

/// The two families in alternation, the resolver's favourite first.
fn in_turn(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let first = addresses.first().is_some_and(IpAddr::is_ipv4);
    let (favourites, others): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv4() == first);
    let most = favourites.len().max(others.len());
    (0..most)
        .flat_map(|at| [favourites.get(at).copied(), others.get(at).copied()])
        .flatten()
        .collect()
}

/// Whom the certificate has to be for.
fn server_name(url: &PageUrl) -> Result<ServerName<'static>, FetchError> {
    let name = match url.as_url().host() {
        Some(url::Host::Ipv4(address)) => Ok(ServerName::IpAddress(IpAddr::V4(address).into())),
        Some(url::Host::Ipv6(address)) => Ok(ServerName::IpAddress(IpAddr::V6(address).into())),
        _ => {
            let host = url.host();
            ServerName::try_from(host.strip_suffix('.').unwrap_or(host).to_owned())
        }
    };
    name.map_err(|error| FetchError::Refused(format!("`{}`: {error}", url.host())))
}

/// Begins to speak HTTP/1.1 on a stream.
async fn converse<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // Whoever waits for an answer hears of it; nobody else has to.
        if let Err(error) = connection.await {
            tracing::trace!(%error, "a connection ended");
        }
    });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fetch::names::Resolving;

    /// Answers in turn.
    #[derive(Debug)]
    struct Script(std::sync::Mutex<Vec<Vec<IpAddr>>>);

    impl Resolve for Script {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            let next = self.0.lock().unwrap().remove(0);
            Box::pin(async move { Ok(next) })
        }
    }

    /// The addresses that are given out are the very ones that are connected to, so what is refused here is not reached.
    #[tokio::test]
    async fn p_168_a_name_that_changes_its_address_is_judged_anew() {
        let (public, here): (IpAddr, IpAddr) = ([9, 9, 9, 9].into(), [127, 0, 0, 1].into());
        let answers = vec![vec![public], vec![here], vec![public, here]];
        let roots = rustls::RootCertStore::empty();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let dialer = Dialer::new(Arc::new(Script(answers.into())), Arc::new(tls), 2);
        let url = PageUrl::parse("http://rebind.test/").unwrap();
        let settings = FetchSettings::default();
        let nobody = HostSet::default();
        let mut patience = Patience::new(&settings);
        let mut look_up = async || {
            dialer
                .look_up(&url, &nobody, &settings, &mut patience)
                .await
        };
        assert_eq!(look_up().await, Ok(vec![public]));
        let second = look_up().await;
        assert!(matches!(second, Err(FetchError::Refused(_))), "{second:?}");
        assert_eq!(
            look_up().await,
            Ok(vec![public]),
            "the private one is left out"
        );
    }

    #[test]
    fn p_51_the_families_take_turns() {
        let read = |list: &str| -> Vec<IpAddr> {
            list.split_whitespace()
                .map(|text| text.parse().unwrap())
                .collect()
        };
        let check = |given, turns| assert_eq!(in_turn(read(given)), read(turns));
        check("::1 ::2 ::3 1.1.1.1", "::1 1.1.1.1 ::2 ::3");
        check("1.1.1.1 1.1.1.2 ::1", "1.1.1.1 ::1 1.1.1.2");
        check("1.1.1.1", "1.1.1.1");
    }
}
