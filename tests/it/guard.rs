//! Where the client connects and where it does not: names, addresses, redirects, and how many at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read};
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use feedmill::fetch::client::Client;
use feedmill::fetch::names::{Resolve, Resolving};
use feedmill::fetch::patience::Patience;
use feedmill::fetch::redirect::Trail;
use feedmill::fetch::route::Route;
use feedmill::fetch::transport::{Keep, Letter, Transport};
use feedmill::fetch::{Fetch, FetchSettings};
use feedmill::model::http::{Ask, FetchError, FetchOutcome, HostSet, Method, Request};
use feedmill::model::urls::PageUrl;
use reqwest::header::HeaderMap;

use crate::support::script::{Act, Origin, Seen, Step, answer};

const FEED: &[u8] = b"<feed><title>made up</title></feed>";

/// What a name answers, in turn, the last for good; empty is silence. Names that are not here do not exist.
#[derive(Debug, Default)]
struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn with(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let read = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        let answers = names
            .iter()
            .map(|(name, answers)| ((*name).to_owned(), answers.iter().map(read).collect()))
            .collect();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        self.asked.lock().unwrap().push(host.to_owned());
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            answers.get_mut(host).map(|answers| match answers.len() {
                0 | 1 => answers.front().cloned().unwrap_or_default(),
                _ => answers.pop_front().unwrap(),
            })
        };
        Box::pin(async move {
            match answer {
                None => Err(io::Error::other("no such name")),
                Some(addresses) if addresses.is_empty() => std::future::pending().await,
                Some(addresses) => Ok(addresses),
            }
        })
    }
}

fn settings() -> FetchSettings {
    FetchSettings {
        host_delay: Duration::ZERO,
        connect: Duration::from_secs(2),
        ..FetchSettings::default()
    }
}

fn client(names: &Arc<Names>) -> Client {
    Client::with_resolver(settings(), Arc::clone(names) as Arc<dyn Resolve>).unwrap()
}

fn request(address: &str, allowed: &[&str]) -> Request {
    Request {
        allowed: HostSet::parse(allowed).unwrap(),
        ..Request::new(
            Ask::get(PageUrl::parse(address).unwrap()),
            "f".parse().unwrap(),
        )
    }
}

fn good() -> Step {
    answer("200 OK", &[], FEED)
}

