//! The program as a person or a script runs it: its output, its exit codes, its files.

mod capabilities;
mod definitions;
mod ehr;
mod ehr_test;
mod explain;
mod flags;
mod hand_offs;
mod keys;
mod ladder;
mod map;
mod output;
mod program;
mod readme;
mod record;
mod reference;
mod render;
mod report_look;
mod sandbox;
mod sync;
mod terminology;
mod validate;
mod wrong_patient;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ipt_fhir::json::{self, Value};

/// The program in a home and a working directory of a test's own, without any other environment.
pub(crate) struct Home {
    directory: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of the program came to.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, open to its owner only.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn command<I: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ipt-fhir"));
        command.args(arguments).current_dir(self.directory.path()).env_clear();
        command.env("HOME", self.path("home")).env("PATH", "/usr/bin:/bin");
        command.envs(self.variables.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// Runs a command line: words apart by spaces, `@name` for a file of the fixtures.
    pub(crate) fn run(&self, line: &str) -> Run {
        Run::of(&self.command(words(line)).output().unwrap())
    }

    /// The same, killed after so many seconds of a processor.
    pub(crate) fn run_within(&self, seconds: u32, line: &str) -> Run {
        let program = self.command(words(line));
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(format!("ulimit -t {seconds} && exec \"$0\" \"$@\""));
        command.arg(program.get_program()).args(program.get_args());
        command.current_dir(self.directory.path()).env_clear().stdin(Stdio::null());
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Run::of(&command.output().unwrap())
    }

    /// The same with something to read from stdin.
    pub(crate) fn feed(&self, line: &str, input: impl AsRef<[u8]>) -> Run {
        let mut command = self.command(words(line));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that has read enough closes its end.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        Run::of(&child.wait_with_output().unwrap())
    }
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// The same run, which must have ended with a code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("internal error"));
        self
    }

    /// The envelope on stdout.
    pub(crate) fn envelope(&self) -> Value {
        let value = json::parse_with(self.stdout.as_bytes(), json::Limits::BUNDLE).unwrap();
        assert_eq!(value.text("schema"), Some("ipt-fhir/1"));
        value
    }

    /// The codes of the envelope's errors.
    pub(crate) fn codes(&self) -> Vec<String> {
        let envelope = self.envelope();
        envelope.items("errors").map(|error| error.text("code").unwrap().to_owned()).collect()
    }
}

pub(crate) fn words(line: &str) -> Vec<String> {
    line.split_whitespace()
        .map(|word| match word.strip_prefix('@') {
            Some(name) => fixture_path(name).display().to_string(),
            None => word.to_owned(),
        })
        .collect()
}

fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}
