//! NDJSON line by line on several threads, and unpacking with limits.

use std::io::{self, Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use ipt_fhir::validate::bulk::{self, Bomb, Inflate, LineError, Settings, Unpacking};
use proptest::prelude::*;

type Seen = (u64, u64, Result<String, LineError>);

fn all(input: impl Read + Send, settings: Settings) -> (Vec<Seen>, io::Result<bulk::Totals>, u64) {
    let (mut seen, mut told) = (Vec::new(), 0);
    let work = |line: bulk::Line<'_>| (line.number, line.offset, line.text.map(str::to_owned));
    let deliver = |one| {
        seen.push(one);
        true
    };
    let totals = bulk::lines(input, settings, work, deliver, |bytes| told = bytes);
    (seen, totals, told)
}

const SMALL: Settings = Settings { line: 20, chunk: 8, workers: 3 };

#[test]
fn lines_come_in_order_with_their_numbers_and_broken_ones_are_told() {
    let input =
        b"\xef\xbb\xbfone\r\n\n  \nfour\nfi\xffe\nsix is much longer than twenty bytes\nseven";
    let (seen, totals, _) = all(&input[..], SMALL);
    let expected: Vec<Seen> = vec![
        (1, 3, Ok("one".into())),
        (4, 12, Ok("four".into())),
        (5, 17, Err(LineError::NotUtf8 { offset: 2 })),
        (6, 22, Err(LineError::TooLong)),
        (7, 59, Ok("seven".into())),
    ];
    assert_eq!(seen, expected);
    let totals = totals.unwrap();
    assert_eq!((totals.bytes, totals.lines), (input.len() as u64, 7));
}

proptest! {
    #[test]
    fn chunks_and_threads_change_nothing(
        lines in prop::collection::vec("[a-z\u{e9} ]{0,40}", 0..60),
        chunk in 1_usize..64, workers in 1_usize..5, ends in any::<bool>(),
    ) {
        let mut input = lines.join("\n");
        if ends { input.push('\n'); }
        let settings = Settings { line: 30, chunk, workers };
        let (seen, totals, told) = all(input.as_bytes(), settings);
        let mut expected = Vec::new();
        let mut offset = 0_u64;
        for (number, line) in lines.iter().enumerate() {
            let text = if line.len() > 30 { Err(LineError::TooLong) } else { Ok(line.clone()) };
            if !line.trim_ascii().is_empty() || text.is_err() {
                expected.push((number as u64 + 1, offset, text));
            }
            offset += line.len() as u64 + 1;
        }
        prop_assert_eq!(seen, expected);
        prop_assert_eq!(told, input.len() as u64);
        prop_assert_eq!(totals.unwrap().bytes, input.len() as u64);
    }
}

struct Failing(Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("gone")),
            read => Ok(read),
        }
    }
}

#[test]
fn what_came_before_a_failure_is_delivered_and_half_a_line_is_not() {
    let (seen, totals, _) = all(Failing(Cursor::new(b"one\ntwo\nthr".to_vec())), SMALL);
    assert_eq!(seen.len(), 2);
    assert_eq!(totals.unwrap_err().to_string(), "gone");
}

#[test]
fn whoever_has_seen_enough_ends_the_reading() {
    let input = "line\n".repeat(100_000);
    let mut count = 0;
    let enough = |_: u64| {
        count += 1;
        count < 10
    };
    let totals = bulk::lines(input.as_bytes(), SMALL, |line| line.number, enough, |_| {}).unwrap();
    assert_eq!(count, 10);
    assert!(totals.bytes < 1000);
}

#[test]
fn an_endless_line_takes_no_memory() {
    if !super::bombs::alone("bulk::an_endless_line_takes_no_memory") {
        return;
    }
    let endless = io::repeat(b'x').take(1 << 30);
    let before = super::bombs::resident();
    let settings = Settings { line: 4 << 20, chunk: 256 << 10, workers: 2 };
    let (seen, ..) = all(endless, settings);
    assert_eq!(seen, [(1, 0, Err(LineError::TooLong))]);
    assert!(super::bombs::resident() - before < 64 << 20);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bomb(bytes: &[u8], limits: Unpacking) -> Option<Bomb> {
    let mut unpacked = Vec::new();
    let error = Inflate::new(bytes, limits).read_to_end(&mut unpacked).unwrap_err();
    error.get_ref()?.downcast_ref::<Bomb>().copied()
}

#[test]
fn gzip_members_are_unpacked_and_bombs_are_not() {
    let two = [packed(b"one\n"), packed(b"two\n")].concat();
    let (seen, ..) = all(Inflate::new(&two[..], Unpacking::NETWORK), SMALL);
    assert_eq!(seen.len(), 2);
    let zeros = packed(&vec![b' '; 32 << 20]);
    assert_eq!(bomb(&zeros, Unpacking::NETWORK), Some(Bomb::Ratio));
    let limits = Unpacking { total: 1 << 20, ..Unpacking::NETWORK };
    assert_eq!(bomb(&zeros, limits), Some(Bomb::Total));
    // Packed twice it is no text, and nobody unpacks it twice.
    let (seen, ..) = all(Inflate::new(&packed(&zeros)[..], Unpacking::NETWORK), SMALL);
    assert!(seen.iter().all(|one| one.2.is_err() || !one.2.as_ref().unwrap().contains("  ")));
    // A cut-off stream is an error, not an end.
    let cut = &two[..two.len() - 4];
    assert!(all(Inflate::new(cut, Unpacking::NETWORK), SMALL).1.is_err());
}
