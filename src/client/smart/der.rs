//! As much DER as it takes to find the numbers in an RSA key (X.690; RFC 5208, RFC 8017 A.1.2).
//!
//! aws-lc-rs writes PKCS#8 only, jsonwebtoken reads PKCS#1 only, and a JWK holds the bare numbers: this goes between
//! them. It reads what aws-lc-rs has accepted and written itself, so it checks form, not meaning.

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// The PKCS#1 key inside a PKCS#8 one.
pub(super) fn pkcs1(pkcs8: &[u8]) -> Option<&[u8]> {
    let (mut inside, _) = element(SEQUENCE, pkcs8)?;
    let (_, rest) = element(INTEGER, inside)?;
    inside = rest;
    let (_, rest) = element(SEQUENCE, inside)?;
    element(OCTET_STRING, rest).map(|(key, _)| key)
}

/// The numbers of a PKCS#1 key of two primes, without leading zeros: n, e, d, p, q, dp, dq, qi.
pub(super) fn numbers(pkcs1: &[u8]) -> Option<[&[u8]; 8]> {
    let (inside, _) = element(SEQUENCE, pkcs1)?;
    let (_, mut rest) = element(INTEGER, inside)?;
    let mut numbers: [&[u8]; 8] = [&[]; 8];
    for number in &mut numbers {
        let (bytes, after) = element(INTEGER, rest)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        *number = bytes.get(zeros..)?;
        rest = after;
    }
    rest.is_empty().then_some(numbers)
}

/// The content of the first element, which must have this tag, and what follows it.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    if *found != tag {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_taken_whole_or_not_at_all() {
        assert_eq!(element(INTEGER, &[2, 1, 7, 9]), Some((&[7][..], &[9][..])));
        assert_eq!(element(INTEGER, &[2, 0x81, 1, 7]), Some((&[7][..], &[][..])));
        for broken in [&[][..], &[2], &[2, 2, 7], &[3, 1, 7], &[2, 0x80], &[2, 0x84, 0, 0, 0, 1, 7]]
        {
            assert_eq!(element(INTEGER, broken), None, "{broken:?}");
        }
    }

    #[test]
    fn the_numbers_are_those_of_the_key() {
        // A key of toy numbers: version 0, then 1 to 8, the third with a leading zero.
        let mut body = vec![2, 1, 0];
        for number in 1..=8 {
            match number {
                3 => body.extend([2, 2, 0, 0x83]),
                _ => body.extend([2, 1, number]),
            }
        }
        let mut key = vec![0x30, u8::try_from(body.len()).unwrap()];
        key.extend(&body);
        let found = numbers(&key).unwrap();
        assert_eq!(found.map(<[u8]>::to_vec), [1, 2, 0x83, 4, 5, 6, 7, 8].map(|byte| vec![byte]));
        let mut outer = vec![2, 1, 0, 0x30, 2, 5, 0, 4, u8::try_from(key.len()).unwrap()];
        outer.extend(&key);
        let mut wrapped = vec![0x30, u8::try_from(outer.len()).unwrap()];
        wrapped.extend(outer);
        assert_eq!(pkcs1(&wrapped), Some(key.as_slice()));
        assert_eq!(pkcs1(&key), None);
        assert_eq!(numbers(&wrapped), None);
        key.push(0);
        assert!(numbers(&key).is_some(), "what follows the key is not part of it");
    }
}
