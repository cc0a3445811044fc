//! The configuration of `gonedark watch`: what the file may say. A word that is not known is refused with its line.

mod attacks;
mod check;
mod value;
mod wording;

pub use attacks::Attacks;
pub use value::{Asns, Code, Every, Size, Span};

use crate::source::bmp::Distinguisher;
use gonedark_infer::Watch;
use gonedark_route::{Asn, Prefix};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU8, NonZeroU32};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it was read from.
    #[serde(skip)]
    pub path: PathBuf,
    /// Where everything is kept.
    #[serde(default)]
    pub store: Store,
    /// What is watched.
    #[serde(default)]
    pub watch: Watched,
    /// Which network is whose.
    #[serde(default)]
    pub countries: Countries,
    /// Pages for people and machines; none without.
    pub serve: Option<Serve>,
    /// From what on traffic is an attack.
    #[serde(default)]
    pub attacks: Attacks,
    /// Where observations come from.
    #[serde(default)]
    pub source: Sources,
}

/// `[store]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The file.
    pub path: PathBuf,
    /// How often what was accepted is committed, at the longest. Half a second keeps an incident's commit within one of
    /// its deciding message.
    pub commit: Span,
    /// How often all state is kept, so that a restart takes seconds.
    pub snapshot: Span,
    /// For how many days signals are kept; for ever without.
    pub retention_days: Option<u32>,
    /// After how many days few transitions are left of each [`Store::downsample_to`]; never without.
    pub downsample_after_days: Option<u32>,
    /// How much time that is.
    pub downsample_to: Span,
}

impl Default for Store {
    fn default() -> Self {
        let span = |seconds| Span(Duration::from_millis(seconds));
        Store {
            path: "gonedark.db".into(),
            commit: span(500),
            snapshot: span(900_000),
            retention_days: None,
            downsample_after_days: None,
            downsample_to: span(3_600_000),
        }
    }
}

/// `[watch]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watched {
    /// Countries; all without.
    pub countries: Vec<Code>,
    /// ASes: `"all"` or a list of numbers.
    pub asns: Asns,
    /// Prefixes, each with all networks within it.
    #[serde(deserialize_with = "value::prefixes")]
    pub prefixes: Vec<Prefix>,
    /// Isolated losses shorter than this are no incidents: the confirmation time.
    pub min_duration: Span,
}

impl Default for Watched {
    fn default() -> Self {
        let min_duration = Span(Duration::from_secs(120));
        Watched { countries: Vec::new(), asns: Asns::default(), prefixes: Vec::new(), min_duration }
    }
}

impl Watched {
    /// For the inference.
    pub fn watch(&self) -> Watch {
        let (asns, every_asn) = match &self.asns {
            Asns::All(_) => (BTreeSet::new(), true),
            Asns::Some(asns) => (asns.iter().map(|asn| Asn(*asn)).collect(), false),
        };
        let countries = self.countries.iter().map(|code| code.0).collect();
        Watch { countries, asns, every_asn, prefixes: self.prefixes.iter().copied().collect() }
    }
}

/// `[countries]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Countries {
    /// RIR statistics; replaces the table built in.
    pub delegated: Vec<PathBuf>,
    /// Folder of `gonedark data update`.
    pub data: Option<PathBuf>,
}

/// `[serve]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// Where to listen for /metrics, /healthz, /readyz and /status.
    #[serde(deserialize_with = "value::listen")]
    pub listen: SocketAddr,
}

/// `[[source.KIND]]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sources {
    /// Folders of archive files, and the public archives.
    pub archive: Vec<Archive>,
    /// Stations to which routers connect.
    pub bmp: Vec<Bmp>,
    /// Clients of RIS Live.
    pub ris_live: Vec<RisLive>,
    /// Listeners for flows.
    pub flows: Vec<Flows>,
}

impl Sources {
    /// Whether nobody tells of routes.
    pub fn is_of_flows_alone(&self) -> bool {
        self.archive.is_empty() && self.bmp.is_empty() && self.ris_live.is_empty()
    }
}

/// `[[source.flows]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flows {
    /// What it is called.
    pub name: String,
    /// Where exporters send to: one address and port, or several.
    #[serde(deserialize_with = "value::listens")]
    pub listen: Vec<SocketAddr>,
    /// Exporters that are taken; all where none is named.
    #[serde(default)]
    pub exporters: BTreeSet<IpAddr>,
    /// Sockets at each address.
    #[serde(default = "Flows::sockets")]
    pub sockets: NonZeroU8,
    /// The kernel's buffer of each socket.
    #[serde(default = "Flows::receive_buffer")]
    pub receive_buffer: Size,
    /// One packet in so many was counted, whatever exporters say.
    pub sampling: Option<NonZeroU32>,
    /// One packet in so many was counted, where an exporter does not say.
    pub sampling_otherwise: Option<NonZeroU32>,
}

impl Flows {
    /// Two. Guess: exporters are few, and one thread empties a socket of a million records a second.
    fn sockets() -> NonZeroU8 {
        NonZeroU8::MIN.saturating_add(1)
    }

