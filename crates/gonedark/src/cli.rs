//! What may be typed. What it means is in [`crate::commands`].

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What scripts may rely on, at the end of every command's help.
const EXIT_CODES: &str = "Exit codes:
  0  done, whatever was found
  1  nothing could be read or written; under --strict, anything was damaged
  2  wrong usage";

/// Says which country or network has gone dark, since when, how much of it, and what could not be seen.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find outages in routing archives (MRT files of RIPE RIS, RouteViews or your own collector)
    #[command(after_help = EXIT_CODES)]
    Replay(Box<Replay>),
    /// Find denial of service in what routers told of traffic (NetFlow, IPFIX, sFlow), or in captured packets
    #[command(after_help = EXIT_CODES)]
    Flows(Flows),
    /// Find denial of service elsewhere in what arrives at unused addresses (backscatter)
    #[command(after_help = EXIT_CODES)]
    Telescope(Telescope),
    /// Download what a replay needs from the public archives of RIPE RIS and RouteViews
    #[command(after_help = EXIT_CODES)]
    Fetch(Fetch),
    /// The tables that say which network belongs to which country
    #[command(after_help = EXIT_CODES)]
    Data(Data),
    /// Write a scenario's recording as MRT archives, or list the scenarios that are built in
    #[command(after_help = EXIT_CODES)]
    Scenario(Scenario),
    /// Watch live sources, and keep what happened
    #[command(after_help = EXIT_CODES)]
    Watch(Watch),
    /// Say what a running or stopped watch sees, does not see, and has found
    #[command(after_help = EXIT_CODES)]
    Status(Status),
    /// Write what a store holds as CSV, NDJSON or Parquet, also while it is being written
    #[command(after_help = EXIT_CODES)]
    Export(Export),
    /// Put reports of `replay --format json` into a store; twice is the same as once
    #[command(after_help = EXIT_CODES)]
    Import(Import),
    /// Write, replay and explain a reconstruction of North Korea's outages of December 2014
    #[command(after_help = EXIT_CODES)]
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
#[command(group(ArgGroup::new("what").args(["paths", "collector"]).required(true).multiple(true)))]
pub struct Replay {
    /// MRT files (plain, .gz, .bz2, .xz, .zst) or folders of them, in any order; the folder that holds a file names
    /// its collector (rrc00/updates.20141222.1615.gz)
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Fetch what is missing of these collectors first (rrc00, route-views2, ... or all); needs --from and --until
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "from", requires = "until")]
    pub collector: Vec<String>,
    /// Where archives are fetched from and to
    #[command(flatten)]
    pub archive: Archive,
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
    /// Prefixes to report on too, each with all networks within it, repeatable
    #[arg(long, value_name = "P")]
    pub prefix: Vec<String>,
    /// What exporters sent of traffic, as `gonedark flows` reads it: attacks are told beside the outages, repeatable
    #[arg(long, value_name = "FILE")]
    pub flows: Vec<PathBuf>,
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

/// Where archives are fetched from and to.
#[derive(Debug, Args)]
pub struct Archive {
    /// Folder that fetched files come to, one folder a collector below it
    #[arg(long, value_name = "DIR", default_value = "archive", env = "GONEDARK_ARCHIVE")]
    pub archive: PathBuf,
    /// Where RIPE RIS publishes, or a mirror of it
    #[arg(long, value_name = "URL", env = "GONEDARK_RIS_ROOT")]
    pub ris_root: Option<String>,
    /// Where RouteViews publishes, or a mirror of it
    #[arg(long, value_name = "URL", env = "GONEDARK_ROUTEVIEWS_ROOT")]
    pub routeviews_root: Option<String>,
    /// Connections at one host at a time
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub connections: u8,
}

/// How attacks are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TrafficFormat {
    /// For people at a terminal
    Text,
    /// One object, as docs/traffic-schema.md describes it
    Json,
    /// One attack a line
    Ndjson,
}

/// `gonedark flows`
#[derive(Debug, Args)]
pub struct Flows {
    /// Captures (pcap, pcapng) of what exporters sent, or their bare datagrams; plain, .gz, .bz2, .xz, .zst
    #[arg(value_name = "FILE", required = true)]
    pub paths: Vec<PathBuf>,
    /// The captured packets are the traffic itself, as a mirror port shows it
    #[arg(long)]
    pub packets: bool,
    /// Only traffic to these countries (ISO 3166 codes), repeatable; default: all traffic
    #[arg(long, value_name = "CC")]
    pub country: Vec<String>,
    /// Only traffic to these prefixes, each counted as a whole too, repeatable
    #[arg(long, value_name = "P")]
    pub prefix: Vec<String>,
    /// One packet in so many was counted, whatever the exporters say
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sampling: Option<u32>,
    /// One packet in so many was counted where an exporter does not say
    #[arg(long, value_name = "N", conflicts_with = "sampling", value_parser = clap::value_parser!(u32).range(1..))]
    pub sampling_otherwise: Option<u32>,
    /// RIR delegated or delegated-extended statistics, repeatable; replaces the table built in
    #[arg(long, value_name = "FILE")]
    pub delegated: Vec<PathBuf>,
    /// Folder with downloaded country tables
    #[arg(long, value_name = "DIR", env = "GONEDARK_DATA")]
    pub data: Option<PathBuf>,
    /// How the report is printed
    #[arg(long, value_enum, default_value = "text")]
    pub format: TrafficFormat,
}

