//! Pages put into a file, with the tags that say what each line is.
//!
//! On each page the lines are drawn in reading order, so that whoever takes the text out of the file without its tags
//! reads it in order, too. What stands in the margins is an artifact: no part of what the document says.

use std::num::NonZeroU16;

use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, ListNumbering, Node, SpanTag, TableHeaderScope,
    Tag, TagGroup, TagKind, TagTree,
};
use krilla::text::{GlyphId, KrillaGlyph};

use super::font::{Faces, Glyph};
use super::layout::{Flow, Ink, Kind, LEFT, Placed, WIDTH, marginal};
use super::page::{HEAD, PAGE_HEIGHT, PAGE_WIDTH, Page, STEP, head_end};
use super::{Length, POINT};
use crate::document::{Document, Error};

/// The baseline of the last line at the foot of a page.
const FOOT: Length = 752 * POINT;

/// Writes the file.
///
/// # Errors
/// [`Error::Pdf`] if it does not hold to the standards, [`Error::Character`] for what can't be shown.
pub(super) fn write(
    document: &Document,
    faces: &Faces,
    flow: &Flow,
    pages: &[Page],
) -> Result<Vec<u8>, Error> {
    let standards = ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1);
    // An archive wants to know when a file was made; one without a date is accessible all the same.
    let standards = match document.date {
        Some(_) => standards.with_archival_validator(Archival::A2_A),
        None => standards,
    };
    let configuration =
        standards.finish().map_err(|_| Error::Pdf("the standards exclude each other"))?;
    let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
    let mut file = krilla::Document::new_with(settings);
    let mut drawn: Vec<Vec<Identifier>> = flow.elements.iter().map(|_| Vec::new()).collect();
    let mut headings = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(points(PAGE_WIDTH), points(PAGE_HEIGHT));
        let mut sheet = file.start_page_with(settings.ok_or(Error::Pdf("a page without size"))?);
        let mut surface = sheet.surface();
        let mut canvas = Canvas { faces, surface: &mut surface };
        canvas.ground(flow, page);
        let mut lines: Vec<(&Placed, Length, bool)> = Vec::new();
        for laid in &page.laid {
            let placed = flow.bands.get(laid.band).map(|band| band.placed.as_slice());
            for placed in placed.unwrap_or_default() {
                lines.push((placed, laid.top + placed.baseline, laid.is_repeated));
            }
        }
        // The head of a table that is shown again comes first, as an artifact; the rest in the order of the elements.
        lines.sort_by_key(|(placed, _, is_repeated)| {
            (!is_repeated, placed.element, placed.is_beside)
        });
        for (placed, baseline, is_repeated) in lines {
            if is_repeated {
                canvas.artifact(ArtifactType::PaginationOther, placed, placed.x, baseline);
                continue;
            }
            let tag = canvas.surface.start_tagged(ContentTag::Span(SpanTag::empty()));
            canvas.line(placed, placed.x, baseline);
            canvas.surface.end_tagged();
            if let Some(tags) = drawn.get_mut(placed.element) {
                if tags.is_empty() {
                    headings.push((placed.element, number, baseline - placed.size));
                }
                tags.push(tag);
            }
        }
        canvas.margins(flow, number, pages.len())?;
        surface.finish();
        sheet.finish();
    }
    file.set_outline(outline(flow, &headings));
    file.set_tag_tree(tree(flow, drawn));
    file.set_metadata(metadata(document));
    file.finish().map_err(|_| Error::Pdf("it does not hold to PDF/UA-1 and PDF/A-2a"))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "a PDF's numbers are floats; a page has few enough thousandths of a point to be exact"
)]
fn points(length: Length) -> f32 {
    length as f32 / 1000.0
}

#[expect(clippy::float_arithmetic, reason = "krilla wants widths as parts of an em")]
fn of_em(glyph: Glyph) -> f32 {
    f32::from(glyph.advance) / f32::from(glyph.units_per_em.max(1))
}