    /// 16 MiB. Guess: a second of 300,000 records and the kernel's own.
    fn receive_buffer() -> Size {
        Size(16 << 20)
    }
}

/// `[[source.ris_live]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RisLive {
    /// What it is called.
    pub name: String,
    /// The server: `wss://`, or `ws://` of this machine.
    #[serde(default = "RisLive::url")]
    pub url: String,
    /// Which collectors; all without.
    #[serde(default)]
    pub collectors: BTreeSet<String>,
    /// Only messages of these prefixes and more specific ones; all without.
    #[serde(default, deserialize_with = "value::prefixes")]
    pub prefixes: Vec<Prefix>,
    /// Only announcements through these ASes; all without. A withdrawal names none, and does not come.
    #[serde(default)]
    pub asns: Vec<u32>,
    /// How long a message may be on its way, compared with those of other collectors.
    #[serde(default = "RisLive::hold")]
    pub hold: Span,
}

impl RisLive {
    /// Where RIPE RIS gives it; the manual asks to be told who it is that hears.
    fn url() -> String {
        "wss://ris-live.ripe.net/v1/ws/?client=gonedark".into()
    }

    /// Two seconds. Guess: RIS Live gives what different collectors hear in near order.
    fn hold() -> Span {
        Span(Duration::from_secs(2))
    }
}

/// `[[source.bmp]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bmp {
    /// What it is called.
    pub name: String,
    /// Where routers connect to.
    #[serde(deserialize_with = "value::listen")]
    pub listen: SocketAddr,
    /// Addresses from which they may; any where none is named.
    #[serde(default)]
    pub routers: Vec<IpAddr>,
    /// Which of a router's tables are taken.
    #[serde(default)]
    pub view: View,
    /// The routing instance that holds the Internet; the global one where none is named.
    #[serde(default, deserialize_with = "value::distinguisher")]
    pub vrf: Option<Distinguisher>,
    /// How long a message may be on its way from the router.
    #[serde(default = "Bmp::hold")]
    pub hold: Span,
}

impl Bmp {
    /// A fifth of a second. Guess: routers write at once, and networks between them and the station are near.
    fn hold() -> Span {
        Span(Duration::from_millis(200))
    }
}

/// Which of a router's tables are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// What neighbours send, before the router's policy.
    #[default]
    PrePolicy,
    /// What the policy left of it.
    PostPolicy,
    /// What the router chose itself.
    LocRib,
}

/// `[[source.archive]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// What it is called.
    pub name: String,
    /// Where files are, one folder a collector.
    pub folder: PathBuf,
    /// Whose files; all that are there without. Needed where they are fetched.
    #[serde(default)]
    pub collectors: BTreeSet<String>,
    /// Whether they are fetched from the public archives of RIPE RIS and RouteViews.
    #[serde(default)]
    pub fetch: bool,
    /// Where RIPE RIS publishes, or a mirror of it.
    pub ris_root: Option<String>,
    /// Where RouteViews publishes, or a mirror of it.
    pub routeviews_root: Option<String>,
    /// How often to look.
    #[serde(default = "Archive::poll")]
    pub poll: Span,
    /// How late a file may be beyond its own length before its collector is blind.
    #[serde(default = "Archive::patience")]
    pub patience: Span,
    /// Reads what is there and ends.
    #[serde(default)]
    pub once: bool,
    /// `everything` in the folder, or what follows the `newest-table`, at the first start.
    #[serde(default)]
    pub from: From,
    /// Reads the newest table and what follows it until a live source goes on alone, and ends.
    #[serde(default)]
    pub bootstrap: bool,
}

impl Archive {
    /// A minute: a fifth of what a file of RIS spans.
    fn poll() -> Span {
        Span(Duration::from_secs(60))
    }

    /// A quarter of an hour. Guess: RIS is up to five minutes late, RouteViews up to fifteen.
    fn patience() -> Span {
        Span(Duration::from_secs(900))
    }
}

/// Where a follower begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// At the newest table, so that the first answer comes soon.
    #[default]
    NewestTable,
    /// At the first file.
    Everything,
}

/// Reads the file and sees that it makes sense.
///
/// # Errors
/// One text with the file, the line, what is wrong and what to write instead.
pub fn read(path: &Path) -> Result<Config, String> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!(
            "{}: there is no such file; write one (docs/watch.md has one to copy), or name it with --config",
            path.display()
        ),
        ErrorKind::IsADirectory => {
            format!("{}: is a directory; name the file in it with --config", path.display())
        }
        _ => format!("{}: {error}", path.display()),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count() + 1;
        format!("{}: line {line}: is no UTF-8 text; save the file as UTF-8", path.display())
    })?;
    let mut config: Config = toml::from_str(&text)
        .map_err(|error| format!("{}: {}", path.display(), wording::told(&error, &text)))?;
    config.path = path.to_owned();
    check::check(&config, &text).map_err(|wrong| format!("{}: {wrong}", path.display()))?;
    Ok(config)
}
