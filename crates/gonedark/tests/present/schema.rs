//! The JSON against its schema, its order of keys, and what CSV and Parquet say of the same.

use crate::fixtures::{self, Fixture};
use gonedark::present::{csv, json, series};
use serde_json::Value;

fn text(fixture: &Fixture) -> String {
    let mut out = Vec::new();
    json::write(&mut out, &fixture.case()).unwrap();
    String::from_utf8(out).unwrap()
}

fn all() -> [Fixture; 5] {
    [
        fixtures::north_korea(),
        fixtures::ongoing(),
        fixtures::v6_only(),
        fixtures::nothing(),
        fixtures::crowd(),
    ]
}

/// What is used of JSON Schema in docs/replay.schema.json, and nothing else: an unknown keyword is an error.
fn check(root: &Value, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    let rules = schema.as_object().unwrap();
    for (keyword, rule) in rules {
        let holds = match keyword.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().trim_start_matches("#/$defs/");
                check(root, &root["$defs"][name], value, at, errors);
                root["$defs"].get(name).is_some()
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|one| has_type(value, one.as_str().unwrap())),
                one => has_type(value, one.as_str().unwrap()),
            },
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
            "pattern" => value.as_str().is_none_or(is_time),
            "required" => value.as_object().is_none_or(|object| {
                rule.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))
            }),
            "properties" => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = rule.get(key) {
                        check(root, schema, inner, &format!("{at}/{key}"), errors);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = &rules["properties"];
                value.as_object().is_none_or(|object| object.keys().all(|key| known.get(key).is_some()))
            }
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{at}/{place}"), errors);
                }
                true
            }
            "$schema" | "$id" | "title" | "description" | "$defs" => true,
            other => panic!("the check does not know {other}"),
        };
        if !holds {
            errors.push(format!("{at}: {keyword} {rule} does not hold of {value}"));
        }
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("the check does not know the type {other}"),
    }
}

/// The only pattern of the schema: RFC 3339 in UTC, with six digits of a fraction or none.
fn is_time(text: &str) -> bool {
    text.ends_with('Z') && [20, 27].contains(&text.len()) && text.parse::<jiff::Timestamp>().is_ok()
}

#[test]
fn json_holds_to_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/replay.schema.json")).unwrap();
    for fixture in all() {
        let document: Value = serde_json::from_str(&text(&fixture)).unwrap();
        let mut errors = Vec::new();
        check(&schema, &schema, &document, "", &mut errors);
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
}

#[test]
fn the_schema_knows_every_reason_of_blindness_and_no_other() {
    use gonedark_infer::report::BlindReason::{
        self, Absent, Damage, MissingFile, SessionDown, SilentRestart,
    };
    // A reason that is added does not compile here, so that it is added to the list, too.
    let known = |reason: BlindReason| match reason {
        MissingFile | SessionDown | Absent | SilentRestart | Damage => reason.name(),
    };
    let all = [MissingFile, SessionDown, Absent, SilentRestart, Damage].map(known);
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/replay.schema.json")).unwrap();
    let blind = &schema["properties"]["coverage"]["properties"]["blind"]["items"]["properties"];
    let in_schema = blind["reason"]["enum"].as_array().unwrap();
    assert_eq!(*in_schema, all.map(Value::from));
}

#[test]
fn the_check_of_the_schema_can_fail() {
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/replay.schema.json")).unwrap();
    let good = text(&fixtures::north_korea());
    let spoilt = [
        ("\"lifecycle\": \"ended\"", "\"lifecycle\": \"over\""),
        ("\"schema\": 1", "\"schema\": 2"),
        ("\"stuck\"", "\"zombies\""),
        ("2014-12-22T16:07:12Z", "2014-12-22 16:07:12"),
        ("\"flaps\": 31", "\"flaps\": \"31\""),
    ];
    for (from, to) in spoilt {
        assert!(good.contains(from), "{from}");
        let document: Value = serde_json::from_str(&good.replace(from, to)).unwrap();
        let mut errors = Vec::new();
        check(&schema, &schema, &document, "", &mut errors);
        assert!(!errors.is_empty(), "{from} -> {to}");
    }
}

/// The keys at one depth of indentation, in the order in which they stand, within the lines given.
fn keys(text: &str, depth: usize) -> Vec<&str> {
    let indent = " ".repeat(depth * 2);
    text.lines()
        .filter_map(|line| {
            line.strip_prefix(&indent)?.strip_prefix('"')?.split_once("\": ").map(|(key, _)| key)
        })
        .collect()
}

