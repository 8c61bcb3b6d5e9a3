//! Writing a pack: lean definitions, already put together in blocks, become a file. The same definitions, the same bytes.

use std::collections::BTreeMap;

use super::{IS_ABSTRACT, IS_CONSTRAINT, IS_SPECIALIZATION, KIND_SHIFT, MAGIC, ROW, number_of};
use crate::json::Value;
use crate::validate::definitions::{Derivation, ResourceType, Row};

/// Why there can be no pack of these definitions: one of them, or all together, are larger than the format can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the definitions are larger than a pack can hold")]
pub struct TooLarge;

/// The texts of an index, each once.
#[derive(Default)]
struct Pool {
    text: String,
    places: BTreeMap<String, usize>,
}

impl Pool {
    /// Where a text stands (32 bits) and how long it is (16 bits).
    fn write(&mut self, text: &str, row: &mut Vec<u8>) -> Result<(), TooLarge> {
        let place = if let Some(place) = self.places.get(text) {
            *place
        } else {
            let place = self.text.len();
            self.text.push_str(text);
            self.places.insert(text.to_owned(), place);
            place
        };
        row.extend(number(place)?);
        row.extend(u16::try_from(text.len()).map_err(|_| TooLarge)?.to_le_bytes());
        Ok(())
    }
}

fn number(value: usize) -> Result<[u8; 4], TooLarge> {
    u32::try_from(value).map(u32::to_le_bytes).map_err(|_| TooLarge)
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    // Deflate never grows a text by more than this.
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 64);
    let status = deflate.compress_vec(bytes, &mut out, flate2::FlushCompress::Finish);
    debug_assert!(matches!(status, Ok(flate2::Status::StreamEnd)));
    out
}

/// The pack of these blocks of lean definitions. What is no definition is left out.
pub(in crate::validate::definitions) fn pack(blocks: &[Vec<Value>]) -> Result<Vec<u8>, TooLarge> {
    let mut rows: [Vec<(Row<'_>, u16, usize)>; 4] = Default::default();
    let mut texts = Vec::with_capacity(blocks.len());
    for (block, definitions) in blocks.iter().enumerate() {
        let block = u16::try_from(block).map_err(|_| TooLarge)?;
        let mut text = String::new();
        for definition in definitions {
            let Some(of) = ResourceType::of(definition) else { continue };
            if let Some(rows) = rows.get_mut(of as usize) {
                rows.push((Row::of(definition), block, text.len()));
            }
            text.push_str(&definition.to_text());
            text.push('\n');
        }
        texts.push(text);
    }
    let mut parts: Vec<(usize, Vec<u8>)> = Vec::with_capacity(4 + texts.len());
    for rows in &mut rows {
        rows.sort_by(|(a, ..), (b, ..)| (a.url, a.version).cmp(&(b.url, b.version)));
        let index = index(rows)?;
        parts.push((index.len(), deflate(&index)));
    }
    parts.extend(texts.iter().map(|text| (text.len(), deflate(text.as_bytes()))));
    let mut out = MAGIC.to_vec();
    let mut offset = MAGIC.len() + 12 * parts.len() + 4;
    for (part, (length, packed)) in parts.iter().enumerate() {
        if part == rows.len() {
            out.extend(number(texts.len())?);
        }
        for value in [offset, packed.len(), *length] {
            out.extend(number(value)?);
        }
        offset += packed.len();
    }
    if texts.is_empty() {
        out.extend(number(0)?);
    }
    out.extend(parts.into_iter().flat_map(|(_, packed)| packed));
    Ok(out)
}

fn index(rows: &[(Row<'_>, u16, usize)]) -> Result<Vec<u8>, TooLarge> {
    let mut out = number(rows.len())?.to_vec();
    out.reserve(rows.len() * ROW);
    let mut pool = Pool::default();
    for (row, block, offset) in rows {
        for text in [row.url, row.version, row.name, row.type_name, row.base] {
            pool.write(text, &mut out)?;
        }
        let mut flags = number_of(row.kind) << KIND_SHIFT;
        flags |= if row.is_abstract { IS_ABSTRACT } else { 0 };
        flags |= match row.derivation {
            Some(Derivation::Constraint) => IS_CONSTRAINT,
            Some(Derivation::Specialization) => IS_SPECIALIZATION,
            None => 0,
        };
        out.push(flags);
        out.push(row.content.map_or(0, |content| content as u8));
        out.extend(block.to_le_bytes());
        out.extend(number(*offset)?);
    }
    out.extend(pool.text.into_bytes());
    Ok(out)
}