fn is_refused(outcome: Result<FetchOutcome, FetchError>, words: &str) {
    match outcome {
        Err(FetchError::Refused(why)) => assert!(why.contains(words), "`{why}` lacks `{words}`"),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn p_168_a_private_address_in_the_url_is_not_connected_to() {
    let origin = Origin::start([good()]);
    let names = Names::with(&[]);
    let client = client(&names);
    let port = origin.port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0",
        "[::ffff:127.0.0.1]",
        "①②⑦.0.0.1",
    ] {
        let outcome = client
            .fetch(request(&format!("http://{host}:{port}/"), &[]))
            .await;
        is_refused(outcome, "no public address");
    }
    assert!(origin.log().is_empty());
    assert!(names.asked().is_empty(), "an address is no name");
}

#[tokio::test]
async fn p_168_a_name_is_judged_by_its_address_unless_it_is_allowed() {
    let origin = Origin::start([good()]);
    let names = Names::with(&[("a.test", &[&["127.0.0.1"]])]);
    let client = client(&names);
    let address = format!("http://a.test:{}/", origin.port());
    for allowed in [&[][..], &["127.0.0.1"], &["b.test", "test"]] {
        let outcome = client.fetch(request(&address, allowed)).await;
        is_refused(outcome, "`a.test` is at 127.0.0.1, which is loopback");
    }
    assert!(origin.log().is_empty());
    let asked = names.asked().len();
    assert!(client.fetch(request(&address, &["A.test"])).await.is_ok());
    assert_eq!(origin.log().len(), 1);
    assert_eq!(
        names.asked().len(),
        asked + 1,
        "what was judged is what is used: nobody looks it up again"
    );
}

#[tokio::test]
async fn p_77_p_168_a_redirect_leads_to_no_private_address() {
    for (target, words) in [
        ("http://127.0.0.1:PORT/x", "127.0.0.1"),
        ("http://2130706433:PORT/x", "127.0.0.1"),
        ("http://169.254.169.254/latest/meta-data/", "link-local"),
        ("http://[::ffff:127.0.0.1]:PORT/x", "mapped"),
        ("http://other.test:PORT/x", "`other.test` is at 127.0.0.1"),
        ("//other.test:PORT/x", "`other.test` is at 127.0.0.1"),
    ] {
        let names = Names::with(&[
            ("a.test", &[&["127.0.0.1"]]),
            ("other.test", &[&["127.0.0.1"]]),
        ]);
        let origin = Origin::start([]);
        let target = target.replace("PORT", &origin.port().to_string());
        origin
            .then(answer("302 Found", &[&format!("Location: {target}")], b""))
            .then(good());
        let address = format!("http://a.test:{}/", origin.port());
        is_refused(
            client(&names).fetch(request(&address, &["a.test"])).await,
            words,
        );
        assert_eq!(origin.log().len(), 1, "{target}");
    }
    // Allowed for this feed, and so are its redirects.
    let names = Names::with(&[
        ("a.test", &[&["127.0.0.1"]]),
        ("other.test", &[&["127.0.0.1"]]),
    ]);
    let origin = Origin::start([]);
    let target = format!("Location: http://other.test:{}/x", origin.port());
    origin
        .then(answer("302 Found", &[&target], b""))
        .then(good());
    let address = format!("http://a.test:{}/", origin.port());
    let outcome = client(&names)
        .fetch(request(&address, &["a.test", "other.test"]))
        .await;
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// A connection that is kept because one feed may go there is not for a feed that may not.
#[tokio::test]
async fn p_168_what_one_feed_is_allowed_no_other_is() {
    let slow = || [vec![Act::Pause(Duration::from_millis(100))], good()].concat();
    let origin = Origin::start([slow(), slow(), slow()]);
    let names = Names::with(&[("a.test", &[&["127.0.0.1"]])]);
    let client = client(&names);
    let address = format!("http://a.test:{}/", origin.port());
    let (first, second) = tokio::join!(
        client.fetch(request(&address, &["a.test"])),
        client.fetch(request(&address, &["a.test"])),
    );
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    is_refused(client.fetch(request(&address, &[])).await, "loopback");
    assert_eq!(origin.log().len(), 2);
}

/// The same, where the name has become public meanwhile, so that the second feed may ask it.
#[tokio::test]
async fn p_168_a_connection_that_was_kept_for_one_feed_is_not_used_for_another() {
    let origin = Origin::start((0..4).map(|_| good()));
    let settings = settings();
    let transport = Transport::new(&settings).unwrap();
    let names = Names::with(&[("a.test", &[&["127.0.0.1"]])]);
    let address = PageUrl::parse(&format!("http://a.test:{}/", origin.port())).unwrap();
    let allowed = HostSet::parse(&["a.test"]).unwrap();
    let (trail, own) = (Trail::new(&address, Method::Get), HeaderMap::new());
    let letter = Letter {
        trail: &trail,
        own: &own,
        credentials: None,
        conditional: None,
    };
    // Nothing but loopback is asked in tests, so this route stands for a public one, too.
    for allowed_to in [true, true, false, true] {
        let mut patience = Patience::new(&settings);
        let route = Route::find(&address, &allowed, &*names, settings.dns, &mut patience);
        let route = Arc::new(route.await.unwrap());
        let keep = Keep::when(true, allowed_to);
        let sent = transport.send(&letter, &route, keep, &settings, &mut patience);
        sent.await.unwrap().bytes().await.unwrap();
    }
    let connections: Vec<_> = origin.log().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 1, 0]);
}

/// RELIABILITY section 7: no proxy of the environment is used. In a process of its own, since the environment is everybody's.
#[test]
fn p_168_a_proxy_in_the_environment_is_no_way_past_the_guard() {
    const INSIDE: &str = "FEEDMILL_TEST_BEHIND_A_PROXY";
    if std::env::var_os(INSIDE).is_none() {
        let proxy = Origin::start([good(), good()]);
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "guard::p_168_a_proxy_in_the_environment_is_no_way_past_the_guard",
            ])
            .env(INSIDE, "1");
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "all_proxy",
            "ALL_PROXY",
            "https_proxy",
        ] {
            command.env(name, proxy.url(""));
        }
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        assert!(proxy.log().is_empty(), "the proxy was asked");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let names = Names::with(&[
            ("a.test", &[&["10.1.2.3"]]),
            ("allowed.test", &[&["127.0.0.1"]]),
        ]);
        let origin = Origin::start([good()]);
        let address = format!("http://allowed.test:{}/", origin.port());
        let direct = request(&address, &["allowed.test"]);
        assert!(client(&names).fetch(direct).await.is_ok());
        assert_eq!(origin.log().len(), 1);
        is_refused(
            client(&names).fetch(request("http://a.test/", &[])).await,
            "private",
        );
        is_refused(
            client(&names)
                .fetch(request("http://127.0.0.1:8080/", &[]))
                .await,
            "loopback",
        );
    });
}

