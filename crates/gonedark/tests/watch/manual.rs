//! docs/watch.md is what the program does: its examples are accepted, and nothing that may be configured is missing.

use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The blocks of the manual in a language.
fn blocks(manual: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    manual.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_examples_of_the_manual_are_accepted() {
    let (manual, config) = (read("docs/watch.md"), read("crates/gonedark/src/config/mod.rs"));
    let examples = blocks(&manual, "toml");
    let folder = tempfile::tempdir().expect("a folder");
    let mut kinds = 0;
    for example in &examples {
        // What another change brings is tried once it is there.
        if example.contains("[[source.ris_live]]") && !config.contains("pub ris_live:") {
            continue;
        }
        let path = folder.path().join("gonedark.toml");
        std::fs::write(&path, example).expect("a configuration");
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonedark"));
        let output = command.args(["watch", "--check", "--config"]).arg(&path).output().expect("it runs");
        assert!(output.status.success(), "{example}\n{}", String::from_utf8_lossy(&output.stderr));
        kinds += 1;
    }
    assert!(kinds >= 3, "{examples:?}");
    let sources = config.lines().skip_while(|line| !line.starts_with("pub struct Sources"));
    for kind in sources.take_while(|line| *line != "}").filter_map(|line| line.trim().strip_prefix("pub ")) {
        let Some((kind, _)) = kind.split_once(": Vec") else { continue };
        let table = format!("[[source.{kind}]]");
        assert!(examples.iter().any(|example| example.contains(&table)), "no example of {table}");
    }
}

#[test]
fn every_key_of_the_configuration_is_in_the_manual() {
    let (manual, config) = (read("docs/watch.md"), read("crates/gonedark/src/config/mod.rs"));
    let mut keys = 0;
    let fields = config.lines().filter_map(|line| line.strip_prefix("    pub ")?.split_once(": "));
    for (key, kind) in fields.filter(|(key, _)| !key.contains('(')) {
        // The tables themselves are headings.
        let named = match kind.starts_with("Vec<") && manual.contains(&format!("### `[[source.{key}]]`"))
            || manual.contains(&format!("`[{key}]`"))
        {
            true => true,
            false => key == "source" || manual.contains(&format!("`{key}`")),
        };
        assert!(named, "docs/watch.md does not name `{key}`");
        keys += 1;
    }
    assert!(keys >= 25, "{keys}");
}

#[test]
fn the_queries_of_the_manual_run_and_every_table_and_view_is_named() {
    let manual = read("docs/watch.md");
    let db = Connection::open_in_memory().expect("a store");
    let schema = gonedark::store::schema::STEPS.concat();
    db.execute_batch(&schema).expect("the schema");
    for query in blocks(&manual, "sql").iter().flat_map(|block| block.trim().split_terminator(';')) {
        db.prepare(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
    let query = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')";
    let mut statement = db.prepare(query).expect("a query");
    let names = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    for name in names.map(|name| name.expect("a name")) {
        assert!(manual.contains(&format!("`{name}`")), "docs/watch.md does not name {name}");
    }
}