/// `gonedark telescope`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("size").args(["prefix", "addresses"]).required(true).multiple(true)))]
pub struct Telescope {
    /// Captures (pcap, pcapng) of what arrived; plain, .gz, .bz2, .xz, .zst; - for standard input, of which --format ndjson tells
    /// each attack as it becomes one and when it is over
    #[arg(value_name = "FILE", required = true)]
    pub paths: Vec<PathBuf>,
    /// Networks of the telescope, repeatable: only what is sent to them counts
    #[arg(long, value_name = "P")]
    pub prefix: Vec<String>,
    /// IPv4 addresses of the telescope, where they are not those of --prefix
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    pub addresses: Option<u64>,
    /// An attack has at least so many packets (default: 25)
    #[arg(long, value_name = "N")]
    pub least_packets: Option<u64>,
    /// An attack lasts at least so long (default: 60s)
    #[arg(long, value_name = "D")]
    pub least_duration: Option<String>,
    /// An attack has at least so many packets within some window (default: 30)
    #[arg(long, value_name = "N")]
    pub least_in_window: Option<u64>,
    /// The window (default: 60s)
    #[arg(long, value_name = "D")]
    pub window: Option<String>,
    /// A victim that was not heard for so long is done with (default: 5m)
    #[arg(long, value_name = "D")]
    pub expiry: Option<String>,
    /// RIR delegated or delegated-extended statistics, repeatable; replaces the table built in
    #[arg(long, value_name = "FILE")]
    pub delegated: Vec<PathBuf>,
    /// Folder with downloaded country tables
    #[arg(long, value_name = "DIR", env = "GONEDARK_DATA")]
    pub data: Option<PathBuf>,
    /// How the report is printed
    #[arg(long, value_enum, default_value = "text")]
    pub format: TrafficFormat,
}

/// `gonedark fetch`
#[derive(Debug, Args)]
pub struct Fetch {
    /// Collectors (rrc00, route-views2, route-views.jinx, ...) or all
    #[arg(long, value_name = "NAME", value_delimiter = ',', required = true)]
    pub collector: Vec<String>,
    /// Begin, RFC 3339 or YYYY-MM-DD, UTC; the last table before it is fetched as well
    #[arg(long, value_name = "T")]
    pub from: String,
    /// End
    #[arg(long, value_name = "T")]
    pub until: String,
    /// Where archives are fetched from and to
    #[command(flatten)]
    pub archive: Archive,
}

/// `gonedark data`
#[derive(Debug, Args)]
pub struct Data {
    /// What to do.
    #[command(subcommand)]
    pub action: DataAction,
}

/// What can be done with country tables.
#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// Fetch the five registries' statistics, where there are newer ones
    Update {
        /// Folder to keep them in; give the same to `replay --data`
        #[arg(long, value_name = "DIR", default_value = "data", env = "GONEDARK_DATA")]
        data: PathBuf,
        /// A mirror that has every registry's files below URL/REGISTRY/
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
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
    /// Write a scenario's recording as MRT archives, with the truth beside them
    Write {
        /// A scenario built in, or a file
        scenario: String,
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// `gonedark watch`
#[derive(Debug, Args)]
pub struct Watch {
    /// What to watch, where observations come from, and where they are kept (docs/watch.md)
    #[arg(long, value_name = "FILE", default_value = "gonedark.toml")]
    pub config: PathBuf,
    /// Sees that the configuration makes sense, says what it means, and ends
    #[arg(long)]
    pub check: bool,
    /// How what happens is logged on standard error
    #[arg(long, value_enum, default_value = "text")]
    pub log: Log,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// For people
    Text,
    /// One object a line
    Json,
}

/// `gonedark status`
#[derive(Debug, Args)]
pub struct Status {
    /// The configuration of the watch
    #[arg(long, value_name = "FILE", default_value = "gonedark.toml")]
    pub config: PathBuf,
}

/// `gonedark export`
#[derive(Debug, Args)]
pub struct Export {
    /// The configuration of the watch whose store is read
    #[arg(long, value_name = "FILE", default_value = "gonedark.toml")]
    pub config: PathBuf,
    /// The store itself
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub store: Option<PathBuf>,
    /// What is written
    #[arg(long, value_enum, default_value = "incidents")]
    pub what: What,
    /// Only of a country (KP), an AS (AS131279) or a prefix (175.45.176.0/22), repeatable
    #[arg(long, value_name = "E")]
    pub entity: Vec<String>,
    /// What lasts until here or later, RFC 3339 or YYYY-MM-DD, UTC; of points also the value that holds here
    #[arg(long, value_name = "T")]
    pub from: Option<String>,
    /// What began before
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// How it is written
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// Where to; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
}

/// What a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Incidents
    Incidents,
    /// Signals as transitions: a value holds until the next
    Points,
    /// Who could not see
    Blind,
    /// Phases of incidents
    Phases,
    /// Attacks
    Attacks,
    /// Exporters of flows that could not be heard
    Deaf,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A heading line and a line a row
    Csv,
    /// One object a line; incidents whole, as docs/report-schema.md describes them
    Ndjson,
    /// Apache Parquet, the columns of csv; into a file (--out), and where built with it
    Parquet,
}

/// `gonedark import`
#[derive(Debug, Args)]
pub struct Import {
    /// The store; made where there is none. No watch may be writing it
    #[arg(long, value_name = "FILE")]
    pub store: PathBuf,
    /// Signals of `replay --series FILE.csv`, repeatable
    #[arg(long, value_name = "CSV")]
    pub series: Vec<PathBuf>,
    /// Reports of `replay --format json`
    #[arg(value_name = "REPORT.json", required_unless_present = "series")]
    pub reports: Vec<PathBuf>,
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
