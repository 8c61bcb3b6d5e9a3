//! `record new --variant V`: a record to be filled in.

use uuid::Uuid;

use super::super::super::output::{Done, Output};
use crate::ipt::{Variant, document, template};

pub(crate) fn run(variant: Variant, output: &Output) -> Done {
    let record = document::plan_value(&template::draft(variant, &Uuid::new_v4().to_string()));
    output.note("fill in the empty texts; `ipt-fhir record check FILE` lists what is missing");
    Done::new(record.to_pretty(), record)
}
