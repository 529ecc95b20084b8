//! The HTTP client: one exchange after the other until there is an answer, every wait of it limited.

use std::pin::pin;
use std::sync::Arc;

use reqwest::Response;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};

use crate::fetch::addresses::{Addresses, Seat};
use crate::fetch::answer::{Answer, said_length};
use crate::fetch::budget::Budget;
use crate::fetch::hosts::{Gate, Pass};
use crate::fetch::names::{Resolve, System};
use crate::fetch::patience::Patience;
use crate::fetch::quiet::Quiet;
use crate::fetch::redirect::Trail;
use crate::fetch::route::Route;
use crate::fetch::transport::{Keep, Letter, Transport, failure};
use crate::fetch::why::Stage;
use crate::fetch::{Fetch, FetchSettings, guard, headers};
use crate::model::http::{Ask, FetchError, FetchOutcome, HostSet, Method, Request, Share};
use crate::model::ids::FeedId;
use crate::rules::allowance::{Allowance, Ledger};
use crate::rules::silence::{Held, Place};

pub use crate::fetch::transport::ClientError;

/// An answer's head may have this many bytes (P-56).
const MAX_HEAD: usize = 64 * 1024;

/// Fetches over HTTP/1.1. Cheap to clone; clones share connections and limits. It takes no proxy from the environment:
/// behind one, nobody here would know where a request goes.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: FetchSettings,
    quiet: Quiet,
    gate: Gate,
    addresses: Addresses,
    budget: Budget,
    resolver: Arc<dyn Resolve>,
    transport: Transport,
}

impl Client {
    /// A client with these limits. Uses the certificate authorities of the machine, or those compiled in where it has none.
    pub fn new(settings: FetchSettings) -> Result<Self, ClientError> {
        Self::with_resolver(settings, Arc::new(System))
    }

    /// Likewise, with somebody else who knows the addresses of names.
    pub fn with_resolver(
        settings: FetchSettings,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            inner: Arc::new(Inner {
                transport: Transport::new(&settings)?,
                quiet: Quiet::new(
                    settings.independent_hosts.clone(),
                    Allowance::new(settings.host_per_day, settings.per_day),
                ),
                budget: Budget::default(),
                gate: Gate::new(
                    settings.max_in_flight,
                    settings.per_host,
                    settings.host_delay,
                ),
                addresses: Addresses::new(settings.per_address),
                resolver,
                settings,
            }),
        })
    }

    /// What of the day's allowance is spent (P-150).
    pub fn ledger(&self) -> Ledger {
        self.inner.quiet.ledger()
    }

    /// The silences that last now, to be remembered across a restart (P-33).
    pub fn silences(&self) -> Vec<Held> {
        self.inner.quiet.list()
    }

    /// Takes up a silence from before; one that lasts longer already stays.
    pub fn restore_silence(&self, held: Held) {
        self.inner.quiet.restore(held);
    }
}

impl Fetch for Client {
    async fn fetch(&self, request: Request) -> Result<FetchOutcome, FetchError> {
        // On the heap, since this waits for the gate with thousands of others and is moved about.
        let own = Box::new(own_headers(&request.ask)?);
        let mut trail = Box::new(Trail::new(&request.ask.url, request.ask.method.clone()));
        let mut patience = Patience::new(&self.inner.settings);
        loop {
            let conditional = request
                .validators
                .as_ref()
                .filter(|known| *trail.method() == Method::Get && known.url == *trail.url());
            let call = Call {
                letter: Letter {
                    trail: &trail,
                    own: &own,
                    credentials: request
                        .credentials
                        .as_ref()
                        .and_then(|ours| ours.at(trail.url())),
                    conditional,
                },
                feed: &request.feed,
                allowed: &request.allowed,
                most: request.most,
            };
            let answer = self.inner.exchange(&call, &mut patience).await?;
            let Some((status, location)) = answer.redirect() else {
                let settled = answer.settle(*trail, conditional, &self.inner.settings);
                return Box::pin(settled).await;
            };
            trail.follow(status, location, self.inner.settings.max_hops)?;
        }
    }
}

