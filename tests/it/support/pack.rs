//! A vendor pack that knows one thing: how many entries a transaction with conditional creates may have.

use ipt_fhir::vendor::Pack;

/// Such a pack; it lives as long as the tests do, as those of the program do.
pub(crate) fn limited(max_conditional_entries: usize) -> &'static Pack {
    let text = format!(
        r#"
format = 1
name = "limited"
title = "Limited"
version = "2026.11"
[sources]
seen = {{ text = "made up for a test", evidence = "memory" }}
[limits]
max_conditional_entries = {{ value = {max_conditional_entries}, source = "seen" }}
"#
    );
    Box::leak(Box::new(Pack::parse(&text).unwrap()))
}
