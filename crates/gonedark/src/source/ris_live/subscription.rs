//! What the server is asked for.

use super::Settings;
use serde_json::{Value, json};

/// What is no UPDATE, and comes in no subscription to prefixes or paths: sessions, and signs of life.
const BESIDES: [&str; 4] = ["RIS_PEER_STATE", "OPEN", "NOTIFICATION", "KEEPALIVE"];

/// The texts to send. The server gives what any of them asks for; within one all conditions have to hold, so that there is
/// one for each collector with each prefix and each AS.
pub(super) fn texts(settings: &Settings) -> Vec<String> {
    let Settings { collectors, prefixes, asns, .. } = settings;
    let mut conditions: Vec<Vec<(&str, Value)>> = Vec::new();
    for prefix in prefixes {
        let conditions_of = vec![("prefix", json!(prefix.to_string())), ("moreSpecific", json!(true))];
        conditions.push(conditions_of);
    }
    conditions.extend(asns.iter().map(|asn| vec![("path", json!(asn.to_string()))]));
    if conditions.is_empty() {
        conditions.push(Vec::new());
    } else {
        conditions.extend(BESIDES.map(|kind| vec![("type", json!(kind))]));
    }
    let hosts: Vec<Option<&String>> = match collectors.len() {
        0 => vec![None],
        _ => collectors.iter().map(Some).collect(),
    };
    let mut texts = Vec::new();
    for host in hosts {
        for conditions in &conditions {
            let mut data = json!({"socketOptions": {"includeRaw": true, "acknowledge": true}});
            conditions.iter().for_each(|(key, value)| data[*key] = value.clone());
            if let Some(host) = host {
                data["host"] = json!(host);
            }
            texts.push(json!({"type": "ris_subscribe", "data": data}).to_string());
        }
    }
    texts
}

/// What the server answers with a `pong`.
pub(super) fn ping() -> String {
    json!({"type": "ping"}).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::Pace;
    use super::*;
    use std::collections::BTreeSet;

    fn settings(collectors: &[&str], prefixes: &[&str], asns: &[u32]) -> Settings {
        Settings {
            name: "ris".into(),
            url: "ws://127.0.0.1:1/".into(),
            collectors: collectors.iter().map(|name| (*name).to_owned()).collect(),
            prefixes: prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect(),
            asns: asns.to_vec(),
            hold: 2_000_000,
            expected: BTreeSet::new(),
            pace: Pace::default(),
        }
    }

    #[test]
    fn without_conditions_everything_is_asked_for_once() {
        let all = texts(&settings(&[], &[], &[]));
        let raw =
            r#"{"data":{"socketOptions":{"acknowledge":true,"includeRaw":true}},"type":"ris_subscribe"}"#;
        assert_eq!(all, [raw]);
    }

    #[test]
    fn each_collector_is_asked_for_each_prefix_each_as_and_its_sessions() {
        let all = texts(&settings(&["rrc00", "rrc21"], &["175.45.176.0/22"], &[131_279]));
        assert_eq!(all.len(), 2 * (1 + 1 + 4));
        let of =
            |words: &[&str]| all.iter().filter(|text| words.iter().all(|word| text.contains(word))).count();
        assert_eq!(of(&[r#""host":"rrc21""#]), 6);
        assert_eq!(of(&[r#""prefix":"175.45.176.0/22""#, r#""moreSpecific":true"#]), 2);
        assert_eq!(of(&[r#""path":"131279""#]), 2);
        assert_eq!(of(&[r#""type":"RIS_PEER_STATE""#]), 2);
        assert_eq!(of(&[r#""includeRaw":true"#]), 12);
    }
}