fn color(ink: Ink) -> rgb::Color {
    match ink {
        Ink::Black => rgb::Color::new(28, 28, 28),
        Ink::Navy => rgb::Color::new(23, 54, 93),
        Ink::Slate => rgb::Color::new(68, 84, 106),
    }
}

fn fill(color: rgb::Color) -> Fill {
    Fill { paint: color.into(), opacity: NormalizedF32::ONE, rule: FillRule::default() }
}

struct Canvas<'a, 'b> {
    faces: &'a Faces,
    surface: &'a mut Surface<'b>,
}

impl Canvas<'_, '_> {
    /// Shades and rules.
    fn ground(&mut self, flow: &Flow, page: &Page) {
        for laid in &page.laid {
            let Some(band) = flow.bands.get(laid.band) else { continue };
            if band.is_shaded {
                self.rectangle(laid.top, band.height, rgb::Color::new(238, 242, 247));
            }
            if band.is_ruled {
                self.rectangle(laid.top + band.height - 500, 500, rgb::Color::new(184, 196, 211));
            }
        }
    }

    fn rectangle(&mut self, top: Length, height: Length, color: rgb::Color) {
        let (x, y) = (points(LEFT), points(top));
        let Some(area) = Rect::from_xywh(x, y, points(WIDTH), points(height)) else { return };
        let mut path = PathBuilder::new();
        path.push_rect(area);
        let Some(path) = path.finish() else { return };
        let artifact = Artifact::with_kind(ArtifactType::Layout);
        self.surface.start_tagged(ContentTag::Artifact(artifact));
        self.surface.set_fill(Some(fill(color)));
        self.surface.draw_path(&path);
        self.surface.end_tagged();
    }

    fn line(&mut self, placed: &Placed, x: Length, baseline: Length) {
        self.surface.set_fill(Some(fill(color(placed.ink))));
        let mut x = x;
        for piece in &placed.line.pieces {
            let places = piece.text.char_indices().zip(&piece.glyphs);
            let glyphs: Vec<KrillaGlyph> = places
                .map(|((at, character), glyph)| {
                    let range = at..at + character.len_utf8();
                    let id = GlyphId::new(glyph.id);
                    KrillaGlyph::new(id, of_em(*glyph), 0.0, 0.0, 0.0, range, None)
                })
                .collect();
            let start = Point::from_xy(points(x), points(baseline));
            let font = self.faces.font(piece.style).clone();
            self.surface.draw_glyphs(start, &glyphs, font, &piece.text, points(placed.size), false);
            x += piece.width;
        }
    }

    fn artifact(&mut self, kind: ArtifactType, placed: &Placed, x: Length, baseline: Length) {
        self.surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(kind)));
        self.line(placed, x, baseline);
        self.surface.end_tagged();
    }

    /// The running head, the footer and the number of the page.
    fn margins(&mut self, flow: &Flow, number: usize, count: usize) -> Result<(), Error> {
        if number > 0 && !flow.running_head.is_empty() {
            let mut baseline = HEAD;
            for placed in &flow.running_head {
                self.artifact(ArtifactType::Header, placed, LEFT, baseline);
                baseline += STEP;
            }
            self.rectangle(head_end(flow) - 500, 500, rgb::Color::new(184, 196, 211));
        }
        let lines = Length::try_from(flow.footer.len()).unwrap_or_default();
        let mut baseline = FOOT - (lines - 1).max(0) * STEP;
        for placed in &flow.footer {
            self.artifact(ArtifactType::Footer, placed, LEFT, baseline);
            baseline += STEP;
        }
        for placed in marginal(self.faces, &format!("Page {} of {count}", number + 1))? {
            let x = LEFT + WIDTH - placed.line.width;
            self.artifact(ArtifactType::Footer, &placed, x, FOOT);
        }
        Ok(())
    }
}

