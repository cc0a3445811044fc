//! The hard rules of ARCHITECTURE.md that the compiler does not hold: which way the arrows go, what the pure crates
//! leave alone, how large a file may be, what may not be a name, and that every threshold is written down.

use gonedark_infer::parameters::Parameters;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// No source file is longer (ARCHITECTURE.md, "Hard rules").
const LONGEST_FILE: usize = 700;

/// What says nothing of what is in it.
const EMPTY_NAMES: [&str; 8] = ["common", "core", "engine", "helper", "helpers", "manager", "util", "utils"];

/// The libraries of this workspace that each crate may use.
const CRATES: [(&str, &[&str]); 4] = [
    ("gonedark-route", &[]),
    ("gonedark-decode", &["gonedark-route"]),
    ("gonedark-infer", &["gonedark-route"]),
    ("gonedark", &["gonedark-route", "gonedark-decode", "gonedark-infer"]),
];

/// The modules of `gonedark-infer` in their order: each may use those that stand before it, and itself.
const INFER: [&str; 12] = [
    "report+entity",
    "parameters",
    "observation",
    "traffic",
    "routing",
    "sight",
    "detection",
    "incident",
    "inference",
    "conclude",
    "kept",
    "news",
];

/// The modules of `gonedark` and what each may use of the others.
const GONEDARK: [(&str, &[&str]); 15] = [
    ("clock", &[]),
    ("country", &[]),
    ("rows", &[]),
    ("present", &["rows"]),
    ("scenario", &[]),
    ("source", &["clock"]),
    ("store", &["rows", "source"]),
    ("fetch", &["source"]),
    ("pipeline", &["source"]),
    ("cli", &[]),
    ("config", &["country", "source"]),
    ("watch", &["pipeline", "present", "source", "store"]),
    ("serve", &["clock", "source", "store", "watch"]),
    (
        "commands",
        &[
            "cli", "clock", "config", "country", "fetch", "pipeline", "present", "rows", "scenario", "serve",
            "source", "store", "watch",
        ],
    ),
    ("main", &["cli", "commands"]),
];

#[test]
fn crates_depend_downward_only() {
    for (name, allowed) in CRATES {
        let manifest = read(&root().join("crates").join(name).join("Cargo.toml"));
        let used = own_libraries(&manifest);
        assert_eq!(used, allowed, "{name} uses other crates of the workspace than ARCHITECTURE.md says");
    }
    let route = read(&root().join("crates/gonedark-route/Cargo.toml"));
    let needed =
        route.split("[dependencies]").nth(1).unwrap_or_default().split("\n[").next().unwrap_or_default();
    let needed = needed.lines().filter(|line| line.contains('=') && !line.contains("optional = true"));
    assert_eq!(needed.count(), 0, "gonedark-route depends on nothing that it can do without");
}

#[test]
fn decoding_and_inference_do_no_input_or_output_and_ask_no_clock() {
    let banned = [
        "std::fs",
        "std::io",
        "std::env",
        "std::process",
        "std::thread",
        "std::time",
        "std::sync::mpsc",
        "File::",
        "SystemTime",
        "Instant::",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
    ];
    for name in ["gonedark-route", "gonedark-decode", "gonedark-infer"] {
        for file in sources(&root().join("crates").join(name).join("src")) {
            for (number, line) in code(&file) {
                let found = banned.iter().find(|banned| line.contains(**banned));
                assert_eq!(found, None, "{}:{number}: this crate is pure", file.display());
            }
        }
    }
}

#[test]
fn modules_of_the_inference_use_only_what_stands_before_them() {
    let src = root().join("crates/gonedark-infer/src");
    let mut mistakes = Vec::new();
    for file in sources(&src) {
        let own = module_of(&src, &file);
        if own == "lib" {
            continue;
        }
        let place = place(&own);
        for (number, line) in code(&file) {
            for used in after(&line, "crate::") {
                if place_of_use(&used).is_some_and(|used| used > place) {
                    mistakes.push(format!("{}:{number}: {own} uses {used}", file.display()));
                }
            }
        }
    }
    assert_eq!(mistakes, Vec::<String>::new());
}

