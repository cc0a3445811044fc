//! What may be typed. What it means is in [`crate::commands`].

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Says which country or network has gone dark, since when, how much of it, and what could not be seen.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find outages in routing archives (MRT files of RIPE RIS, RouteViews or your own collector)
    Replay(Box<Replay>),
    /// Write a scenario's recording as MRT archives, or list the scenarios that are built in
    Scenario(Scenario),
    /// Write, replay and explain a reconstruction of North Korea's outages of December 2014
    Demo(Demo),
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal
    Text,
    /// One object, as docs/report-schema.md describes it
    Json,
    /// One incident a line
    Ndjson,
    /// One incident a line, as a table
    Csv,
}

/// `gonedark replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// MRT files (plain, .gz, .bz2, .xz, .zst) or folders of them, in any order; the folder that holds a file names
    /// its collector (rrc00/updates.20141222.1615.gz)
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// RIR delegated or delegated-extended statistics, repeatable; replaces the table built in
    #[arg(long, value_name = "FILE")]
    pub delegated: Vec<PathBuf>,
    /// Folder with downloaded country tables
    #[arg(long, value_name = "DIR", env = "GONEDARK_DATA")]
    pub data: Option<PathBuf>,
    /// Countries (ISO 3166 codes), repeatable; default: all
    #[arg(long, value_name = "CC")]
    pub country: Vec<String>,
    /// Networks (AS numbers) to report on too, repeatable
    #[arg(long, value_name = "N")]
    pub asn: Vec<String>,
    /// Begin of the window, RFC 3339 or YYYY-MM-DD, UTC; what comes before only tells what was there
    #[arg(long, value_name = "T")]
    pub from: Option<String>,
    /// End of the window
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// Isolated losses shorter than this are left out
    #[arg(long, value_name = "D", default_value = "2m")]
    pub min_duration: String,
    /// Fail (exit code 1) if anything was damaged
    #[arg(long)]
    pub strict: bool,
    /// Parts of the routing table; the results do not depend on it
    #[arg(long, value_name = "N", default_value_t = 1, hide = true)]
    pub shards: usize,
    /// Where the report goes
    #[command(flatten)]
    pub output: Output,
}

/// Where a report goes, and how.
#[derive(Debug, Default, Args)]
pub struct Output {
    /// How the report is printed
    #[arg(long, value_enum, default_value = "text")]
    pub format: Option<Format>,
    /// Write every signal as CSV, or as Parquet where built with it, by the name's ending
    #[arg(long, value_name = "FILE")]
    pub series: Option<PathBuf>,
    /// Write one self-contained HTML page, with pictures
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write the picture alone, .svg or .png
    #[arg(long, value_name = "FILE")]
    pub graph: Option<PathBuf>,
}

/// `gonedark scenario`
#[derive(Debug, Args)]
pub struct Scenario {
    /// What to do.
    #[command(subcommand)]
    pub action: ScenarioAction,
}

/// What can be done with a scenario.
#[derive(Debug, Subcommand)]
pub enum ScenarioAction {
    /// The scenarios that are built in
    List,
    /// Write a scenario's recording as MRT archives, with delegated statistics and the truth beside them
    Write {
        /// A scenario built in, or a file
        scenario: String,
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// `gonedark demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Folder to work in: the archives, report.html and graph.svg are left there
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub out: PathBuf,
    /// A scenario built in, or a file
    #[arg(default_value = "north-korea-2014")]
    pub scenario: String,
}
