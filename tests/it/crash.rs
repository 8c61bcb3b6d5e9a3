//! The program killed while it writes, and courses by the hundred: what an EHR holds in the end, read by nobody's
//! code but the test's.
//!
//! Each run is a process of its own against a server over real HTTP, and ends by SIGKILL, which no code of ours can
//! soften. `eyes` reads the server and the store's file afterwards, without client, sync or store of the library.
//!
//! `IPT_FHIR_TEST_HAPI` and `IPT_FHIR_TEST_HAPI_VALIDATING` name HAPI servers (R4), the second one with
//! `validate=true`; without them the sandbox alone is used. `IPT_FHIR_TEST_SEED` repeats the moments of a run.

pub(crate) mod archive;
mod chance;
pub(crate) mod eyes;
mod kill;
mod many;
mod practice;
mod restored;
mod two;

/// The HAPI servers there are, and what they are.
fn hapis() -> Vec<(&'static str, String)> {
    let mut there = Vec::new();
    for (name, variable) in
        [("HAPI", "IPT_FHIR_TEST_HAPI"), ("HAPI that validates", "IPT_FHIR_TEST_HAPI_VALIDATING")]
    {
        match environment(variable) {
            Some(base) => there.push((name, base)),
            None => tell(&format!("left out: {name} ({variable} is not set)")),
        }
    }
    there
}

/// Says how a test goes; cargo shows it when the test fails.
#[expect(clippy::print_stdout, reason = "the seed and the moment of a failure must be known")]
pub(crate) fn tell(text: &str) {
    println!("{text}");
}

#[expect(clippy::disallowed_methods, reason = "where a test's peer is, only the environment knows")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Runs cases side by side, a few at a time: the length of a run is mostly waiting.
pub(crate) async fn side_by_side(cases: Vec<impl Future<Output = ()> + Send + 'static>) {
    let mut left = cases.into_iter();
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.len() < 4
            && let Some(case) = left.next()
        {
            running.spawn(case);
        }
        match running.join_next().await {
            Some(done) => done.unwrap(),
            None => return,
        }
    }
}
