//! A pack: the definitions of one source as one file that is opened at once and inflated bit by bit.
//!
//! All of FHIR is 30 MB of JSON, of which one CarePlan needs a few hundred kB. So definitions stand in blocks that are
//! deflated one by one, and an index of fixed rows tells where each is; the four parts of the index (one for each
//! resource type) are deflated, too, and are read when first asked. Opening a pack reads a header of a few hundred bytes.
//!
//! ```text
//! "IPTDEFS1"
//! 4 x { offset, packed length, length }      the index of StructureDefinitions, ValueSets, CodeSystems, SearchParameters
//! count of blocks
//! count x { offset, packed length, length }  the blocks
//! ...
//! ```
//! All numbers are little endian, 32 bits, offsets from the start of the file. An index is the count of its rows, the
//! rows ([`ROW`] bytes each, sorted by URL, then version) and the pool of their texts. A block is lean definitions as
//! JSON, a line each. It refuses files that do not say what they are, and places outside of the file.

pub(super) mod write;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Content, Definition, Derivation, ResourceType, Row, lean};
use crate::json;
use crate::validate::types::TypeKind;

/// The first bytes of a pack, with the number of the format.
const MAGIC: &[u8] = b"IPTDEFS1";
/// Bytes of a row: five texts (offset of 32 bits, length of 16), flags, content, block (16 bits), offset in the block.
const ROW: usize = 38;
/// No block and no index is larger: what says that it is, is no pack.
const LARGEST: usize = 16 << 20;
/// So many inflated blocks are kept: what lies together is asked for together.
const KEPT_BLOCKS: usize = 6;

const IS_ABSTRACT: u8 = 1 << 0;
const IS_CONSTRAINT: u8 = 1 << 1;
const IS_SPECIALIZATION: u8 = 1 << 2;
const KIND_SHIFT: u8 = 4;

/// Where something deflated lies in the file.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    offset: usize,
    packed: usize,
    length: usize,
}

/// An opened pack.
#[derive(Debug)]
pub(super) struct Pack {
    bytes: &'static [u8],
    index: [Extent; 4],
    blocks: Vec<Extent>,
    sections: [OnceLock<Section>; 4],
    inflated: Mutex<Vec<(u16, Arc<Vec<u8>>)>>,
}

/// The index of one resource type, inflated.
#[derive(Debug, Default)]
struct Section {
    rows: Vec<u8>,
    pool: String,
    loaded: Box<[OnceLock<Option<Arc<Definition>>>]>,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(two.try_into().ok()?))
}

impl Extent {
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let extent = Self {
            offset: u32_at(bytes, at)?,
            packed: u32_at(bytes, at + 4)?,
            length: u32_at(bytes, at + 8)?,
        };
        let end = extent.offset.checked_add(extent.packed)?;
        (end <= bytes.len() && extent.length <= LARGEST).then_some(extent)
    }

    fn inflate(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let packed = bytes.get(self.offset..self.offset.checked_add(self.packed)?)?;
        let mut out = Vec::with_capacity(self.length);
        let mut inflate = flate2::Decompress::new(false);
        let status =
            inflate.decompress_vec(packed, &mut out, flate2::FlushDecompress::Finish).ok()?;
        (status == flate2::Status::StreamEnd && out.len() == self.length).then_some(out)
    }
}

impl Pack {
    /// Opens a pack: reads where its parts are, and none of them.
    pub(super) fn open(bytes: &'static [u8]) -> Option<Self> {
        if !bytes.starts_with(MAGIC) {
            return None;
        }
        let start = MAGIC.len();
        let mut index = [Extent::default(); 4];
        for (number, extent) in index.iter_mut().enumerate() {
            *extent = Extent::at(bytes, start + 12 * number)?;
        }
        let count = u32_at(bytes, start + 48)?;
        let first = start + 52;
        if count > (bytes.len() - first) / 12 || count > usize::from(u16::MAX) {
            return None;
        }
        let blocks = (0..count).map(|number| Extent::at(bytes, first + 12 * number));
        Some(Self {
            bytes,
            index,
            blocks: blocks.collect::<Option<_>>()?,
            sections: Default::default(),
            inflated: Mutex::default(),
        })
    }

    /// A pack without anything, for one that can't be opened.
    pub(super) fn empty() -> Self {
        Self {
            bytes: &[],
            index: [Extent::default(); 4],
            blocks: Vec::new(),
            sections: Default::default(),
            inflated: Mutex::default(),
        }
    }

    fn section(&self, of: ResourceType) -> Option<&Section> {
        let number = of as usize;
        let (cell, extent) = (self.sections.get(number)?, self.index.get(number)?);
        Some(
            cell.get_or_init(|| {
                extent.inflate(self.bytes).and_then(Section::read).unwrap_or_default()
            }),
        )
    }

    /// How many definitions of a resource type there are.
    pub(super) fn len(&self, of: ResourceType) -> usize {
        self.section(of).map_or(0, |section| section.loaded.len())
    }