fn kind(kind: &Kind) -> TagKind {
    let level = |level: u16| NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN);
    match kind {
        Kind::Heading(at, title) => Tag::Hn(level(*at), Some(title.clone())).into(),
        Kind::Paragraph => Tag::P.into(),
        Kind::List { is_numbered: true } => Tag::L(ListNumbering::Decimal).into(),
        Kind::List { is_numbered: false } => Tag::L(ListNumbering::Disc).into(),
        Kind::Item => Tag::LI.into(),
        Kind::Mark => Tag::Lbl.into(),
        Kind::Body => Tag::LBody.into(),
        Kind::Table => Tag::Table.into(),
        Kind::TableHead => Tag::THead.into(),
        Kind::TableBody => Tag::TBody.into(),
        Kind::Row => Tag::TR.into(),
        Kind::HeadCell => Tag::TH(TableHeaderScope::Column).into(),
        Kind::Cell => Tag::TD.into(),
    }
}

/// The structure: elements under their parents, each with the lines that were drawn for it.
fn tree(flow: &Flow, drawn: Vec<Vec<Identifier>>) -> TagTree {
    let mut children: Vec<Vec<Node>> = drawn
        .into_iter()
        .map(|identifiers| identifiers.into_iter().map(Node::from).collect())
        .collect();
    let mut roots: Vec<Node> = Vec::new();
    // A parent always stands before its children: from behind, each is whole when its own turn comes.
    for (index, element) in flow.elements.iter().enumerate().rev() {
        let nodes = children.pop().unwrap_or_default();
        if nodes.is_empty() {
            continue;
        }
        let group = TagGroup::with_children(kind(&element.kind), nodes);
        let siblings = match element.parent.filter(|parent| *parent < index) {
            Some(parent) => children.get_mut(parent),
            None => Some(&mut roots),
        };
        let Some(siblings) = siblings else { continue };
        // Its own lines stand first, then its children in order.
        let own = siblings.iter().take_while(|node| matches!(node, Node::Leaf(_))).count();
        siblings.insert(own, group.into());
    }
    let mut tree = TagTree::new();
    for node in roots {
        tree.push(node);
    }
    tree
}

/// The headings as bookmarks: sections under the title, parts under their section.
fn outline(flow: &Flow, places: &[(usize, usize, Length)]) -> Outline {
    let mut open: Vec<(u16, OutlineNode)> = Vec::new();
    let mut outline = Outline::new();
    let mut close = |open: &mut Vec<(u16, OutlineNode)>, level: u16| {
        while let Some((_, node)) = open.pop_if(|(deep, _)| *deep >= level) {
            match open.last_mut() {
                Some((_, parent)) => parent.push_child(node),
                None => outline.push_child(node),
            }
        }
    };
    for (element, page, top) in places {
        let Some(Kind::Heading(level, text)) = flow.elements.get(*element).map(|found| &found.kind)
        else {
            continue;
        };
        close(&mut open, *level);
        let place = XyzDestination::new(*page, Point::from_xy(points(LEFT), points(*top)));
        open.push((*level, OutlineNode::new(text.replace(['\n', '\r'], " "), place)));
    }
    close(&mut open, 0);
    outline
}

fn metadata(document: &Document) -> Metadata {
    let footer = document.footer.clone().unwrap_or_default();
    let mut metadata = Metadata::new()
        .title(document.title.replace(['\n', '\r'], " "))
        .language(document.language.clone().unwrap_or_else(|| "en".to_owned()))
        // Where it comes from, to be found in the bytes of the file.
        .keywords(vec![footer.clone()].into_iter().filter(|text| !text.is_empty()).collect())
        .creator("ipt-fhir".to_owned())
        .document_id(footer);
    if let Some(date) = document.date {
        let moment = date.to_zoned(jiff::tz::TimeZone::UTC);
        let small = |number: i8| u8::try_from(number).unwrap_or_default();
        let date = DateTime::new(u16::try_from(moment.year()).unwrap_or_default())
            .month(small(moment.month()))
            .day(small(moment.day()))
            .hour(small(moment.hour()))
            .minute(small(moment.minute()))
            .second(small(moment.second()))
            .utc_offset_hour(0)
            .utc_offset_minute(0);
        metadata = metadata.creation_date(date);
    }
    metadata
}
