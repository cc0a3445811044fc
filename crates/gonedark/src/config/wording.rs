//! What the libraries say of a file that they cannot take, in the words of the file, and with what to write instead.

/// Sections of which there may be several, `[[source.KIND]]`.
const KINDS: [&str; 4] = ["archive", "bmp", "ris_live", "flows"];

/// The error with its line, which is the library's own, and what to write there.
pub(super) fn told(error: &toml::de::Error, text: &str) -> String {
    let whole = error.to_string();
    let (whole, said) = (whole.trim_end(), error.message().trim_end());
    match (remedy(said, &Place::of(error, text)), whole.strip_suffix(said)) {
        (Some(remedy), Some(before)) => format!("{before}{remedy}"),
        _ => whole.to_owned(),
    }
}

/// What the error points at.
struct Place<'a> {
    /// All of its line.
    line: &'a str,
    /// What stands before the `=`, where that is how it is written.
    key: &'a str,
    /// The very words.
    value: &'a str,
}

impl<'a> Place<'a> {
    fn of(error: &toml::de::Error, text: &'a str) -> Self {
        let span = error.span().unwrap_or_default();
        let before = text.get(..span.start).unwrap_or_default();
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text.get(begin..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let key = before.rsplit_once('=').map_or("", |(key, _)| key);
        let key = key.rsplit(['\n', '{', ',', '=']).next().unwrap_or_default().trim();
        Place { line, key, value: text.get(span).unwrap_or_default() }
    }
}

/// What to write, by the phrases of serde (serde_core's de/impls.rs) and toml that say nothing to who writes the file.
fn remedy(said: &str, place: &Place<'_>) -> Option<String> {
    let Place { line, key, value } = place;
    let section = line.trim_start().trim_start_matches('[').split(']').next().unwrap_or_default().trim();
    let is_kind = |name: &str| KINDS.contains(&name);
    let is_source = section.strip_prefix("source.").is_some_and(is_kind);
    let is_single = line.trim_start().starts_with('[') && !line.trim_start().starts_with("[[");
    if said == "duplicate key" && is_single && is_source {
        return Some(format!("there may be several of these: write [[{section}]], with two brackets"));
    }
    if let Some(name) = said.strip_prefix("missing field ") {
        return Some(format!("{name} is missing in this section; add it (docs/watch.md has an example)"));
    }
    if said == "invalid IP address syntax" {
        return Some(no_address(value));
    }
    if said.starts_with("string values must be quoted") {
        return Some("text stands in quotes; write \"...\" behind the =".to_owned());
    }
    // Of what cannot be read as TOML at all the library speaks in other words, which stay.
    let is_of_kind = said.starts_with("invalid type: ") || said.starts_with("invalid value: ");
    let (_, expected) = said.rsplit_once(", expected ").filter(|_| is_of_kind)?;
    if value.starts_with("[[") {
        return Some(format!("there is only one of these: write [{section}], with one bracket"));
    }
    Some(match expected {
        "a sequence" if is_single && is_source => {
            format!("there may be several of these: write [[{section}]], with two brackets")
        }
        "a sequence" if is_kind(key) => format!("this is a section: write [[source.{key}]], its keys below"),
        "a sequence" => format!("{value} is no list; write a list, {key} = [{value}]"),
        "a boolean" => format!("{value} is neither; write true or false, without quotes"),
        "a string" | "path string" if value.starts_with(['[', '{']) => {
            format!("{value} is no text; write one text in quotes")
        }
        "a string" | "path string" => format!("{value} is no text; write it in quotes: \"{value}\""),
        "IP address" => no_address(value),
        section if section.starts_with("struct ") => {
            format!("this is a section: write [{key}] on a line of its own, its keys below")
        }
        number => {
            let (least, kind) = match number.strip_prefix("a nonzero ") {
                Some(kind) => (1, kind),
                // Of days none is never right, either (check).
                None => (i32::from(key.ends_with("_days")), number),
            };
            let most = match kind {
                "u8" => format!(" and at most {}", u8::MAX),
                "u32" => format!(" and at most {}", u32::MAX),
                "u64" => String::new(),
                _ => return None,
            };
            format!(
                "{value} is no such number; write a whole number, without quotes, of at least {least}{most}"
            )
        }
    })
}

fn no_address(value: &str) -> String {
    format!("{value} is no address; write an address such as \"192.0.2.1\", not a name")
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_of_the_wrong_kind_is_told_with_its_line_and_what_to_write() {
        let flows = "[[source.flows]]\nname = \"edge\"\nlisten = \"127.0.0.1:2055\"\n";
        let bmp = "[[source.bmp]]\nname = \"lab\"\nlisten = \"127.0.0.1:11019\"\n";
        for (text, line, remedy) in [
            ("[source.archive]\nname = \"a\"\n".to_owned(), 1, "write [[source.archive]], with two brackets"),
            (
                "[source.bmp]\nname = \"a\"\n[source.bmp] # two\n".to_owned(),
                3,
                "write [[source.bmp]], with two brackets",
            ),
            ("[source]\nflows = \"a\"\n".to_owned(), 2, "write [[source.flows]], its keys below"),
            ("[[store]]\npath = \"a\"\n".to_owned(), 1, "write [store], with one bracket"),
            ("serve = 5\n".to_owned(), 1, "write [serve] on a line of its own"),
            ("[watch]\ncountries = \"KP\"\n".to_owned(), 2, "write a list, countries = [\"KP\"]"),
            ("[watch]\ncountries = [1]\n".to_owned(), 2, "write it in quotes: \"1\""),
            ("[store]\npath = []\n".to_owned(), 2, "write one text in quotes"),
            ("[store]\npath = a.db\n".to_owned(), 2, "text stands in quotes"),
            (
                "[store]\nretention_days = \"30\"\n".to_owned(),
                2,
                "\"30\" is no such number; write a whole number, without quotes, of at least 1",
            ),
            ("[store]\nretention_days = -3\n".to_owned(), 2, "-3 is no such number"),
            ("[store]\nretention_days = 5000000000\n".to_owned(), 2, "and at most 4294967295"),
            (format!("{flows}sampling = 0\n"), 4, "write a whole number, without quotes, of at least 1"),
            (format!("{flows}sockets = 256\n"), 4, "and at most 255"),
            ("[attacks]\nhost_pps = 0\n".to_owned(), 2, "of at least 1"),
            (
                format!("{bmp}routers = [\"router1.example\"]\n"),
                4,
                "\"router1.example\" is no address; write an address such as \"192.0.2.1\", not a name",
            ),
            (format!("{bmp}routers = [\n\"192.0.2.1\",\n7]\n"), 6, "7 is no address"),
            (
                "[[source.archive]]\nname = \"a\"\nfolder = \"a\"\nonce = 1\n".to_owned(),
                4,
                "write true or false",
            ),
            ("[[source.archive]]\nname = \"a\"\n".to_owned(), 1, "`folder` is missing in this section"),
        ] {
            let error = toml::from_str::<super::super::Config>(&text).expect_err("it is wrong");
            let told = super::told(&error, &text);
            assert!(told.contains(&format!("line {line},")) && told.contains(remedy), "{text}\n{told}");
        }
    }

    #[test]
    fn what_is_told_well_already_stays_as_it_is() {
        for text in
            ["[store]\nplace = 1\n", "[watch]\nasns = \"some\"\n", "[watch]\nmin_duration = 120\n", "[[\n"]
        {
            let error = toml::from_str::<super::super::Config>(text).expect_err("it is wrong");
            assert_eq!(super::told(&error, text), error.to_string().trim_end());
        }
    }
}
