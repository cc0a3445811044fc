//! What each command does. One file a command; each is given what was typed and a place to write to.

mod data;
mod demo;
mod export;
mod fetch;
mod flows;
pub mod meaning;
mod output;
pub mod replay;
mod scenario;
mod status;
mod telescope;
mod watch;

use crate::cli::{Cli, Command};
use std::io::{self, Write};
use std::process::ExitCode;

/// What went wrong, by whose fault it is: that decides the exit code.
#[derive(Debug)]
pub enum Failure {
    /// Something could not be read or written, or was damaged under `--strict`: exit code 1.
    Input(anyhow::Error),
    /// What was typed has no meaning: exit code 2.
    Usage(String),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Input(error)
    }
}

/// Runs a command and gives the exit code that scripts may rely on: 0 done, 1 nothing could be read, 2 wrong usage.
pub fn run(cli: Cli) -> ExitCode {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let result = match cli.command {
        Command::Replay(arguments) => replay::run(&arguments, &mut out),
        Command::Flows(arguments) => flows::run(&arguments, &mut out),
        Command::Telescope(arguments) => telescope::run(&arguments, &mut out),
        Command::Fetch(arguments) => fetch::run(&arguments, &mut out),
        Command::Data(arguments) => data::run(&arguments, &mut out),
        Command::Scenario(arguments) => scenario::run(&arguments, &mut out),
        Command::Watch(arguments) => watch::run(&arguments, &mut out),
        Command::Status(arguments) => status::run(&arguments, &mut out),
        Command::Export(arguments) => export::run(&arguments, &mut out),
        Command::Import(arguments) => export::import(&arguments, &mut out),
        Command::Demo(arguments) => demo::run(&arguments, &mut out),
    };
    let result = result.and_then(|()| out.flush().map_err(|error| Failure::Input(error.into())));
    let (code, text) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Input(error)) if is_closed_pipe(&error) => return ExitCode::SUCCESS,
        Err(Failure::Input(error)) => (1, format!("{error:#}")),
        Err(Failure::Usage(text)) => (2, text),
    };
    // Where standard error is gone too, there is nobody left to tell.
    let _ = writeln!(io::stderr(), "gonedark: {text}");
    ExitCode::from(code)
}

/// Who reads the output has seen enough (`gonedark ... | head`): no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.into_iter().any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
