//! Answers made to exhaust whoever reads them: each ends early, with a typed error (C1).

use std::time::{Duration, Instant};

use flate2::{Compress, Compression, FlushCompress};
use ipt_fhir::client::{Authorization, Cause, Client, Config, Error, Flaw};
use ipt_fhir::fhir::Resource;

use super::server::{Server, Step, answer};

/// A gzip stream of about a megabyte that becomes a gigabyte of spaces: one block, flushed so that it stands for
/// itself, a thousand times over.
fn bomb() -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let plain = vec![b' '; 1 << 20];
    let mut block = Vec::with_capacity(1 << 16);
    compress.compress_vec(&plain, &mut block, FlushCompress::Full).unwrap();
    assert!(block.len() < 4 << 10 && compress.total_in() == 1 << 20);
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for _ in 0..1024 {
        bytes.extend_from_slice(&block);
    }
    // An empty last block; the checksum would come after the gigabyte.
    bytes.extend([3, 0, 0, 0, 0, 0, 0, 0, 0, 0x40]);
    bytes
}

fn encoded(encoding: &str, body: &[u8]) -> Step {
    let head = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Step::Send([head.as_bytes(), body].concat())
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What a read and a create come to, within ten seconds each.
async fn outcomes(step: impl Fn() -> Step) -> (Error, Error) {
    let server = Server::start(vec![step(), step()]);
    let base = server.base().parse().unwrap();
    let config = Config::new(base, Duration::from_secs(20), Authorization::None).unwrap();
    let client = Client::new(&config).unwrap();
    let started = Instant::now();
    let read = client.read(&"Goal/8".parse().unwrap()).await.unwrap_err();
    let create = client.create(&Resource::new("Goal"), None).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(20));
    (read, create)
}

#[tokio::test]
async fn a_bomb_is_cut_at_the_limit() {
    let bomb = bomb();
    assert!(bomb.len() < 4 << 20, "{}", bomb.len());
    let (read, create) = outcomes(|| encoded("gzip", &bomb)).await;
    assert_eq!((read, create), (Error::TooLarge, Error::Ambiguous(Cause::TooLarge)));
}

#[tokio::test]
async fn what_is_packed_twice_or_otherwise_is_not_unpacked() {
    let goal = br#"{"resourceType":"Goal","id":"8"}"#;
    let not_fhir = (Error::Incorrect(Flaw::NotFhir), Error::Ambiguous(Cause::Flaw(Flaw::NotFhir)));
    let twice = gzip(&gzip(goal));
    assert_eq!(outcomes(|| encoded("gzip", &twice)).await, not_fhir);
    assert_eq!(outcomes(|| encoded("gzip, gzip", &twice)).await, not_fhir);
    for encoding in ["br", "zstd", "deflate", "x-secret"] {
        assert_eq!(outcomes(|| encoded(encoding, &twice)).await, not_fhir, "{encoding}");
    }
    // Packed once it is read.
    let server = Server::start(vec![encoded("gzip", &gzip(goal))]);
    let client = super::client(&server);
    assert!(client.read(&"Goal/8".parse().unwrap()).await.is_ok());
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn a_million_levels_and_a_million_values_are_no_resource() {
    let not_fhir = (Error::Incorrect(Flaw::NotFhir), Error::Ambiguous(Cause::Flaw(Flaw::NotFhir)));
    let goal = |inside: String| format!(r#"{{"resourceType":"Goal","id":"8","note":{inside}}}"#);
    for body in [
        "[".repeat(1_000_000),
        goal("[".repeat(1_000_000)),
        goal(format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000))),
        goal(format!("{}1{}", r#"{"a":"#.repeat(70), "}".repeat(70))),
        goal(format!("[{}0]", "0,".repeat(200_000))),
        goal(format!("\"{}", "x".repeat(1_000_000))),
    ] {
        assert_eq!(outcomes(|| answer(200, &[], &body)).await, not_fhir);
    }
}
