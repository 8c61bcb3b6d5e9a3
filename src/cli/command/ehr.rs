//! `ehr`: configuring, listing and testing EHRs, what gets into them, the keys for them, and linking records to their Patients.

pub(super) mod add;
pub(super) mod candidates;
pub(super) mod capabilities;
pub(super) mod keys;
pub(super) mod ladder;
pub(super) mod link;
mod linked;
pub(super) mod list;
mod placing;
pub(super) mod reference;
pub(super) mod test;
