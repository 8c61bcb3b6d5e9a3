//! Running what waits: requests, servers, questions. Ctrl-C and SIGTERM end it between two steps.
//!
//! Commands that wait for nothing never come here, so that a signal does to them what it does to any program.

use std::future::Future;

use tokio::runtime::Runtime;

use super::exit::Exit;
use super::failure::Failure;

/// The signals that end the program, heard from when this is made on.
#[derive(Debug)]
pub(crate) struct Interrupt {
    #[cfg(unix)]
    signals: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
}

/// Runs work to its end, or to a signal: then it is dropped where it waits, which it must bear.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    block_on(async {
        // Before the work begins: a signal may come with its first step.
        let interrupt = Interrupt::listen();
        tokio::select! {
            biased;
            result = Box::pin(work) => result,
            exit = interrupt.heard() => Err(Failure::new(
                exit,
                "interrupted",
                "interrupted; what was done is saved, and the same command goes on from there",
            )),
        }
    })
}

/// Runs work that hears signals itself.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = start()?;
    let result = runtime.block_on(work);
    // Not waiting: a question that nobody answered would hold the process.
    runtime.shutdown_background();
    result
}

/// Starts what requests run on, for work that waits for them here and there. A signal does to it what it does to any
/// program.
pub(crate) fn start() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| {
        Failure::new(Exit::Failed, "runtime", format!("no threads: {}", error.kind()))
    })
}

impl Interrupt {
    /// Begins to listen. Where the operating system does not let us, the signals do what they do by default.
    #[cfg(unix)]
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            signals: signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok()),
        }
    }

    /// Begins to listen.
    #[cfg(not(unix))]
    pub(crate) const fn listen() -> Self {
        Self {}
    }

    /// Waits for the first signal.
    #[cfg(unix)]
    pub(crate) async fn heard(self) -> Exit {
        let Some((mut interrupt, mut terminate)) = self.signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
        }
    }

    /// Waits for the first signal.
    #[cfg(not(unix))]
    pub(crate) async fn heard(self) -> Exit {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Exit::Interrupted
    }
}
