//! The scenarios that come with the program tell what was published.

use gonedark::scenario;

#[test]
fn every_builtin_scenario_is_valid_and_says_what_it_is() {
    for name in scenario::builtin_names() {
        let scenario = scenario::builtin(name).unwrap().unwrap();
        assert!(scenario.notice.contains("reconstruction"), "{name}");
    }
}

#[test]
fn peek() {
    let name = std::env::var("SCN").unwrap_or("north-korea-2014".into());
    let cc = std::env::var("LAND").unwrap_or("KP".into());
    let s = scenario::builtin(&name).unwrap().unwrap();
    let t = std::time::Instant::now();
    let truth = scenario::truth(&s);
    let mut truth2 = truth.clone();
    truth2.incidents.retain(|i| i.country.to_string() == cc);
    for i in &mut truth2.incidents {
        i.networks.truncate(5);
    }
    println!("{}", truth2.to_json().unwrap());
    println!("{:?} incidents {}", t.elapsed(), truth.incidents.len());
    for i in &truth.incidents {
        println!("{} {:?} {} flaps {} {:?}", i.country, i.level, i.from, i.flaps.len(), i.families);
    }
    let dir = format!("/tmp/scn/{name}");
    let dir = std::path::Path::new(&dir);
    let _ = std::fs::remove_dir_all(dir);
    let t = std::time::Instant::now();
    let sum = scenario::write(&s, dir, &mut |_| {}).unwrap();
    println!("{:?} files {} records {} bytes {}", t.elapsed(), sum.files, sum.records, sum.bytes);
}
