//! How an EHR wants its notes: the facts of its pack as a [`Shape`] of the mapping.
//!
//! Where a pack says nothing, it is US Core 9 "Writing Clinical Notes". Of the media types that a pack names, those that
//! we can write are tried in its order; the next one is for a note that the one before can't hold.

use crate::mapping::note::{DocStatus, MediaType, Shape};
use crate::vendor::{Pack, Supersede};

/// The shapes in which a note is taken, the one to use first.
pub(super) fn shapes(pack: Option<&Pack>) -> Vec<Shape> {
    let usual = Shape::default();
    let Some(pack) = pack else { return with_media_types(&usual, None) };
    let document = &pack.document;
    let supersede = document.supersede.as_ref().map_or(Supersede::RelatesTo, |told| told.value);
    let first = |told: Option<&Vec<String>>, usual: &str| {
        told.and_then(|types| types.first()).map_or_else(|| usual.to_owned(), Clone::clone)
    };
    let statuses = document.doc_status.as_ref().map(|told| told.value.as_slice());
    let status = statuses.and_then(|statuses| statuses.iter().find_map(|code| status(code)));
    let session_type = document.session_types.as_ref().map(|told| &told.value);
    let characters = pack.limits.text.iter().find(|limit| limit.element == TEXT);
    let shape = Shape {
        doc_status: status.or(usual.doc_status),
        identifier: document.identifier.as_ref().is_none_or(|told| told.value),
        relates_to: document
            .relates_to
            .as_ref()
            .map_or(supersede == Supersede::RelatesTo, |told| told.value),
        period_end: document.period_end.as_ref().is_some_and(|told| told.value),
        plan_type: first(document.plan_types.as_ref().map(|told| &told.value), &usual.plan_type),
        session_type: first(session_type, &usual.session_type),
        characters: characters.map(|limit| limit.characters),
        bytes: document.bytes.as_ref().map(|told| told.value),
        announces_predecessor: supersede != Supersede::RelatesTo,
        ..usual
    };
    with_media_types(&shape, document.mime_types.as_ref().map(|told| told.value.as_slice()))
}

/// The element of a note's text, as packs name it.
const TEXT: &str = "DocumentReference.content.attachment";

/// One shape for each media type that is taken and that we write.
fn with_media_types(shape: &Shape, taken: Option<&[String]>) -> Vec<Shape> {
    let media_type = |name: &String| match name.as_str() {
        "text/plain" => Some(MediaType::Text),
        "text/html" => Some(MediaType::Html),
        "application/pdf" => Some(MediaType::Pdf),
        _ => None,
    };
    let media_types = match taken {
        Some(names) => names.iter().filter_map(media_type).collect(),
        None => vec![MediaType::Text, MediaType::Pdf],
    };
    media_types.into_iter().map(|media_type| Shape { media_type, ..shape.clone() }).collect()
}

fn status(code: &str) -> Option<DocStatus> {
    [DocStatus::Preliminary, DocStatus::Final].into_iter().find(|known| known.code() == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Vec<Shape> {
        shapes(Some(Pack::named(name).unwrap()))
    }

    #[test]
    fn a_pack_bends_the_note_to_its_vendor() {
        let [epic] = &of("epic")[..] else { panic!("one media type") };
        assert_eq!(
            (epic.media_type, epic.doc_status),
            (MediaType::Text, Some(DocStatus::Preliminary))
        );
        assert!(!epic.relates_to && epic.announces_predecessor);
        let oracle = of("oracle-health");
        assert_eq!(oracle[0].media_type, MediaType::Pdf);
        assert!(oracle[0].period_end && !oracle[0].identifier && !oracle[0].relates_to);
        let healthlake = of("healthlake");
        assert_eq!(healthlake[0].characters, Some(10_000));
        assert_eq!(healthlake[1].media_type, MediaType::Pdf, "for what is longer");
        assert_eq!(shapes(None)[0], Shape::default());
    }
}
