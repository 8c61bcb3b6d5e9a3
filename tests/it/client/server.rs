//! A server that follows a script, byte by byte, and remembers what it was sent.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server that takes one step for each connection, and answers 500 after the last.
    pub(crate) fn start(steps: Vec<Step>) -> Self {
        Self::start_with(|_| steps)
    }

    /// The same for steps that have to know the server's base.
    pub(crate) fn start_with(steps: impl FnOnce(&str) -> Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let server = Self { address, requests: Arc::clone(&requests) };
        let mut steps = steps(&server.base()).into_iter();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let step = steps.next().unwrap_or_else(|| answer(500, &[], ""));
                let requests = Arc::clone(&requests);
                std::thread::spawn(move || take(stream, step, &requests));
            }
        });
        server
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}/fhir", self.address)
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

fn take(mut stream: TcpStream, step: Step, requests: &Mutex<Vec<Request>>) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    if matches!(step, Step::Reset) {
        // Unread bytes in the buffer turn the close into a reset.
        let mut first = [0; 1];
        let _ = stream.read(&mut first);
        return;
    }
    let Some(request) = read(&mut stream) else { return };
    requests.lock().unwrap().push(request);
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

fn read(stream: &mut TcpStream) -> Option<Request> {
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
