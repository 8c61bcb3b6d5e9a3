//! `version`: what this program is and what it knows.

use super::super::output::Done;
use crate::fhir::Release;
use crate::json::Value;
use crate::object;

pub(crate) fn run() -> Done {
    let version = env!("CARGO_PKG_VERSION");
    let release = Release::default();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let human = format!(
        "ipt-fhir {version}\nrecord format: ipt-plan 1.0\nFHIR: {release} ({})\nbuild: {build}, {target}\n",
        release.fhir_version(),
    );
    let result = object! {
        "version" => version,
        "record" => "ipt-plan 1.0",
        "fhir" => release.fhir_version(),
        "build" => build,
        "target" => target,
    };
    Done::new(human, Value::Object(result))
}
