//! What is shipped, pack by pack: the merged view of [`Definitions`] hides what another source has, too.

use super::{Content, EXTENSIONS, Pack, R4, R4B, R5, ResourceType, TERMINOLOGY};
use crate::json::Value;

fn concepts(value: &Value) -> usize {
    value.items("concept").map(|concept| 1 + concepts(concept)).sum()
}

/// How many CodeSystems are complete, how many concepts these have, and how many all have.
fn code_systems(pack: &Pack) -> (usize, usize, usize) {
    let of = ResourceType::CodeSystem;
    let (mut complete, mut whole, mut all) = (0, 0, 0);
    for number in 0..pack.len(of) {
        let count = concepts(pack.load(of, number).unwrap().value());
        all += count;
        if pack.row(of, number).unwrap().content == Some(Content::Complete) {
            complete += 1;
            whole += count;
        }
    }
    (complete, whole, all)
}

#[test]
fn code_systems_are_whole() {
    assert_eq!(code_systems(&R4), (1054, 20_007, 20_731));
    assert_eq!(code_systems(&R4B).0, 532);
    assert_eq!(code_systems(&R5).0, 443);
    assert_eq!(code_systems(&TERMINOLOGY).0, 829);
    assert_eq!(code_systems(&EXTENSIONS).0, 37);
}

#[test]
fn what_is_no_pack_is_refused() {
    let good = include_bytes!("../../../profiles/core/extensions.pack");
    assert!(Pack::open(good).is_some());
    for length in [0, 7, 8, 59, 60, 100] {
        assert!(Pack::open(&good[..length]).is_none(), "{length} bytes");
    }
    let of = ResourceType::ValueSet;
    assert_eq!((Pack::empty().len(of), Pack::empty().find(of, "x", None)), (0, None));
    // Any byte may be wrong: then something is missing, and nothing panics.
    for at in (0..good.len()).step_by(1009).chain(0..200) {
        let mut bytes = good.to_vec();
        bytes[at] ^= 0x55;
        let Some(pack) = Pack::open(bytes.leak()) else { continue };
        for of in ResourceType::ALL {
            for number in (0..pack.len(of)).step_by(97) {
                let _ = (pack.row(of, number), pack.load(of, number));
            }
        }
    }
}
