//! The command line `ipt-fhir`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ipt_fhir::telemetry::quiet_panics();
    ipt_fhir::cli::run()
}
