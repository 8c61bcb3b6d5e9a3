//! `ehr`: configuring, listing and testing EHRs, and linking records to their Patients.

pub(super) mod add;
pub(super) mod capabilities;
pub(super) mod link;
pub(super) mod list;
pub(super) mod test;
