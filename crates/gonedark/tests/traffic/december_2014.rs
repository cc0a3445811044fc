//! The reconstructed telemetry gives what Arbor Networks published of 18 to 22 December 2014.

use super::{attacks, gonedark, json, text};
use serde_json::Value;
use std::collections::BTreeSet;

fn day(attack: &Value) -> u32 {
    attack["start"]["latest"].as_str().and_then(|at| at[8..10].parse().ok()).expect("a day")
}

fn ports(attack: &Value) -> Vec<u64> {
    let ports = attack["top_ports"].as_array().expect("a list").iter();
    ports.map(|port| port["port"].as_u64().expect("a port")).collect()
}

fn vectors(attack: &Value) -> Vec<&str> {
    attack["vectors"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|vector| vector["name"].as_str())
        .collect()
}

#[test]
fn the_telemetry_of_december_2014_gives_the_published_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = gonedark(&["scenario", "write", "north-korea-2014", "--out", text(folder.path())]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let flows = folder.path().join("flows/upstream.pcap");
    let report = json(&["flows", text(&flows), "--country", "KP"]);
    assert_eq!(report["exporters"][0]["sampling_from"], "options");
    let all = attacks(&report);
    // From two on the first day to more than ten on Saturday.
    let of_day = |wanted: u32| all.iter().filter(move |attack| day(attack) == wanted);
    assert_eq!(of_day(18).count(), 2);
    assert!(of_day(20).count() > 10, "{}", of_day(20).count());
    // Six addresses, all of one /24.
    let targets: BTreeSet<&str> = all.iter().filter_map(|attack| attack["target"]["code"].as_str()).collect();
    let published = ["8", "9", "10", "67", "77", "79"].map(|host| format!("175.45.176.{host}"));
    assert_eq!(targets, published.iter().map(String::as_str).collect());
    // To port 80 on the first three days; then reflection to port 53, but for the first of the 21st.
    let (to_80, reflected): (Vec<_>, Vec<_>) = all.iter().partition(|attack| ports(attack) == [80]);
    assert!(to_80.iter().all(|attack| day(attack) <= 21));
    let of_21: Vec<_> = to_80.iter().filter(|attack| day(attack) == 21).collect();
    assert_eq!(of_21.len(), 1);
    assert_eq!(vectors(of_21[0]), ["ssdp amplification (udp source port 1900)"]);
    let first = of_day(21).min_by_key(|attack| attack["start"]["latest"].as_str()).expect("one");
    assert_eq!(first["id"], of_21[0]["id"]);
    for attack in &reflected {
        assert!(day(attack) >= 21 && ports(attack) == [53], "{attack:#}");
        let known = ["ntp amplification (udp source port 123)", "ssdp amplification (udp source port 1900)"];
        assert!(known.contains(&vectors(attack)[0]) && vectors(attack).len() == 1);
    }
    // The peak, on Saturday: 5.97 Gbit/s and 1.70 Mpps, in one attack.
    let peak = all.iter().max_by_key(|attack| attack["impact"]["peak"]["pps"].as_u64()).expect("one");
    let [pps, bps] = ["pps", "bps"].map(|unit| peak["impact"]["peak"][unit].as_f64().expect("a rate"));
    assert_eq!(day(peak), 20);
    assert!((pps / 1.70e6 - 1.0).abs() < 0.01, "{pps}");
    assert!((bps / 5.97e9 - 1.0).abs() < 0.01, "{bps}");
    // The longest: 55 min 53 s, to the second where flows are told of each minute.
    let longest = all
        .iter()
        .filter(|attack| day(attack) == 22)
        .max_by_key(|attack| attack["stop"]["latest"].as_str().map(str::to_owned));
    let longest = longest.expect("one");
    assert_eq!(longest["start"]["latest"], "2014-12-22T14:20:07Z");
    assert!(longest["stop"]["latest"].as_str().is_some_and(|at| at.starts_with("2014-12-22T15:1")));
}

