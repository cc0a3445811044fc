//! METHOD.md names every threshold on traffic with the value in force.

use gonedark_infer::traffic::Parameters;

/// `20000 packets/s`, `4 times`, `2 min` in the units of [`Parameters`].
fn in_parameters(said: &str) -> Option<i64> {
    let (number, unit) = said.split_once(' ')?;
    let scale = match unit {
        "s" => 1_000_000,
        "min" => 60_000_000,
        "d" => 86_400_000_000,
        _ => 1,
    };
    Some(number.parse::<i64>().ok()? * scale)
}

#[test]
fn method_md_gives_the_thresholds_on_traffic_that_are_in_force() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../METHOD.md");
    let method = std::fs::read_to_string(path).expect("METHOD.md");
    // Names may stand in the table of the routing, too.
    let (_, method) = method.split_once("## Traffic and attacks").expect("the section");
    let shown = format!("{:?}", Parameters::default());
    let fields = shown.trim_start_matches("Parameters {").trim_end_matches('}').split(',');
    let fields: Vec<(&str, i64)> = fields
        .filter_map(|field| field.trim().split_once(": "))
        .map(|(name, value)| (name, value.trim().parse().expect("a number")))
        .collect();
    assert!(fields.len() >= 35, "{shown}");
    for (name, value) in fields {
        let row = method.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("no row for `{name}` in METHOD.md"));
        let said = row.split('|').nth(2).unwrap_or_default().trim();
        assert_eq!(in_parameters(said), Some(value), "METHOD.md says {said} for `{name}`");
    }
}