    /// A row of the index by its number.
    pub(super) fn row(&self, of: ResourceType, number: usize) -> Option<Row<'_>> {
        self.section(of)?.row(number)
    }

    /// The number of the definition with this URL: of this version, or of the highest.
    pub(super) fn find(&self, of: ResourceType, url: &str, version: Option<&str>) -> Option<usize> {
        self.section(of)?.find(url, version)
    }

    /// A definition by its number.
    pub(super) fn load(&self, of: ResourceType, number: usize) -> Option<Arc<Definition>> {
        let section = self.section(of)?;
        let cell = section.loaded.get(number)?;
        cell.get_or_init(|| self.read(of, section, number)).clone()
    }

    fn read(&self, of: ResourceType, section: &Section, number: usize) -> Option<Arc<Definition>> {
        let row = section.row_bytes(number)?;
        let (block, offset) = (u16_at(row, 32)?, u32_at(row, 34)?);
        let block = self.block(block)?;
        let rest = block.get(offset..)?;
        let line = rest.get(..memchr::memchr(b'\n', rest)?)?;
        let value = json::parse_with(line, lean::LIMITS).ok()?;
        Some(Arc::new(Definition::new(of, value)))
    }

    fn block(&self, number: u16) -> Option<Arc<Vec<u8>>> {
        // A thread that panicked here has left whole blocks behind, or none.
        let mut kept = self.inflated.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|(kept, _)| *kept == number) {
            let found = kept.remove(at);
            let block = Arc::clone(&found.1);
            kept.push(found);
            return Some(block);
        }
        let block = Arc::new(self.blocks.get(usize::from(number))?.inflate(self.bytes)?);
        if kept.len() >= KEPT_BLOCKS {
            kept.remove(0);
        }
        kept.push((number, Arc::clone(&block)));
        Some(block)
    }
}

impl Section {
    fn read(mut bytes: Vec<u8>) -> Option<Self> {
        let count = u32_at(&bytes, 0)?;
        let pool_at = count.checked_mul(ROW)?.checked_add(4)?;
        if pool_at > bytes.len() {
            return None;
        }
        let pool = String::from_utf8(bytes.split_off(pool_at)).ok()?;
        let loaded = std::iter::repeat_with(OnceLock::new).take(count).collect();
        Some(Self { rows: bytes, pool, loaded })
    }

    fn row_bytes(&self, number: usize) -> Option<&[u8]> {
        let at = number.checked_mul(ROW)?.checked_add(4)?;
        self.rows.get(at..at.checked_add(ROW)?)
    }

    fn text(&self, row: &[u8], at: usize) -> Option<&str> {
        let (offset, length) = (u32_at(row, at)?, usize::from(u16_at(row, at + 4)?));
        self.pool.get(offset..offset.checked_add(length)?)
    }

    fn url_and_version(&self, number: usize) -> Option<(&str, &str)> {
        let row = self.row_bytes(number)?;
        Some((self.text(row, 0)?, self.text(row, 6)?))
    }

    fn row(&self, number: usize) -> Option<Row<'_>> {
        let row = self.row_bytes(number)?;
        let (flags, content) = (*row.get(30)?, *row.get(31)?);
        let derivation = if flags & IS_CONSTRAINT > 0 {
            Some(Derivation::Constraint)
        } else {
            (flags & IS_SPECIALIZATION > 0).then_some(Derivation::Specialization)
        };
        Some(Row {
            url: self.text(row, 0)?,
            version: self.text(row, 6)?,
            name: self.text(row, 12)?,
            type_name: self.text(row, 18)?,
            base: self.text(row, 24)?,
            kind: kind_of(flags >> KIND_SHIFT),
            is_abstract: flags & IS_ABSTRACT > 0,
            derivation,
            content: Content::of_number(content),
        })
    }

    fn find(&self, url: &str, version: Option<&str>) -> Option<usize> {
        // The place after the last row of this URL.
        let (mut low, mut high) = (0, self.loaded.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.url_and_version(middle)?.0 <= url {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut number = low.checked_sub(1)?;
        loop {
            let (its_url, its_version) = self.url_and_version(number)?;
            if its_url != url {
                return None;
            }
            if version.is_none_or(|version| version == its_version) {
                return Some(number);
            }
            number = number.checked_sub(1)?;
        }
    }
}

fn kind_of(number: u8) -> Option<TypeKind> {
    Some(match number {
        1 => TypeKind::Primitive,
        2 => TypeKind::Complex,
        3 => TypeKind::Resource,
        4 => TypeKind::Logical,
        _ => return None,
    })
}

fn number_of(kind: Option<TypeKind>) -> u8 {
    match kind {
        None => 0,
        Some(TypeKind::Primitive) => 1,
        Some(TypeKind::Complex) => 2,
        Some(TypeKind::Resource) => 3,
        Some(TypeKind::Logical) => 4,
    }
}
