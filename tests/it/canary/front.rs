//! A server that stands before an EHR: it keeps the head of every request, and passes it on, refuses it with its own
//! words in the answer, or breaks off.
//!
//! It speaks HTTP by hand, because half of what it is for no HTTP library would do.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::token::STEM;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The EHR answers.
    Pass,
    /// This status, and an OperationOutcome that quotes the request.
    Outcome(u16),
    /// This status, and an HTML page that quotes the request.
    Page(u16),
    /// The connection ends in the middle of a body that quotes the request.
    Truncate,
    /// The connection ends before an answer.
    Reset,
    /// Bytes that are neither HTTP nor TLS.
    Garbage,
}

/// Which requests are answered so; the EHR answers the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    All,
    Writes,
}

/// The server, as long as its process lives.
pub(super) struct Front {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
    rule: Arc<Mutex<(To, Answer)>>,
}

impl Front {
    /// Starts one before the server of this base URL.
    pub(super) fn before(base_url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self {
            address: listener.local_addr().unwrap().to_string(),
            heads: Arc::default(),
            rule: Arc::new(Mutex::new((To::All, Answer::Pass))),
        };
        let upstream = authority(base_url).to_owned();
        let (heads, rule) = (Arc::clone(&front.heads), Arc::clone(&front.rule));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (heads, rule) = (Arc::clone(&heads), Arc::clone(&rule));
                let upstream = upstream.clone();
                // A client that breaks off is none of our business.
                std::thread::spawn(move || serve(stream, &upstream, &heads, &rule));
            }
        });
        front
    }

    /// Its base URL.
    pub(super) fn url(&self) -> String {
        format!("http://{}/fhir", self.address)
    }

    /// From now on requests are answered so.
    pub(super) fn answers(&self, to: To, answer: Answer) {
        *self.rule.lock().unwrap() = (to, answer);
    }

    /// The heads of all requests so far, without the line that shows the credentials.
    pub(super) fn heads(&self) -> String {
        let heads = self.heads.lock().unwrap().concat();
        let is_shown = |line: &&str| !line.to_ascii_lowercase().starts_with("authorization:");
        heads.lines().filter(is_shown).fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        })
    }
}

/// Asks a server once; the status and the body of its answer.
pub(super) fn ask(base_url: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let host = authority(base_url);
    let head = format!(
        "{method} /fhir/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/fhir+json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let answer = exchange(host, &[head.as_bytes(), body.as_bytes()].concat()).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn authority(base_url: &str) -> &str {
    base_url.split('/').nth(2).unwrap()
}

/// Sends bytes and reads until the other side is done.
fn exchange(address: &str, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn serve(
    mut stream: TcpStream,
    upstream: &str,
    heads: &Mutex<Vec<String>>,
    rule: &Mutex<(To, Answer)>,
) -> std::io::Result<()> {
    let (to, answer) = *rule.lock().unwrap();
    if answer == Answer::Garbage {
        let mut some = [0; 1024];
        let _ = stream.read(&mut some)?;
        stream.write_all(format!("\x16\x03{STEM}0000 {STEM}\r\n{STEM}\r\n\r\n").as_bytes())?;
        return stream.shutdown(Shutdown::Both);
    }
    let (head, body) = read(&mut stream)?;
    heads.lock().unwrap().push(head.clone());
    let is_write = head.starts_with("POST") || head.starts_with("PUT");
    let answer = if to == To::Writes && !is_write { Answer::Pass } else { answer };
    let quoted = format!("{STEM}0000 {head} {body}");
    let answer = match answer {
        Answer::Pass => pass(&head, &body, upstream)?,
        Answer::Outcome(status) => respond(status, "application/fhir+json", &outcome(&quoted)),
        Answer::Page(status) => {
            respond(status, "text/html", &format!("<html><h1>{STEM}0000</h1>{quoted}</html>"))
        }
        Answer::Truncate => {
            let text = respond(200, "application/fhir+json", &outcome(&quoted));
            text[..text.len() - 20].to_owned()
        }
        Answer::Reset | Answer::Garbage => return stream.shutdown(Shutdown::Both),
    };
    stream.write_all(&answer)?;
    stream.shutdown(Shutdown::Both)
}

/// Reads a request: its head, and the body that the head announces.
fn read(stream: &mut TcpStream) -> std::io::Result<(String, String)> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|place| place + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().unwrap());
            if bytes.len() >= end + length {
                return Ok((head, String::from_utf8_lossy(&bytes[end..]).into_owned()));
            }
        }
        match stream.read(&mut buffer)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// The EHR's answer. It answers to its own name only.
fn pass(head: &str, body: &str, upstream: &str) -> std::io::Result<Vec<u8>> {
    let mut request = String::new();
    for line in head.trim_end().lines().filter(|line| !line.to_lowercase().starts_with("host:")) {
        request.push_str(line);
        request.push_str("\r\n");
    }
    let _ = write!(request, "Host: {upstream}\r\nConnection: close\r\n\r\n{body}");
    exchange(upstream, request.as_bytes())
}

/// An answer whose head, too, tells what it should not.
fn respond(status: u16, content_type: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} {STEM}0000\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Location: /fhir/{STEM}0000/{STEM}\r\nWWW-Authenticate: Basic realm=\"{STEM}0000\"\r\n\
         Set-Cookie: {STEM}=0000\r\nWarning: 199 - \"{STEM}0000\"\r\nX-{STEM}: 1\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

fn outcome(quoted: &str) -> String {
    let quoted = ipt_fhir::json::Value::String(quoted.to_owned()).to_text();
    format!(
        r#"{{"resourceType":"OperationOutcome","id":"{STEM}0000","issue":[
            {{"severity":"error","code":"{STEM}0000","diagnostics":{quoted},"expression":["{STEM}0000"]}},
            {{"severity":"error","code":"invalid","details":{{"text":{quoted}}},"location":["{STEM}0000"]}}]}}"#
    )
}
