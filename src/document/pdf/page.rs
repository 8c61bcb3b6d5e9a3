//! A flow of bands on pages.

use super::layout::{Band, Flow};
use super::{Length, POINT};

/// US Letter: 8.5 by 11 inches.
pub(super) const PAGE_WIDTH: Length = 612 * POINT;
/// US Letter.
pub(super) const PAGE_HEIGHT: Length = 792 * POINT;
/// Where the first page's text begins.
const TOP: Length = 56 * POINT;
/// Where the text of each page ends.
const BOTTOM: Length = 718 * POINT;
/// The baseline of the first line of the running head.
pub(super) const HEAD: Length = 46 * POINT;
/// From a line of the running head or footer to the next.
pub(super) const STEP: Length = 10_500;

/// A band on a page.
pub(super) struct Laid {
    /// Its place among the flow's bands.
    pub(super) band: usize,
    /// Its upper edge.
    pub(super) top: Length,
    /// Whether it repeats the head of a table that began on an earlier page.
    pub(super) is_repeated: bool,
}

/// A page: its bands from top to bottom.
#[derive(Default)]
pub(super) struct Page {
    pub(super) laid: Vec<Laid>,
}

/// Where the running head ends: the edge of its rule.
pub(super) fn head_end(flow: &Flow) -> Length {
    let lines = Length::try_from(flow.running_head.len()).unwrap_or_default();
    HEAD + (lines - 1).max(0) * STEP + 5 * POINT
}

/// Breaks a flow into pages. What is to stay together stays together wherever a page has room for it; what is higher
/// than a page is broken all the same.
pub(super) fn paginate(flow: &Flow) -> Vec<Page> {
    let later_top = if flow.running_head.is_empty() { TOP } else { head_end(flow) + 12 * POINT };
    // A running head that leaves no room would never end: it has at most half the page.
    let mut paper = Paper {
        flow,
        later_top: later_top.min(PAGE_HEIGHT / 2),
        pages: vec![Page::default()],
        at: TOP,
    };
    let mut start = 0;
    while start < flow.bands.len() {
        let rest = flow.bands.get(start..).unwrap_or_default();
        let length = rest.iter().position(|band| !band.keeps_next).map_or(rest.len(), |at| at + 1);
        paper.chunk(start, rest.get(..length).unwrap_or_default());
        start += length;
    }
    paper.pages
}

struct Paper<'a> {
    flow: &'a Flow,
    later_top: Length,
    pages: Vec<Page>,
    at: Length,
}

impl Paper<'_> {
    fn is_at_top(&self) -> bool {
        self.pages.last().is_none_or(|page| page.laid.is_empty())
    }

    /// Adds bands that are to stay together.
    fn chunk(&mut self, start: usize, bands: &[Band]) {
        let height: Length = bands.iter().map(|band| band.gap + band.height).sum();
        let whole = BOTTOM - self.later_top;
        if !self.is_at_top() && self.at + height > BOTTOM && height <= whole {
            self.turn(bands.first());
        }
        for (index, band) in bands.iter().enumerate() {
            let gap = if self.is_at_top() { 0 } else { band.gap };
            if !self.is_at_top() && self.at + gap + band.height > BOTTOM {
                self.turn(Some(band));
            }
            let gap = if self.is_at_top() { 0 } else { band.gap };
            self.lay(start + index, gap, band.height, false);
        }
    }

    /// Begins a page; where it begins within a table, with the table's head again.
    fn turn(&mut self, next: Option<&Band>) {
        self.pages.push(Page::default());
        self.at = self.later_top;
        let table = next.filter(|band| !band.is_shaded).and_then(|band| band.table);
        let Some(head) = table.and_then(|table| self.flow.heads.get(table)) else { return };
        let heights: Vec<(usize, Length)> = head
            .clone()
            .filter_map(|index| self.flow.bands.get(index).map(|band| (index, band.height)))
            .collect();
        // A head as high as half a page is not worth its room.
        if heights.iter().map(|(_, height)| height).sum::<Length>() < PAGE_HEIGHT / 4 {
            for (index, height) in heights {
                self.lay(index, 0, height, true);
            }
        }
    }

    fn lay(&mut self, band: usize, gap: Length, height: Length, is_repeated: bool) {
        let top = self.at + gap;
        if let Some(page) = self.pages.last_mut() {
            page.laid.push(Laid { band, top, is_repeated });
        }
        self.at = top + height;
    }
}
