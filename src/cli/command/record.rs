//! `record`: checking, showing, rendering and beginning records.

pub(super) mod check;
pub(super) mod new;
pub(super) mod render;
pub(super) mod show;
