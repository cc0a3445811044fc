//! Parses, runs, exits.

use clap::Parser;
use gonedark::cli::Cli;
use gonedark::commands;
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(Cli::parse())
}
