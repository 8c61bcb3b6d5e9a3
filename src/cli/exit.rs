//! Exit codes: they are part of the interface, so scripts can tell a conflict from a refusal without reading text.

use std::fmt::Write;
use std::process::ExitCode;

/// How a command ended (interface.md 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, nothing wrong.
    Done = 0,
    /// An operation failed.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The input was read and has errors.
    Invalid = 3,
    /// The input can't be read.
    Unreadable = 4,
    /// Conflicts wait for a person.
    Conflicts = 5,
    /// The EHR did not accept who asked.
    Denied = 6,
    /// Some of it failed, the rest is done.
    Partial = 7,
    /// A safety rule refused.
    Refused = 8,
    /// Ctrl-C.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// All of them, with what they mean, as the help and the manual page print them.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Done, "done, nothing wrong"),
        (Self::Failed, "an operation failed: files, network, the server"),
        (Self::Usage, "the command line or the configuration is wrong"),
        (Self::Invalid, "the input was read and has errors"),
        (Self::Unreadable, "the input can't be read: not JSON, not a known document"),
        (Self::Conflicts, "conflicts, or something that is to be linked, wait for a person"),
        (Self::Denied, "the EHR did not accept who asked"),
        (Self::Partial, "some items failed, or a kind is not allowed to be sent; the rest is done"),
        (Self::Refused, "a safety rule refused"),
        (Self::Interrupted, "interrupted (Ctrl-C), state saved"),
        (Self::Terminated, "terminated (SIGTERM), state saved"),
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The table of all codes, as text.
    pub fn table() -> String {
        let mut table = "Exit codes:\n".to_owned();
        for (exit, meaning) in Self::ALL {
            let _ = writeln!(table, "  {:>3}  {meaning}", exit.code());
        }
        table
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