#[test]
fn keys_stand_in_the_order_of_the_contract() {
    let text = text(&fixtures::north_korea());
    assert_eq!(
        keys(&text, 1),
        [
            "schema",
            "tool",
            "parameters",
            "countries",
            "inputs",
            "window",
            "entities",
            "coverage",
            "incidents"
        ]
    );
    let (head, incidents) = text.split_once("\n  \"incidents\"").unwrap();
    let incident = [
        "id",
        "entity",
        "lifecycle",
        "level",
        "families",
        "onset",
        "recovery",
        "duration_s",
        "phases",
        "networks",
        "witnesses",
    ];
    assert_eq!(keys(incidents, 3)[..11], incident);
    let inputs = head.split_once("\n  \"inputs\"").unwrap().1.split_once("\n  \"window\"").unwrap().0;
    assert_eq!(
        keys(inputs, 3)[..9],
        ["path", "sha256", "collector", "kind", "first", "last", "records", "skipped", "damage"]
    );
    assert!(inputs.find("route-views2").unwrap() < inputs.find("rrc00").unwrap(), "sorted by collector");
    let parameters =
        head.split_once("\n  \"parameters\"").unwrap().1.split_once("\n  \"countries\"").unwrap().0;
    assert_eq!(keys(parameters, 2), ["min_duration_s", "full_feed_share", "lost_below", "back_from"]);
    let entities = head.split_once("\n  \"entities\"").unwrap().1.split_once("\n  \"coverage\"").unwrap().0;
    assert_eq!(
        keys(entities, 3),
        ["kind", "code", "name", "state", "networks", "addresses", "origin_asns", "upstreams", "flaps"]
    );
}

#[test]
fn every_form_gives_the_same_bytes_twice_and_in_any_order_of_inputs() {
    for fixture in all() {
        let first = text(&fixture);
        let mut turned = Fixture { report: fixture.report.clone(), run: fixture.run.clone(), traffic: None };
        turned.run.inputs.reverse();
        assert_eq!(first, text(&turned));
    }
}

#[test]
fn ndjson_is_the_same_in_lines() {
    for fixture in all() {
        let mut out = Vec::new();
        json::write_ndjson(&mut out, &fixture.case()).unwrap();
        let lines: Vec<Value> = out
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        let mut document: Value = serde_json::from_str(&text(&fixture)).unwrap();
        let incidents = document.as_object_mut().unwrap().remove("incidents").unwrap();
        assert_eq!(lines[0], document);
        assert_eq!(lines[1..], incidents.as_array().unwrap()[..]);
    }
}

#[test]
fn csv_has_as_many_fields_as_columns_and_quotes_what_needs_it() {
    let mut fixture = fixtures::north_korea();
    fixture.incident().id = "a,\"b\"\nc".to_owned();
    let mut out = Vec::new();
    csv::write(&mut out, &fixture.case()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\n\"a,\"\"b\"\"\nc\",country,KP,North Korea,ended,dark,"));
    for line in text.lines().filter(|line| !line.contains('"')) {
        assert_eq!(line.split(',').count(), csv::COLUMNS.len(), "{line}");
    }
}

#[test]
fn a_missing_sample_has_no_value_and_says_so() {
    let fixture = fixtures::north_korea();
    let mut out = Vec::new();
    series::write_csv(&mut out, &fixture.case()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("time,kind,code,family,signal,value,missing\n"));
    assert!(text.contains("\n2014-12-24T03:00:00Z,country,KP,ipv4,networks_up,,true\n"));
    assert!(text.contains("\n2014-12-24T07:05:00Z,country,KP,ipv4,networks_up,4,false\n"));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_holds_the_same_rows_as_csv() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    let fixture = fixtures::north_korea();
    let mut bytes = Vec::new();
    series::write_parquet(&mut bytes, &fixture.case()).unwrap();
    let mut again = Vec::new();
    series::write_parquet(&mut again, &fixture.case()).unwrap();
    assert_eq!(bytes, again, "byte-identical");
    let file = std::env::temp_dir().join(format!("gonedark-series-{}.parquet", std::process::id()));
    std::fs::write(&file, &bytes).unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(&file).unwrap()).unwrap();
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let cells = row.get_column_iter().map(|(_, field)| match field {
            Field::TimestampMicros(micros) => gonedark_route::Time::from_micros(*micros).to_string(),
            Field::Str(text) => text.clone(),
            Field::Long(value) => value.to_string(),
            Field::Bool(missing) => missing.to_string(),
            Field::Null => String::new(),
            other => panic!("{other:?}"),
        });
        rows.push(cells.collect::<Vec<_>>().join(","));
    }
    std::fs::remove_file(&file).unwrap();
    let mut csv = Vec::new();
    series::write_csv(&mut csv, &fixture.case()).unwrap();
    let lines: Vec<String> = String::from_utf8(csv).unwrap().lines().skip(1).map(str::to_owned).collect();
    assert_eq!(rows, lines);
}

#[test]
fn a_form_that_was_not_built_in_says_what_to_do() {
    let of = |name: &str| series::Format::of(std::path::Path::new(name));
    assert_eq!(of("out/Series.CSV"), Ok(series::Format::Csv));
    assert!(of("series.xlsx").unwrap_err().contains(".csv or .parquet"));
    match cfg!(feature = "parquet") {
        true => assert_eq!(of("series.parquet"), Ok(series::Format::Parquet)),
        false => assert!(of("series.parquet").unwrap_err().contains("--features parquet")),
    }
    let picture = |name: &str| gonedark::present::graph::Format::of(std::path::Path::new(name));
    assert_eq!(picture("a.svg"), Ok(gonedark::present::graph::Format::Svg));
    assert!(picture("a.gif").is_err());
}