#[test]
fn stages_of_the_program_use_only_what_they_may() {
    let src = root().join("crates/gonedark/src");
    let mut mistakes = Vec::new();
    for file in sources(&src) {
        let own = module_of(&src, &file);
        let own = own.split("::").next().unwrap_or_default();
        if own == "lib" {
            continue;
        }
        let Some((_, allowed)) = GONEDARK.iter().find(|(name, _)| *name == own) else {
            mistakes.push(format!("{own} is new: say in GONEDARK what it may use"));
            continue;
        };
        for (number, line) in code(&file) {
            for used in after(&line, "crate::") {
                let used = used.split("::").next().unwrap_or_default().to_owned();
                if used != own && !allowed.contains(&used.as_str()) && is_module(&src, &used) {
                    mistakes.push(format!("{}:{number}: {own} uses {used}", file.display()));
                }
            }
        }
    }
    assert_eq!(mistakes, Vec::<String>::new());
}

#[test]
fn only_the_stages_that_read_formats_know_the_decoder() {
    let src = root().join("crates/gonedark/src");
    for file in sources(&src) {
        let own = module_of(&src, &file);
        let stage = own.split("::").next().unwrap_or_default();
        if ["source", "country", "commands", "scenario"].contains(&stage) {
            continue;
        }
        for (number, line) in code(&file) {
            let knows = line.contains("gonedark_decode");
            assert!(!knows, "{}:{number}: a change of format must not reach {stage}", file.display());
        }
    }
}

#[test]
fn no_source_file_is_longer_than_700_lines() {
    for file in all_sources() {
        let lines = read(&file).lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines: part it by responsibility", file.display());
    }
}

#[test]
fn no_file_or_folder_has_a_name_that_says_nothing() {
    for file in all_sources() {
        let path = file.strip_prefix(root()).unwrap_or(&file).with_extension("");
        for part in path.components().map(|part| part.as_os_str().to_string_lossy()) {
            assert!(!EMPTY_NAMES.contains(&part.as_ref()), "{}", file.display());
        }
    }
}

#[test]
fn every_constant_says_where_it_comes_from() {
    let mut bare = Vec::new();
    for file in
        all_sources().into_iter().filter(|file| file.components().any(|part| part.as_os_str() == "src"))
    {
        let text = read(&file);
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            if !line.trim_start().starts_with("pub const ") || line.contains(" fn ") {
                continue;
            }
            let above = lines[..number].iter().rev().find(|line| !line.trim_start().starts_with("#["));
            let documented = above.is_some_and(|line| line.trim_start().starts_with("///"));
            if !documented {
                bare.push(format!("{}:{}", file.display(), number + 1));
            }
        }
    }
    assert_eq!(bare, Vec::<String>::new(), "public constants without a line of documentation");
}

#[test]
fn every_threshold_is_described_in_method_md() {
    let method = read(&root().join("METHOD.md"));
    // The fields by their own words: a new one cannot be forgotten here.
    let shown = format!("{:?}", Parameters::default());
    let fields: Vec<&str> = shown
        .trim_start_matches("Parameters {")
        .split(',')
        .filter_map(|field| field.trim().split_once(':'))
        .map(|(name, _)| name)
        .collect();
    assert!(fields.len() >= 20, "{shown}");
    let missing: Vec<&&str> = fields.iter().filter(|name| !method.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "METHOD.md does not name {missing:?}");
}

