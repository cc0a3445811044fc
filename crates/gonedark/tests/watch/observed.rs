//! A recording to watch, a store to watch into, and what is in it.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A folder with archives of North Korea's outages as they are reconstructed, written once for each test.
pub(crate) fn recording() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let written = Command::new(env!("CARGO_BIN_EXE_gonedark"))
        .args(["scenario", "write", "north-korea-2014", "--out"])
        .arg(folder.path())
        .output()
        .expect("it runs");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    folder
}

/// A watch of that recording into a store of its own.
pub(crate) struct Observed {
    config: PathBuf,
    pub(crate) store: PathBuf,
}

impl Observed {
    /// `into` is where the configuration and the store lie.
    pub(crate) fn new(recording: &Path, into: &Path) -> Self {
        let (config, store) = (into.join("gonedark.toml"), into.join("gonedark.db"));
        let text = format!(
            "[store]\npath = {store:?}\ncommit = \"10ms\"\nsnapshot = \"300ms\"\n\
             [[source.archive]]\nname = \"recording\"\nfolder = {recording:?}\nonce = true\nfrom = \"everything\"\n"
        );
        std::fs::write(&config, text).expect("a configuration");
        Observed { config, store }
    }

    /// Writes a line into `[store]` of the configuration.
    pub(crate) fn set(&self, line: &str) {
        let text = std::fs::read_to_string(&self.config).expect("a configuration");
        std::fs::write(&self.config, text.replace("[store]\n", &format!("[store]\n{line}\n")))
            .expect("written");
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonedark"));
        command.args(["watch", "--config"]).arg(&self.config).env("RUST_LOG", "warn").env("NO_COLOR", "1");
        command
    }

    /// Runs to the end of the recording.
    pub(crate) fn run(&self) -> Output {
        self.command().output().expect("it runs")
    }

    /// Starts, for somebody to end it.
    pub(crate) fn start(&self) -> Child {
        let mut command = self.command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it runs")
    }

    /// Everything that was concluded, a line a row.
    pub(crate) fn concluded(&self) -> Vec<String> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let db = Connection::open_with_flags(&self.store, flags).expect("a store");
        let queries = [
            "SELECT 'incident', e.code, i.first, i.ended || ' ' || i.level, i.body
             FROM incident i JOIN entity e ON e.id = i.entity ORDER BY e.kind, e.code, i.first",
            "SELECT 'point', e.kind || ' ' || e.code, p.at, p.signal, p.value
             FROM point p JOIN entity e ON e.id = p.entity ORDER BY e.kind, e.code, p.signal, p.at",
            "SELECT 'blind', collector || ' ' || peer_asn, since, reason, until FROM blind ORDER BY 2, 3, 4",
            "SELECT 'stream', collector || ' ' || part, mark, position, closed FROM stream ORDER BY 2",
        ];
        let mut lines = Vec::new();
        for query in queries {
            let mut statement = db.prepare(query).expect("a query");
            let mut rows = statement.query([]).expect("rows");
            while let Some(row) = rows.next().expect("a row") {
                let fields = (0..5).map(|field| match row.get_ref(field).expect("a field") {
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    ValueRef::Integer(number) => number.to_string(),
                    other => format!("{other:?}"),
                });
                lines.push(fields.collect::<Vec<_>>().join(" "));
            }
        }
        lines
    }
}

/// The first line in which two differ.
pub(crate) fn difference(one: &[String], other: &[String]) -> Option<String> {
    let differs = one.iter().zip(other).find(|(a, b)| a != b);
    match differs {
        Some((a, b)) => Some(format!("- {a}\n+ {b}")),
        None => (one.len() != other.len()).then(|| format!("{} lines and {}", one.len(), other.len())),
    }
}
