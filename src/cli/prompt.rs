//! Asking a person: on a terminal only. A script says `--yes`, or gets to know that it has to.

use super::exit::Exit;
use super::failure::Failure;
use super::output::{read_line, stderr};
use super::settings::{Settings, is_interactive};

/// Asks whether to go on. The default is no.
pub(crate) async fn confirm(settings: &Settings, question: &str) -> Result<(), Failure> {
    if settings.yes {
        return Ok(());
    }
    if !is_interactive() {
        let text = "this needs a person's word, and there is no terminal to ask at";
        return Err(Failure::new(Exit::Usage, "needs-confirmation", text)
            .help("give --yes if a person has checked it"));
    }
    stderr(&format!("{question} [y/N] "));
    // Apart, so that Ctrl-C is heard while nobody answers.
    let answer = tokio::task::spawn_blocking(read_line).await.ok().and_then(Result::ok);
    if matches!(answer.as_deref().map(str::trim), Some("y" | "Y" | "yes" | "Yes")) {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "not-confirmed", "not confirmed; nothing was done"))
}