#[test]
fn every_test_that_architecture_md_names_exists() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let is_test = |word: &&str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        word.bytes().all(plain) && word.matches('_').count() >= 3
    };
    let named: Vec<&str> = text.split('`').filter(is_test).collect();
    assert!(named.len() > 30, "{named:?}");
    let all: String = all_sources().iter().map(|file| read(file)).collect();
    let missing: Vec<&&str> = named.iter().filter(|name| !all.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names {missing:?}");
}

/// Paths as texts write them: `a/{b,c}.rs` is two.
fn alternatives(word: &str) -> Vec<String> {
    match word.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        None => vec![word.to_owned()],
        Some((before, (middle, after))) => {
            let each =
                middle.split(',').flat_map(|part| alternatives(&format!("{before}{}{after}", part.trim())));
            each.collect()
        }
    }
}

#[test]
fn every_file_that_architecture_md_and_the_manual_of_a_source_name_exists() {
    let is_file = |word: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.{},".contains(&byte);
        word.bytes().all(plain)
            && [".rs", ".sql", ".toml", ".py", ".sh", ".md", ".json"].iter().any(|end| word.ends_with(end))
    };
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            match path.is_dir() {
                true if name != "target" && name != ".git" => folders.push(path),
                true => {}
                false => files.push(path.to_string_lossy().into_owned()),
            }
        }
    }
    let mut missing = Vec::new();
    for text in ["ARCHITECTURE.md", "docs/adding-a-source.md"] {
        let text = read(&root().join(text));
        let named: Vec<String> = text.split('`').filter(is_file).flat_map(alternatives).collect();
        assert!(named.len() >= 5, "{named:?}");
        // Numbered steps and files that a user writes are no files of ours.
        let named = named.into_iter().filter(|name| !name.contains("NNN") && name != "gonedark.toml");
        missing.extend(named.filter(|name| !files.iter().any(|file| file.ends_with(&format!("/{name}")))));
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_manual_shows_the_example_of_a_source_as_it_is() {
    let manual = read(&root().join("docs/adding-a-source.md"));
    let example = read(&root().join("crates/gonedark/examples/bgpdump_text.rs"));
    let added: Vec<&str> = manual.lines().filter_map(|line| line.strip_prefix('+')).collect();
    let added = added.iter().filter(|line| !line.starts_with("++")).copied();
    assert_eq!(added.collect::<Vec<_>>(), example.lines().collect::<Vec<_>>());
}

#[test]
fn the_manual_gives_bgpdump_one_file_at_a_time() {
    let manual = read(&root().join("docs/adding-a-source.md"));
    let calls: Vec<&str> = manual.split("bgpdump -m ").skip(1).collect();
    assert!(calls.len() >= 3, "the example, a file and the loop over several");
    for call in calls {
        let file = call.split_whitespace().next().unwrap_or_default();
        let rest = call[file.len()..].trim_start();
        assert!(!file.contains(['*', '.']) || file.ends_with(".gz"), "bgpdump -m takes one file: {file}");
        assert!(
            rest.starts_with('|') || file.ends_with("\"$file\";") || rest.starts_with("done"),
            "{call:.60}"
        );
    }
    assert!(manual.contains("for file in demo/archives/rrc00/updates."), "several files need a loop");
}

#[test]
fn tests_that_are_passed_over_are_counted_once_each_and_the_code_of_the_run_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let count = folder.path().join("target/count");
    let run = |script: &str| {
        let run = std::process::Command::new(root().join("scripts/tests.sh"))
            .arg(&count)
            .args(["sh", "-c", script])
            .output()
            .expect("a shell");
        (run.status.code(), std::fs::read_to_string(&count).expect("a count").trim().to_owned())
    };
    let script = "echo 'test passed over: a::b: no x' >&2; echo 'test passed over: a::b: no y' >&2; \
                  printf 'test c ... '; echo 'test passed over: c: no z' >&2; exit 3";
    assert_eq!(run(script), (Some(3), "2".to_owned()));
    assert_eq!(run("echo fine"), (Some(0), "0".to_owned()));
    // Every test that may pass over, which under CI it may not, says so in these words.
    let may = |file: &PathBuf| read(file).contains(concat!("var_os(\"CI\"", ").is_none()"));
    let (saying, mute): (Vec<PathBuf>, Vec<PathBuf>) =
        all_sources().into_iter().filter(may).partition(|file| read(file).contains("test passed over: {"));
    assert!(saying.len() >= 6 && mute.is_empty(), "{saying:?} {mute:?}");
}

