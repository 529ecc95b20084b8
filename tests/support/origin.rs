//! A small HTTP/1.1 origin on loopback: what it answers can be changed while it runs, and it remembers what it was
//! asked. For tests, the demo and the benchmark; a thread a connection, nothing to await.

// Whoever takes this file in uses a part of it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use xxhash_rust::xxh3::xxh3_64;

/// What a path answers.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    gzip: Option<Vec<u8>>,
    validators: Option<[(&'static str, String); 2]>,
    delay: Duration,
    cut: Option<usize>,
}

impl Reply {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// 200 with a body of this type.
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let reply = Self {
            body: body.into(),
            ..Self::status(200)
        };
        reply.header("Content-Type", content_type)
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends `ETag` and `Last-Modified`, both made from the body, and answers 304 to whoever brings one of them back.
    #[must_use]
    pub fn validated(mut self) -> Self {
        let hash = xxh3_64(&self.body);
        let (minute, second) = (hash / 60 % 60, hash % 60);
        self.validators = Some([
            ("ETag", format!("W/\"{hash:016x}\"")),
            (
                "Last-Modified",
                format!("Sat, 01 Nov 2025 06:{minute:02}:{second:02} GMT"),
            ),
        ]);
        self
    }

    /// Sends the body as gzip to whoever accepts that; compressed once, here.
    #[must_use]
    pub fn gzipped(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.body).unwrap();
        self.gzip = Some(encoder.finish().unwrap());
        self
    }

    /// Answers only after this long.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Announces the whole body, sends this many bytes of it and hangs up.
    #[must_use]
    pub fn cut(mut self, sent: usize) -> Self {
        self.cut = Some(sent);
        self
    }

    /// Whether the request already has this body (RFC 9110, section 13.2.2: `If-None-Match` counts first).
    fn is_held_by(&self, request: &Request) -> bool {
        let Some([(_, etag), (_, modified)]) = &self.validators else {
            return false;
        };
        match request.header("If-None-Match") {
            Some(list) => list
                .split(',')
                .any(|held| matches!(held.trim(), "*") || held.trim() == etag),
            None => request
                .header("If-Modified-Since")
                .is_some_and(|held| held == modified),
        }
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// In their order, names as sent.
    pub headers: Vec<(String, String)>,
    /// What came with it.
    pub body: Vec<u8>,
    /// The status it was answered with.
    pub answered: u16,
}

impl Request {
    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(given, _): &&(String, String)| given.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(named)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Shared {
    routes: Mutex<HashMap<String, Arc<Reply>>>,
    log: Mutex<Vec<Request>>,
    stopped: AtomicBool,
}

/// The running origin; it stops listening when dropped.
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Origin {
    /// Listens on a free port of 127.0.0.1. Paths without a route answer 404.
    pub fn start<P: Into<String>>(routes: impl IntoIterator<Item = (P, Reply)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let origin = Self {
            address,
            shared: Arc::default(),
        };
        routes
            .into_iter()
            .for_each(|(path, reply)| origin.set(path, reply));
        let shared = Arc::clone(&origin.shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&shared);
                // A client that hangs up is its own affair.
                thread::spawn(move || serve(&stream, &shared).ok());
            }
        });
        origin
    }

    /// `http://127.0.0.1:<port>`, without a slash at its end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on the path answers this.
    pub fn set(&self, path: impl Into<String>, reply: Reply) {
        self.shared
            .routes
            .lock()
            .unwrap()
            .insert(path.into(), Arc::new(reply));
    }

    /// Every request so far, in the order they were answered.
    pub fn log(&self) -> Vec<Request> {
        self.shared.log.lock().unwrap().clone()
    }

    /// The same, and forgets them.
    pub fn take_log(&self) -> Vec<Request> {
        std::mem::take(&mut *self.shared.log.lock().unwrap())
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, so that it sees the flag.
        TcpStream::connect(self.address).ok();
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = read_request(&mut reader)? {
        let route = shared.routes.lock().unwrap().get(&request.path).cloned();
        let reply = route.unwrap_or_else(|| Arc::new(Reply::status(404)));
        thread::sleep(reply.delay);
        let (head, body) = answer(&reply, &mut request);
        let close = reply.cut.is_some()
            || request
                .header("Connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let body = &body[..reply.cut.unwrap_or(body.len()).min(body.len())];
        // Before the answer: whoever has the answer finds the request in the log.
        shared.log.lock().unwrap().push(request);
        let mut writer = stream;
        if body.len() < 64 * 1024 {
            writer.write_all(&[&head, body].concat())?;
        } else {
            writer.write_all(&head)?;
            writer.write_all(body)?;
        }
        if close {
            break;
        }
    }
    Ok(())
}

fn answer<'a>(reply: &'a Reply, request: &mut Request) -> (Vec<u8>, &'a [u8]) {
    let unchanged = reply.is_held_by(request);
    request.answered = if unchanged { 304 } else { reply.status };
    let mut head = format!("HTTP/1.1 {} -\r\n", request.answered).into_bytes();
    let mut line = |name: &str, value: &str| head.extend(format!("{name}: {value}\r\n").bytes());
    for (name, value) in reply.validators.iter().flatten() {
        line(name, value);
    }
    for (name, value) in &reply.headers {
        line(name, value);
    }
    let wants_gzip = request
        .header("Accept-Encoding")
        .is_some_and(|value| value.contains("gzip"));
    let body = match &reply.gzip {
        _ if unchanged => &[][..],
        Some(gzip) if wants_gzip => {
            line("Content-Encoding", "gzip");
            gzip
        }
        _ => &reply.body,
    };
    if reply.gzip.is_some() {
        line("Vary", "Accept-Encoding");
    }
    if !unchanged && request.answered != 204 {
        line("Content-Length", &body.len().to_string());
    }
    head.extend(b"\r\n");
    (head, if request.method == "HEAD" { &[] } else { body })
}

/// The next request of a connection, or `None` at its end.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace().map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut request = Request {
        method,
        path,
        headers: Vec::new(),
        body: Vec::new(),
        answered: 0,
    };
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        request
            .headers
            .push((name.to_owned(), value.trim().to_owned()));
    }
    let length = request
        .header("Content-Length")
        .and_then(|value| value.parse().ok());
    reader
        .take(length.unwrap_or(0))
        .read_to_end(&mut request.body)?;
    Ok(Some(request))
}
