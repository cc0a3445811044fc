//! A scenario that cannot be used says which line, what is wrong, and what to do.

use gonedark::scenario::Scenario;

const GOOD: &str = r#"title = "x"
notice = "invented"
seed = 1
from = 2020-01-01T00:00:00Z
until = 2020-01-02T00:00:00Z
[topology]
backbone = [1]
source = "invented"
[[collector]]
name = "rrc00"
layout = "ris"
updates_every = "1h"
source = "invented"
peer = [{ asn = 3333, address = "193.0.0.56" }]
[[country]]
code = "KP"
network = [{ prefixes = ["20.0.0.0/24"], origin = 77, source = "invented" }]
[[event]]
at = 2020-01-01T10:00:00Z
what.withdraw = { networks.country = "KP", spread = "5m" }
precision = "1s"
source = "invented"
"#;

/// The error after one replacement.
fn error(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    Scenario::parse(&GOOD.replacen(from, to, 1), "my.toml").unwrap_err().to_string()
}

#[test]
fn the_good_one_is_good() {
    Scenario::parse(GOOD, "my.toml").unwrap();
}

#[test]
fn each_mistake_is_named_with_its_line_and_a_remedy() {
    let cases = [
        ("seed = 1", "seed = 1\nsalt = 2", "my.toml:4: unknown field `salt`"),
        ("spread = \"5m\"", "spred = \"5m\"", "my.toml:20: unknown field `spred`"),
        ("what.withdraw", "what.vanish", "my.toml:20: unknown variant `vanish`"),
        ("spread = \"5m\"", "spread = \"five\"", "my.toml:20: `five` is no duration"),
        (
            "at = 2020-01-01T10:00:00Z",
            "at = 2020-01-01T10:00:00",
            "my.toml:19: `2020-01-01T10:00:00` is no moment in UTC",
        ),
        (
            "at = 2020-01-01T10",
            "at = 2020-01-03T10",
            "my.toml:18: 2020-01-03T10:00:00Z is outside the window",
        ),
        ("networks.country = \"KP\"", "networks.country = \"SY\"", "no network of the scenario is meant"),
        ("networks.country = \"KP\"", "networks.prefixes = [\"20.0.9.0/24\"]", "20.0.9.0/24 is no network"),
        ("\"20.0.0.0/24\"", "\"20.0.0.1/24\"", "my.toml:17: `20.0.0.1/24` has bits behind its length"),
        ("\"20.0.0.0/24\"", "\"20.0.0.0/24\", \"20.0.0.0/24\"", "20.0.0.0/24 is announced twice"),
        ("code = \"KP\"", "code = \"Korea\"", "my.toml:15: `Korea` is no country code"),
        ("address = \"193.0.0.56\"", "address = \"here\"", "my.toml:14: `here` is no IP address"),
        ("updates_every = \"1h\"", "updates_every = \"7m\"", "my.toml:9: a rhythm"),
        ("name = \"rrc00\"", "name = \"../rrc00\"", "my.toml:9: collector name"),
        ("until = 2020-01-02", "until = 2019-01-02", "`until` is not after `from`"),
        (
            "precision = \"1s\"\nsource = \"invented\"",
            "precision = \"1s\"\nsource = \"\"",
            "my.toml:18: `source` is missing",
        ),
        (
            "[[country]]",
            "[[as]]\nasn = 9\nupstreams = [9]\nsource = \"x\"\n[[country]]",
            "AS9 is its own upstream",
        ),
    ];
    for (from, to, expected) in cases {
        let error = error(from, to);
        assert!(error.contains(expected), "{expected}\n{error}");
        assert!(error.contains("; "), "no remedy: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn flaps_that_would_overlap_or_fall_apart_are_refused() {
    let flaps = |first: &str, down: &str| {
        let text = format!(
            "what.flaps = {{ networks.country = \"KP\", lasts = \"5h\", first_interval = \"{first}\", last_interval = \"10m\", down_min = \"1m\", down_max = \"{down}\" }}"
        );
        GOOD.replacen("what.withdraw = { networks.country = \"KP\", spread = \"5m\" }", &text, 1)
    };
    assert!(Scenario::parse(&flaps("1h", "5m"), "x").is_ok());
    assert!(Scenario::parse(&flaps("1h", "12m"), "x").unwrap_err().what.contains("overlap"));
    assert!(Scenario::parse(&flaps("3h", "5m"), "x").unwrap_err().what.contains("2 h apart"));
}

#[test]
fn the_example_of_the_manual_is_a_valid_scenario() {
    let manual = include_str!("../../../docs/scenarios.md");
    let example = manual.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let scenario = Scenario::parse(example, "docs/scenarios.md").unwrap();
    assert_eq!((scenario.networks.len(), scenario.peers.len()), (42, 2));
}

const TRAFFIC: &str = r#"
[[exporter]]
name = "edge"
address = "192.0.2.1"
sampling = 100
active_timeout = "60s"
source = "invented"
[[attack]]
at = 2019-12-30T10:00:00Z
lasts = "5m"
targets = ["20.0.0.8"]
protocol = "udp"
packet_bytes = 400
peak_pps = 1000
sources = 10
precision = "1s"
source = "invented"
"#;

#[test]
fn each_mistake_about_traffic_is_named_with_its_line_and_a_remedy() {
    let good = format!("{GOOD}{TRAFFIC}");
    // Floods may lie outside of the window of the routing.
    Scenario::parse(&good, "my.toml").unwrap();
    let cases = [
        ("name = \"edge\"", "name = \"../edge\"", "my.toml:24: the exporter's name is no file name"),
        ("sampling = 100", "sampling = 0", "my.toml:24: `sampling` is 0"),
        ("\"192.0.2.1\"", "\"2001:db8::1\"", "my.toml:24: `2001:db8::1` is no IPv4 address"),
        ("targets = [\"20.0.0.8\"]", "targets = []", "my.toml:30: a flood needs targets"),
        ("packet_bytes = 400", "packet_bytes = 4", "my.toml:30: `packet_bytes` is not between"),
        ("protocol = \"udp\"", "protocol = \"icmp\"\nsource_port = 1", "my.toml:30: ICMP has no ports"),
        ("sources = 10", "sources = 90000000", "my.toml:30: more than 100 million records"),
        (
            "source = \"invented\"\n[[attack]]",
            "source = \" \"\n[[attack]]",
            "my.toml:24: `source` is missing",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(good.contains(from), "{from}");
        let error = Scenario::parse(&good.replacen(from, to, 1), "my.toml").unwrap_err().to_string();
        assert!(error.starts_with(expected) && error.contains("; "), "{error}");
    }
    let alone = good.split("[[attack]]").next().unwrap();
    let error = Scenario::parse(alone, "my.toml").unwrap_err().to_string();
    assert!(error.contains("an [[attack]] needs an [[exporter]]"), "{error}");
}