#[test]
fn method_md_gives_the_values_that_are_in_force() {
    let method = read(&root().join("METHOD.md"));
    let shown = format!("{:?}", Parameters::default());
    let values = shown.trim_start_matches("Parameters {").trim_end_matches('}').split(',');
    let values: BTreeMap<&str, i64> = values
        .filter_map(|field| field.trim().split_once(": "))
        .filter_map(|(name, value)| Some((name, value.trim().parse().ok()?)))
        .collect();
    for (name, value) in values {
        let row = method.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("no row for `{name}` in METHOD.md"));
        let said = row.split('|').nth(2).unwrap_or_default().trim();
        assert_eq!(in_parameters(said), Some(value), "METHOD.md says {said} for `{name}`");
    }
}

/// `75 %`, `24 h`, `20 networks`, `3 losses` in the units of [`Parameters`].
fn in_parameters(said: &str) -> Option<i64> {
    let (number, unit) = said.split_once(' ')?;
    let scale = match unit {
        "%" | "networks" | "losses" => 1,
        "s" => 1_000_000,
        "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    Some(number.parse::<i64>().ok()? * scale)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every `.rs` file below a folder, in order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn all_sources() -> Vec<PathBuf> {
    let mut files = sources(&root().join("crates"));
    let fuzz = root().join("fuzz");
    if fuzz.is_dir() {
        files.extend(sources(&fuzz));
    }
    files
}

/// The lines that are code, with their numbers.
fn code(file: &Path) -> Vec<(usize, String)> {
    let text = read(file);
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned()));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).collect()
}

/// `src/routing/shard.rs` is `routing::shard`; `mod.rs` is its folder.
fn module_of(src: &Path, file: &Path) -> String {
    let path = file.strip_prefix(src).unwrap_or(file).with_extension("");
    let mut parts: Vec<String> =
        path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts.join("::")
}

fn is_module(src: &Path, name: &str) -> bool {
    src.join(name).is_dir() || src.join(name).with_extension("rs").is_file()
}

/// The paths that follow `prefix` in a line: `crate::routing::shard::Loss` gives `routing::shard::Loss`.
fn after(line: &str, prefix: &str) -> Vec<String> {
    let path = |rest: &str| {
        let end = rest.find(|character: char| !(character.is_alphanumeric() || "_:".contains(character)));
        rest[..end.unwrap_or(rest.len())].to_owned()
    };
    line.match_indices(prefix)
        .filter(|(at, _)| {
            !line[..*at].ends_with(|character: char| character.is_alphanumeric() || character == '_')
        })
        .map(|(at, _)| path(&line[at + prefix.len()..]))
        .collect()
}

/// The place of a module in [`INFER`]: of the longest name that it begins with.
fn place_of_use(path: &str) -> Option<usize> {
    let begins =
        |name: &str| path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"));
    let places =
        INFER.iter().enumerate().flat_map(|(place, names)| names.split('+').map(move |name| (place, name)));
    places.filter(|(_, name)| begins(name)).max_by_key(|(_, name)| name.len()).map(|(place, _)| place)
}

fn place(module: &str) -> usize {
    place_of_use(module).unwrap_or_else(|| panic!("{module} is new: give it its place in INFER"))
}

/// The libraries of this workspace under `[dependencies]`.
fn own_libraries(manifest: &str) -> Vec<&str> {
    let section =
        manifest.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap_or_default();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| name.starts_with("gonedark")).collect()
}