#[tokio::test]
async fn p_52_names_and_connections_have_limits_of_their_own() {
    let names = Names::with(&[("silent.test", &[&[]]), ("a.test", &[&["127.0.0.1"]])]);
    let limits = FetchSettings {
        dns: Duration::from_millis(60),
        connect: Duration::from_millis(70),
        ..settings()
    };
    let client = Client::with_resolver(limits, Arc::clone(&names) as Arc<dyn Resolve>).unwrap();
    let timeout = |stage, host: &str, millis| {
        Err(FetchError::Timeout {
            stage,
            host: host.to_owned(),
            limit: Duration::from_millis(millis),
        })
    };
    let outcome = client.fetch(request("http://silent.test/", &[])).await;
    assert_eq!(outcome, timeout("address", "silent.test", 60));
    assert_eq!(names.asked().len(), 1, "P-49: one query");

    // Accepts, listens, and says nothing: TCP stands, TLS never does.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let outcome = client
        .fetch(request(&format!("https://a.test:{port}/"), &["a.test"]))
        .await;
    assert_eq!(outcome, timeout("connection", "a.test", 70));
    server.join().unwrap();
}

#[tokio::test]
async fn p_49_a_name_that_does_not_exist_is_said_so() {
    let names = Names::with(&[]);
    let outcome = client(&names)
        .fetch(request("http://nowhere.test/", &[]))
        .await;
    assert_eq!(
        outcome,
        Err(FetchError::Dns {
            host: "nowhere.test".into(),
            why: "no such name".into()
        })
    );
}

/// Nobody listens on the first address.
#[tokio::test]
async fn p_51_a_dead_address_does_not_fail_the_poll() {
    let origin = Origin::start([good()]);
    let names = Names::with(&[("a.test", &[&["127.0.0.77", "127.0.0.1"]])]);
    let address = format!("http://a.test:{}/", origin.port());
    let outcome = client(&names).fetch(request(&address, &["a.test"])).await;
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// Most requests of the log that were open at once, each for this long.
fn most_at_once(log: &[Seen], each: Duration) -> usize {
    let ends = |at: Instant| {
        log.iter()
            .filter(|other| other.at <= at && at < other.at + each)
            .count()
    };
    log.iter().map(|seen| ends(seen.at)).max().unwrap_or(0)
}

#[tokio::test]
async fn p_140_two_at_once_to_one_address_whatever_the_names() {
    let each = Duration::from_millis(50);
    let slow = || [vec![Act::Pause(each)], good()].concat();
    let origin = Origin::start((0..10).map(|_| slow()));
    let hosts: Vec<String> = (0..10).map(|n| format!("h{n}.test")).collect();
    let answers: &[&[&str]] = &[&["127.0.0.1"]];
    let names: Vec<_> = hosts.iter().map(|host| (host.as_str(), answers)).collect();
    // Fewer places than hosts: those that wait for the address must hold none of them for ever.
    let few = FetchSettings {
        max_in_flight: 3,
        ..settings()
    };
    let client = Client::with_resolver(few, Names::with(&names) as Arc<dyn Resolve>).unwrap();
    let started = Instant::now();
    let tasks: Vec<_> = hosts
        .iter()
        .map(|host| {
            let client = client.clone();
            let request = request(&format!("http://{host}:{}/", origin.port()), &[host]);
            tokio::spawn(async move { client.fetch(request).await })
        })
        .collect();
    for task in tasks {
        let outcome = task.await.unwrap();
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    assert_eq!(origin.log().len(), 10);
    let most = most_at_once(&origin.log(), each);
    assert!(most <= 2, "{most} at once");
    assert!(started.elapsed() >= each * 5, "ten by twos");
}

#[tokio::test]
async fn p_149_ten_feeds_of_one_host_share_one_connection() {
    let origin = Origin::start((0..10).map(|_| good()));
    let client = client(&Names::with(&[]));
    let tasks: Vec<_> = (0..10)
        .map(|n| {
            let client = client.clone();
            let request = request(&origin.url(&format!("/{n}")), &["127.0.0.1"]);
            tokio::spawn(async move { client.fetch(request).await })
        })
        .collect();
    for task in tasks {
        let outcome = task.await.unwrap();
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    let connections: Vec<_> = origin.log().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0; 10]);
}