/// The source's own headers, checked.
fn own_headers(ask: &Ask) -> Result<HeaderMap, FetchError> {
    let mut own = HeaderMap::new();
    for (name, value) in &ask.headers {
        let refused = || FetchError::Refused(format!("the header `{name}` cannot be sent"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        // Who we are and what we can decode is not a source's to say (P-16, P-160).
        if header == USER_AGENT || header == ACCEPT_ENCODING {
            return Err(refused());
        }
        own.append(header, HeaderValue::from_str(value).map_err(|_| refused())?);
    }
    Ok(own)
}

/// One request to one address, and whose it is.
struct Call<'a> {
    letter: Letter<'a>,
    feed: &'a FeedId,
    allowed: &'a HostSet,
    /// Bytes of the answer.
    most: Option<u64>,
}

impl Inner {
    /// Asks one address once.
    async fn exchange(
        &self,
        call: &Call<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Answer, FetchError> {
        let url = call.letter.trail.url();
        // The route is judged again, but nobody has to wait for the gate to be refused.
        guard::admit(url, call.allowed)?;
        let origin = url.origin().into_boxed_str();
        let errand = self.quiet.leave(Place {
            origin: &origin,
            host: url.host(),
        });
        let errand = errand.await?;
        let mut pass = errand.wait(pin!(self.gate.enter(&origin))).await?;
        // On the heap, and only now: thousands may be waiting for the gate, few are behind it.
        let answer = Box::pin(self.admitted(&mut pass, call, patience)).await?;
        let retry_after = headers::retry_after(&answer.headers);
        errand.answered(call.feed, answer.status, retry_after, answer.body.len());
        Ok(answer)
    }

    /// Asks, with the gate's leave.
    async fn admitted(
        &self,
        pass: &mut Pass,
        call: &Call<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Answer, FetchError> {
        let url = call.letter.trail.url();
        let host = url.host();
        let (resolver, limit) = (&*self.resolver, self.settings.dns);
        let mut route = Route::find(url, call.allowed, resolver, limit, patience).await?;
        let _seat = self.seat(pass, &mut route).await;
        // Those who were started in the same moment get here first, and a connection is worth keeping for them.
        tokio::task::yield_now().await;
        let keep = Keep::when(pass.is_busy(), call.allowed.contains(host));
        let route = Arc::new(route);
        let sent = self
            .transport
            .send(&call.letter, &route, keep, &self.settings, patience);
        self.receive(sent.await?, host, call.most, patience).await
    }

    /// A seat at an address of the route, which is tried first then. Whoever has to wait for one holds no place of others
    /// meanwhile.
    async fn seat(&self, pass: &mut Pass, route: &mut Route) -> Seat {
        let free = route
            .addresses()
            .find_map(|address| Some((address, self.addresses.try_enter(address)?)));
        if let Some((address, seat)) = free {
            route.begin_with(address);
            return seat;
        }
        let seat = self.addresses.enter(route.first());
        self.gate.step_aside(pass, seat).await
    }

    /// Takes the answer off the wire.
    async fn receive(
        &self,
        mut response: Response,
        host: &str,
        most: Option<u64>,
        patience: &mut Patience<'_>,
    ) -> Result<Answer, FetchError> {
        let status = response.status().as_u16();
        let head = response.headers();
        let bytes: usize = head
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        if bytes > MAX_HEAD {
            return Err(FetchError::Malformed(format!("a head of {bytes} bytes")));
        }
        let (mut body, mut share) = (Vec::new(), Share::default());
        if status == 200 {
            let asked = most.and_then(|most| usize::try_from(most).ok());
            let most = asked.map_or(self.settings.max_wire, |asked| {
                asked.min(self.settings.max_wire)
            });
            let too_large = || FetchError::TooLarge {
                what: "answer",
                limit: u64::try_from(most).unwrap_or(u64::MAX),
            };
            if said_length(head).is_some_and(|said| said > most) {
                return Err(too_large());
            }
            share = self
                .budget
                .share(said_length(head), head.contains_key(CONTENT_ENCODING))
                .await;
            // Room only now that it is our turn. What it says is believed up to a point; growing costs little.
            body.reserve_exact(said_length(head).unwrap_or(0).min(256 * 1024));
            let idle = self.settings.idle;
            while let Some(chunk) = patience
                .wait("next byte", idle, host, response.chunk())
                .await?
                .map_err(|error| failure(&error, Stage::Body, host, &self.settings))?
            {
                if body.len() + chunk.len() > most {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
        }
        Ok(Answer {
            status,
            headers: std::mem::take(response.headers_mut()),
            body,
            share,
        })
    }
}
