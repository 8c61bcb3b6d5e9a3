//! SHA-1 (FIPS 180-4), which `Attachment.hash` is defined as.
//!
//! It guards nothing here: it only tells whether data and stated hash belong together. So forty lines beside the core
//! are better than one more crate in it.

/// A SHA-1 in the making.
pub(super) struct Sha1 {
    state: [u32; 5],
    block: [u8; 64],
    /// How many bytes were taken.
    length: u64,
}

impl Sha1 {
    pub(super) const fn new() -> Self {
        let state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        Self { state, block: [0; 64], length: 0 }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte);
        }
    }

    fn push(&mut self, byte: u8) {
        let at = usize::try_from(self.length % 64).unwrap_or(0);
        if let Some(place) = self.block.get_mut(at) {
            *place = byte;
        }
        self.length += 1;
        if at == 63 {
            self.compress();
        }
    }

    pub(super) fn finish(mut self) -> [u8; 20] {
        let bits = self.length * 8;
        self.push(0x80);
        while self.length % 64 != 56 {
            self.push(0);
        }
        self.update(&bits.to_be_bytes());
        let mut digest = [0; 20];
        for (place, word) in digest.chunks_exact_mut(4).zip(self.state) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }

    #[expect(clippy::many_single_char_names, reason = "they are the standard's names")]
    fn compress(&mut self) {
        let mut words = [0_u32; 80];
        for (word, bytes) in words.iter_mut().zip(self.block.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        for at in 16..80 {
            let word = |back: usize| words.get(at - back).copied().unwrap_or(0);
            let next = (word(3) ^ word(8) ^ word(14) ^ word(16)).rotate_left(1);
            if let Some(place) = words.get_mut(at) {
                *place = next;
            }
        }
        let [mut a, mut b, mut c, mut d, mut e] = self.state;
        for (round, word) in words.into_iter().enumerate() {
            let (mix, constant) = match round {
                0..20 => ((b & c) | (!b & d), 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mix)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, word) in self.state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(word);
        }
    }
}
