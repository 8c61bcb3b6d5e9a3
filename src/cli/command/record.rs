//! `record`: checking, showing and beginning records.

pub(super) mod check;
pub(super) mod new;
pub(super) mod show;
