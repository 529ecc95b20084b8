//! An origin on loopback that plays a script and keeps a verbatim log. It knows no HTTP but the end of a head, so it can
//! say anything.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the origin does about one request.
pub type Step = Vec<Act>;

/// One thing it does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Waits.
    Pause(Duration),
    /// Closes the connection.
    Close,
    /// Says nothing more until the client goes.
    Hold,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which connection it came on, from 0.
    pub connection: usize,
    /// When its head was there.
    pub at: Instant,
    /// Its head, byte for byte, with the blank line.
    pub head: Vec<u8>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Seen {
    /// The first line.
    pub fn line(&self) -> String {
        let head = String::from_utf8_lossy(&self.head);
        head.lines().next().unwrap_or_default().to_owned()
    }

    /// The values of the header of this name (in lower case), byte for byte.
    pub fn header(&self, name: &str) -> Vec<Vec<u8>> {
        self.head
            .split(|b| *b == b'\n')
            .filter_map(|line| {
                let colon = line.iter().position(|b| *b == b':')?;
                let (field, value) = line.split_at(colon);
                field
                    .eq_ignore_ascii_case(name.as_bytes())
                    .then(|| value[1..].trim_ascii().to_vec())
            })
            .collect()
    }

    /// All header lines but those of these names, in their order.
    pub fn without(&self, names: &[&str]) -> Vec<String> {
        let head = String::from_utf8_lossy(&self.head);
        head.lines()
            .skip(1)
            .filter(|line| {
                let name = line.split(':').next().unwrap_or_default();
                !names.iter().any(|known| known.eq_ignore_ascii_case(name))
            })
            .map(str::to_owned)
            .collect()
    }
}

/// The origin. Stops when dropped.
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    steps: Mutex<VecDeque<Step>>,
    log: Mutex<Vec<Seen>>,
    stopped: AtomicBool,
}

impl Origin {
    /// Plays one step a request, over all connections; past the last, status 500.
    pub fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            steps: Mutex::new(steps.into_iter().collect()),
            log: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for (number, stream) in listener.incoming().enumerate() {
                    if shared.stopped.load(Ordering::Relaxed) {
                        break;
                    }
                    let shared = Arc::clone(&shared);
                    // A client that goes away in the middle is part of the play.
                    thread::spawn(move || shared.serve(number, &stream.unwrap()).ok());
                }
            }
        });
        Self { address, shared }
    }

    /// Appends a step, for scripts that need the origin's own address.
    pub fn then(&self, step: Step) -> &Self {
        self.shared.steps.lock().unwrap().push_back(step);
        self
    }

    /// The address of a path here.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far.
    pub fn log(&self) -> Vec<Seen> {
        self.shared.log.lock().unwrap().clone()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the one that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, connection: usize, mut stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        let mut read = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                    break at + 4;
                }
                more(stream, &mut read)?;
            };
            let mut seen = Seen {
                connection,
                at: Instant::now(),
                body: read.split_off(end),
                head: std::mem::take(&mut read),
            };
            let length = seen.header("content-length").first().map_or(0, |value| {
                String::from_utf8_lossy(value).parse().unwrap_or(0)
            });
            while seen.body.len() < length {
                more(stream, &mut seen.body)?;
            }
            read = seen.body.split_off(length);
            self.log.lock().unwrap().push(seen);

            let step = self.steps.lock().unwrap().pop_front();
            for act in step.unwrap_or_else(|| answer("500 Script is over", &[], b"")) {
                match act {
                    Act::Send(bytes) => stream.write_all(&bytes)?,
                    Act::Pause(time) => thread::sleep(time),
                    Act::Close => return Ok(()),
                    Act::Hold => {
                        while more(stream, &mut Vec::new()).is_ok() {}
                        return Ok(());
                    }
                }
            }
        }
    }
}

fn more(mut stream: &TcpStream, into: &mut Vec<u8>) -> std::io::Result<()> {
    let mut piece = [0; 4096];
    match stream.read(&mut piece)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        length => {
            into.extend_from_slice(&piece[..length]);
            Ok(())
        }
    }
}

/// A plain answer: status, header lines, a body with its length.
pub fn answer(status: &str, headers: &[&str], body: &[u8]) -> Step {
    let mut lines: Vec<Vec<u8>> = headers
        .iter()
        .map(|line| line.as_bytes().to_vec())
        .collect();
    if !status.starts_with("304") && !status.starts_with("204") {
        lines.push(format!("Content-Length: {}", body.len()).into_bytes());
    }
    raw(status, &lines, body)
}

/// The same with header lines of any bytes, and no line added.
pub fn raw(status: &str, headers: &[Vec<u8>], body: &[u8]) -> Step {
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for line in headers {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    vec![Act::Send(bytes)]
}
