//! The command line `ipt-fhir`.

fn main() {}