#[test]
fn the_attacks_lie_beside_the_outage_as_dated_facts() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = gonedark(&["scenario", "write", "north-korea-2014", "--out", text(folder.path())]);
    assert!(written.status.success());
    let [archives, flows] = ["rrc00", "flows/upstream.pcap"].map(|name| folder.path().join(name));
    let replay = ["replay", text(&archives), "--country", "KP"];
    let without = json(&replay);
    assert!(without.get("evidence").is_none(), "nobody told of traffic");
    let with = json(&[&replay[..], &["--flows", text(&flows)]].concat());
    assert_eq!(with["incidents"], without["incidents"], "attacks change nothing of what is said of routes");
    let evidence = with["evidence"].as_array().expect("a list");
    let incidents = with["incidents"].as_array().expect("a list");
    let great = incidents.iter().find(|incident| incident["onset"]["vote"].as_str() > Some("2014-12-22T16"));
    let great = great.expect("the outage of the 22nd");
    let beside: Vec<&Value> = evidence.iter().filter(|it| it["incident"] == great["id"]).collect();
    assert_eq!(beside.len(), 27);
    let lies = |how: &str| beside.iter().filter(|it| it["lies"] == how).count();
    // It began with the flapping of the 21st: what came on the first days was over by then.
    assert!(lies("before") >= 18 && lies("within") + lies("across") >= 4, "{}", lies("before"));
    for it in beside.iter().filter(|it| it["lies"] == "before") {
        let [min, max] = ["min", "max"].map(|end| it["before_s"][end].as_u64().expect("seconds"));
        assert!(min <= max && max < 5 * 24 * 3600);
    }
    // Three days after the last of them the outage of the 27th has some as well; a week after, nothing would be told.
    let told: BTreeSet<&str> = evidence.iter().filter_map(|it| it["incident"].as_str()).collect();
    assert!(told.len() > 1);
}

#[test]
fn a_country_that_nobody_attacked_has_no_attack() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = gonedark(&["scenario", "write", "north-korea-2014", "--out", text(folder.path())]);
    assert!(written.status.success());
    let report = json(&["flows", text(&folder.path().join("flows/upstream.pcap")), "--country", "DE"]);
    assert!(attacks(&report).is_empty());
    assert!(report["records"].as_u64().is_some_and(|records| records > 100_000));
}

/// Where a stretch begins that is drawn with these words in its line, in pixels.
fn left_of(svg: &str, drawn: &str) -> f64 {
    let line = svg.lines().find(|line| line.contains(drawn)).expect(drawn);
    let x = line.split(" x=\"").nth(1).and_then(|rest| rest.split('"').next());
    x.and_then(|x| x.parse().ok()).expect("a place")
}

#[test]
fn the_attack_of_the_20th_is_drawn_left_of_the_outage_on_one_axis() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = gonedark(&["scenario", "write", "north-korea-2014", "--out", text(folder.path())]);
    assert!(written.status.success());
    let [archives, flows, graph] =
        ["rrc00", "flows/upstream.pcap", "beside.svg"].map(|name| folder.path().join(name));
    // The window begins on the day of the outage: the axis reaches back to the attacks all the same.
    let window = ["--from", "2014-12-22", "--until", "2014-12-24", "--graph", text(&graph)];
    let replay = ["replay", text(&archives), "--country", "KP", "--flows", text(&flows)];
    let said = gonedark(&[&replay[..], &window[..]].concat());
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let svg = std::fs::read_to_string(&graph).expect("a picture");
    assert!(svg.contains("27 denials of service beside the outages of North Korea"), "{svg}");
    let largest = "175.45.176.67: UDP to port 80, 5.97 Gbit/s";
    assert!(left_of(&svg, largest) < left_of(&svg, "class=\"g-phase\" fill=\"url(#g-dark)\""));
    let labels = ["19 Dec", "20 Dec", "21 Dec", "22 Dec", "23 Dec"];
    assert!(labels.iter().all(|day| svg.contains(&format!(">{day}<"))), "every day has its place");
}
