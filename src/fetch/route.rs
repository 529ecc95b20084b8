//! From a URL to the addresses a request may be sent to, and how the HTTP library learns of these and of no others: the
//! guard judges the very addresses that are connected to (P-168, RELIABILITY F4).

use std::future::ready;
use std::iter::once;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolving};

use crate::fetch::guard;
use crate::fetch::names::Resolve;
use crate::fetch::patience::Patience;
use crate::fetch::why::{Stage, explain};
use crate::model::http::{FetchError, HostSet};
use crate::model::urls::PageUrl;

tokio::task_local! {
    /// The route of the request that is being sent.
    static ROUTE: Arc<Route>;
}

/// Where one request may be sent. There is none that the guard has not judged.
#[derive(Debug)]
pub struct Route {
    host: Box<str>,
    first: IpAddr,
    others: Vec<IpAddr>,
    /// Whether a connection was asked for.
    dialed: AtomicBool,
}

impl Route {
    /// Looks up the host of a URL and leaves out what the guard refuses. An address in place of a name is its own answer.
    pub async fn find(
        url: &PageUrl,
        allowed: &HostSet,
        resolver: &dyn Resolve,
        limit: Duration,
        patience: &mut Patience<'_>,
    ) -> Result<Self, FetchError> {
        guard::admit(url, allowed)?;
        let host = url.host();
        let found = match url.as_url().host() {
            Some(url::Host::Ipv4(address)) => vec![IpAddr::V4(address)],
            Some(url::Host::Ipv6(address)) => vec![IpAddr::V6(address)],
            _ => patience
                .wait("address", limit, host, resolver.resolve(host))
                .await?
                .map_err(|error| explain(&error, Stage::Name, host))?,
        };
        let mut judged = guard::filter(host, found, allowed)?.into_iter();
        let first = judged.next().ok_or_else(|| FetchError::Dns {
            host: host.to_owned(),
            why: "it has no address".to_owned(),
        })?;
        Ok(Self {
            host: host.into(),
            first,
            others: judged.collect(),
            dialed: AtomicBool::new(false),
        })
    }

    /// The address that is tried first.
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// All of them, in the order they are tried.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        once(self.first).chain(self.others.iter().copied())
    }

    /// Has this one tried first, if it is one of them.
    pub fn begin_with(&mut self, address: IpAddr) {
        let found = self.others.iter_mut().find(|other| **other == address);
        if let Some(other) = found {
            std::mem::swap(other, &mut self.first);
        }
    }

    /// Sends a request along this route: connections made for it lead here or nowhere.
    pub async fn send<F: Future>(self: &Arc<Self>, sending: F) -> F::Output {
        ROUTE.scope(Arc::clone(self), sending).await
    }

    /// Whether a connection was made for it, or at least tried; else it was sent on one that was kept.
    pub fn was_dialed(&self) -> bool {
        self.dialed.load(Ordering::Relaxed)
    }
}

/// Passes a connector's orders on, and notes that there was one.
pub fn note<T>(order: T) -> T {
    // Nobody there: a connection that the library makes for later.
    let _ = ROUTE.try_with(|route| route.dialed.store(true, Ordering::Relaxed));
    order
}

/// The resolver of the HTTP library: it knows the route of the request that is being sent, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct OnRoute;

impl reqwest::dns::Resolve for OnRoute {
    fn resolve(&self, name: Name) -> Resolving {
        let judged: Option<Vec<IpAddr>> = ROUTE
            .try_with(|route| (*route.host == *name.as_str()).then(|| route.addresses().collect()))
            .ok()
            .flatten();
        Box::pin(ready(match judged {
            // Port 0 stands for the URL's.
            Some(judged) => Ok(Box::new(
                judged
                    .into_iter()
                    .map(|address| SocketAddr::new(address, 0)),
            ) as Addrs),
            None => Err("no address of it was judged".into()),
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fetch::FetchSettings;
    use crate::fetch::names;
    use reqwest::dns::Resolve as _;

    /// Answers in turn.
    #[derive(Debug)]
    struct Script(std::sync::Mutex<Vec<Vec<IpAddr>>>);

    impl Resolve for Script {
        fn resolve<'a>(&'a self, _: &'a str) -> names::Resolving<'a> {
            let next = self.0.lock().unwrap().remove(0);
            Box::pin(async move { Ok(next) })
        }
    }

    async fn find(url: &str, script: &Script) -> Result<Route, FetchError> {
        let settings = FetchSettings::default();
        let mut patience = Patience::new(&settings);
        let (url, nobody) = (PageUrl::parse(url).unwrap(), HostSet::default());
        Route::find(&url, &nobody, script, settings.dns, &mut patience).await
    }

    /// What the library's resolver says while a request is sent along a route, or without any.
    async fn served(route: Option<Route>, name: &str) -> Option<Vec<String>> {
        let asking = async { OnRoute.resolve(name.parse().unwrap()).await };
        let served = match route {
            Some(route) => Arc::new(route).send(asking).await,
            None => asking.await,
        };
        Some(served.ok()?.map(|address| address.to_string()).collect())
    }

    /// The addresses that are given out are the very ones that are connected to, so what is refused here is not reached.
    #[tokio::test]
    async fn p_168_a_name_that_changes_its_address_is_judged_anew() {
        let (public, here): (IpAddr, IpAddr) = ([9, 9, 9, 9].into(), [127, 0, 0, 1].into());
        let script = Script(vec![vec![public], vec![here], vec![here, public], vec![]].into());
        let look_up = async || find("http://rebind.test/", &script).await;
        let all = |route: Route| route.addresses().collect::<Vec<_>>();
        assert_eq!(all(look_up().await.unwrap()), [public]);
        let second = look_up().await.unwrap_err();
        assert!(matches!(second, FetchError::Refused(_)), "{second:?}");
        let third = look_up().await.unwrap();
        assert_eq!(all(third), [public], "the private one is left out");
        let fourth = look_up().await.unwrap_err();
        assert!(matches!(fourth, FetchError::Dns { .. }), "{fourth:?}");
    }

    #[tokio::test]
    async fn p_168_the_library_knows_judged_addresses_only() {
        let script = Script(vec![vec![[9, 9, 9, 9].into(), [10, 0, 0, 1].into()]; 2].into());
        let route = async || Some(find("http://a.test/", &script).await.unwrap());
        let known = Some(vec!["9.9.9.9:0".to_owned()]);
        assert_eq!(served(route().await, "a.test").await, known);
        assert_eq!(served(route().await, "localhost").await, None);
        assert_eq!(served(None, "localhost").await, None);
    }

    #[tokio::test]
    async fn p_140_another_address_may_be_the_first() {
        let [one, two, six]: [IpAddr; 3] =
            ["9.9.9.9", "8.8.8.8", "2620:fe::fe"].map(|text| text.parse().unwrap());
        let script = Script(vec![vec![one, two, six]].into());
        let mut route = find("http://a.test/", &script).await.unwrap();
        let order = |route: &Route| route.addresses().collect::<Vec<_>>();
        route.begin_with(six);
        assert_eq!(order(&route), [six, two, one]);
        route.begin_with([1, 1, 1, 1].into());
        assert_eq!(order(&route), [six, two, one], "no stranger gets in");
    }
}
