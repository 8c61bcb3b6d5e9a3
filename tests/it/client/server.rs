//! A server that follows a script, byte by byte, and remembers what it was sent.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server does with one connection after it has read the request.
pub(crate) enum Step {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Closes without a word.
    Close,
    /// Closes before it has read the request, so that the client meets a reset.
    Reset,
    /// Holds the connection for a second and says nothing.
    Hang,
    /// Sends a head, and then a body that does not end.
    Drip,
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A running server; it ends with the process.
pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server that takes one step for each connection, and answers 500 after the last.
    pub(crate) fn start(steps: Vec<Step>) -> Self {
        Self::start_with(|_| steps)
    }

    /// The same for steps that have to know the server's base.
    pub(crate) fn start_with(steps: impl FnOnce(&str) -> Vec<Step>) -> Self {
        Self::listen(None, steps)
    }

    /// The same behind TLS.
    pub(crate) fn start_tls(tls: Arc<ServerConfig>, steps: Vec<Step>) -> Self {
        Self::listen(Some(tls), |_| steps)
    }

    /// Starts a server that looks at each request to know what to do.
    pub(crate) fn start_answering(look: impl Fn(&Request) -> Step + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<_>>::default());
        let server = Self {
            address: listener.local_addr().unwrap(),
            scheme: "http",
            connections: Arc::clone(&connections),
            requests: Arc::clone(&requests),
        };
        let look = Arc::new(look);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                connections.fetch_add(1, Ordering::SeqCst);
                let (look, requests) = (Arc::clone(&look), Arc::clone(&requests));
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                    let Some(request) = read(&mut stream) else { return };
                    let step = look(&request);
                    requests.lock().unwrap().push(request);
                    act(stream, step);
                });
            }
        });
        server
    }

    fn listen(tls: Option<Arc<ServerConfig>>, steps: impl FnOnce(&str) -> Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let server = Self {
            address,
            scheme: if tls.is_some() { "https" } else { "http" },
            connections: Arc::clone(&connections),
            requests: Arc::clone(&requests),
        };
        let mut steps = steps(&server.base()).into_iter();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                connections.fetch_add(1, Ordering::SeqCst);
                let step = steps.next().unwrap_or_else(|| answer(500, &[], ""));
                let requests = Arc::clone(&requests);
                let tls = tls.clone();
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                    match tls {
                        None => take(stream, step, &requests),
                        Some(tls) => take_tls(stream, tls, step, &requests),
                    }
                });
            }
        });
        server
    }

    pub(crate) fn base(&self) -> String {
        self.base_of("127.0.0.1")
    }

    /// The base under another name of this machine.
    pub(crate) fn base_of(&self, host: &str) -> String {
        format!("{}://{host}:{}/fhir", self.scheme, self.address.port())
    }

    /// How many connections there were, whatever came over them.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// An answer with a status, more headers and a body, complete and well-formed.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Step {
    let length = body.len().to_string();
    let own = [("Connection", "close"), ("Content-Length", &length)];
    let lines: Vec<String> =
        own.iter().chain(headers).map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    Step::Send(format!("HTTP/1.1 {status} x\r\n{}\r\n{body}", lines.concat()).into_bytes())
}

fn take_tls(stream: TcpStream, tls: Arc<ServerConfig>, step: Step, requests: &Mutex<Vec<Request>>) {
    let mut stream = StreamOwned::new(ServerConnection::new(tls).unwrap(), stream);
    take(&mut stream, step, requests);
    stream.conn.send_close_notify();
    let _ = stream.flush();
    // A close with bytes unread is a reset, which may overtake the alert that says why.
    let mut rest = [0; 1024];
    while stream.sock.read(&mut rest).is_ok_and(|count| count > 0) {}
}

fn take(mut stream: impl Read + Write, step: Step, requests: &Mutex<Vec<Request>>) {
    if matches!(step, Step::Reset) {
        // Unread bytes in the buffer turn the close into a reset.
        let mut first = [0; 1];
        let _ = stream.read(&mut first);
        return;
    }
    let Some(request) = read(&mut stream) else { return };
    requests.lock().unwrap().push(request);
    act(stream, step);
}

fn act(mut stream: impl Write, step: Step) {
    match step {
        Step::Send(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Step::Close | Step::Reset => {}
        Step::Hang => std::thread::sleep(Duration::from_secs(1)),
        Step::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while stream.write_all(b"1\r\n \r\n").is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn read(stream: &mut impl Read) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(buffer.get(..count)?);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let (first, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let mut words = first.split(' ');
        let request = Request {
            method: words.next()?.to_owned(),
            target: words.next()?.to_owned(),
            headers: headers.to_owned(),
            body: body.to_owned(),
        };
        let length = request.header("content-length").and_then(|text| text.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(request);
        }
    }
}
