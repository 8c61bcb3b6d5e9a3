//! Packs that are none, or are broken: nothing of it can be seen from outside, where packs are what is shipped.

use super::{Pack, ResourceType};

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
