//! Seeds for the fuzz targets: one small file for each form that the decoder knows.

use super::bmp_wire::{self, PEER, Peer};
use super::wire::{self, ends};
use gonedark_route::{AsnSize, Family};
use std::net::IpAddr;

const AT: u32 = 1_419_264_900;
const V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const V6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7));

/// Named seeds of a target.
pub fn of(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "mrt" => mrt(),
        "bgp_update" => messages().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect(),
        "bmp" => bmp(),
        "ris_live" => ris_live(),
        "flow" => super::flow_seeds::flow(),
        "packet" => super::flow_seeds::packet(),
        // Invented; the form of the RIRs' files (version 2, summary, records).
        _ => vec![(
            "two_records".to_owned(),
            b"2|apnic|20141222|2|19830613|20141222|+1000\n\
              apnic|*|ipv4|*|1|summary\n\
              apnic|*|asn|*|1|summary\n\
              apnic|KP|ipv4|175.45.176.0|1024|20091221|allocated\n\
              apnic|KP|asn|131279|1|20091221|allocated\n"
                .to_vec(),
        )],
    }
}

fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let four = wire::attributes(&[64500, 4837, 131279], AsnSize::Four);
    let two = wire::attributes(&[64500, 4837, 23456], AsnSize::Two);
    let as4 = wire::attribute(0xC0, 17, &wire::path(&[(2, &[131279])], AsnSize::Four));
    let set = wire::path(&[(3, &[65001]), (2, &[64500]), (1, &[131279, 64512])], AsnSize::Four);
    let nets = wire::prefixes(&["175.45.176.0/24", "175.45.177.0/24"]);
    let nets_v6 = wire::prefixes(&["2001:7fb:fe00::/48", "::/0"]);
    let ids = [&[0, 0, 0, 1][..], &wire::prefixes(&["175.45.176.0/24"]), &[0, 0, 0, 2, 0]].concat();
    vec![
        ("open", wire::open(131279, &[wire::add_path(3), (2, vec![])])),
        ("notification", wire::message(3, &[6, 4])),
        ("keepalive", wire::message(4, &[])),
        ("route_refresh", wire::message(5, &[0, 1, 0, 1])),
        ("announce", wire::update(&[], &four, &nets)),
        ("withdraw", wire::update(&nets, &[], &[])),
        ("as4_path", wire::update(&[], &[two, as4].concat(), &nets)),
        ("sets", wire::update(&[], &wire::attributes_of(&set), &nets)),
        ("path_ids", wire::update(&[], &four, &ids)),
        ("reach", wire::update(&[], &[four, wire::mp_reach(Family::V6, 1, &nets_v6)].concat(), &[])),
        ("unreach", wire::update(&[], &wire::mp_unreach(Family::V6, 1, &nets_v6), &[])),
        ("end_of_rib", wire::update(&[], &wire::mp_unreach(Family::V6, 1, &[]), &[])),
    ]
}

fn bmp() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    let loc_rib = Peer { kind: 3, address: V4, ..PEER };
    let open = wire::open(64500, &[wire::add_path(3)]);
    for (name, message) in messages() {
        let indexed = [bmp_wire::indexed(3, 0, b"global"), bmp_wire::indexed(4, 0, &message)].concat();
        let four = bmp_wire::message(4, 0, &[bmp_wire::per_peer(&PEER), indexed].concat());
        let up = bmp_wire::up(&PEER, V4, &open, &message, &bmp_wire::tlv(3, b"global"));
        let mirrored = bmp_wire::of_peer(6, &PEER, &bmp_wire::tlv(0, &message));
        seeds.push((format!("monitoring_{name}"), bmp_wire::monitoring(&loc_rib, &message)));
        seeds.push((format!("up_{name}"), [up, bmp_wire::monitoring(&PEER, &message)].concat()));
        seeds.push((format!("four_{name}"), [four, mirrored].concat()));
    }
    for reason in 0..8 {
        let down = bmp_wire::of_peer(2, &PEER, &[&[reason][..], &wire::message(3, &[6, 4])].concat());
        seeds.push((format!("down_{reason}"), down));
    }
    let counters = [bmp_wire::tlv(0, &[0; 4]), bmp_wire::tlv(7, &[0; 8]), bmp_wire::tlv(9, &[0; 11])];
    seeds.push(("statistics".into(), bmp_wire::statistics(&PEER, &counters)));
    for kind in [4, 5] {
        seeds.push((format!("information_{kind}"), bmp_wire::message(3, kind, &bmp_wire::tlv(1, &[0, 1]))));
    }
    seeds
}

fn ris_live() -> Vec<(String, Vec<u8>)> {
    let heard = r#""timestamp":1558620047.08,"peer":"192.0.2.7","peer_asn":"64500","id":"x","host":"rrc00""#;
    let line =
        |rest: &str| format!("{{\"type\":\"ris_message\",\"data\":{{{heard},{rest}}}}}\n").into_bytes();
    let mut seeds = Vec::new();
    for (name, message) in messages() {
        let raw: String = message.iter().map(|byte| format!("{byte:02X}")).collect();
        let kind = match message[18] {
            1 => "OPEN",
            3 => "NOTIFICATION",
            4 => "KEEPALIVE",
            _ => "UPDATE",
        };
        seeds.push((name.to_owned(), line(&format!(r#""type":"{kind}","raw":"{raw}""#))));
    }
    let fields = r#""path":[64500,[131279,64512]],"announcements":[{"next_hop":"::1","prefixes":["10.0.0.0/8","::/0"]}]"#;
    seeds.push((
        "fields".into(),
        line(&format!(r#""type":"UPDATE",{fields},"withdrawals":["2001:db8::/32"]"#)),
    ));
    seeds.push(("state".into(), line(r#""type":"RIS_PEER_STATE","state":"down""#)));
    seeds.push((
        "bare".into(),
        format!(r#"{{{heard},"type":"W","body":"0002080A0000","prefix":"10.0.0.0/8"}}"#).into(),
    ));
    seeds.push(("error".into(), br#"{"type":"ris_error","data":{"message":"\u0041\n"}}"#.to_vec()));
    seeds.push(("list".into(), br#"{"type":"ris_rrc_list","data":["rrc00",1e-3,true,null,{}]}"#.to_vec()));
    seeds
}

fn mrt() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for (name, message) in messages() {
        let in_record = |subtype, size, peer| {
            wire::record(AT, 16, subtype, &[ends(size, 64500, 64999, peer), message.clone()].concat())
        };
        let open = wire::open(64500, &[wire::add_path(2)]);
        let open = wire::record(AT, 16, 4, &[ends(AsnSize::Four, 64500, 64999, V4), open].concat());
        seeds.push((format!("as4_{name}"), [open, in_record(4, AsnSize::Four, V4)].concat()));
        seeds.push((format!("as2_{name}"), in_record(1, AsnSize::Two, V6)));
        let et =
            wire::record_et(AT, 5, 4, &[ends(AsnSize::Four, 64500, 64999, V4), message.clone()].concat());
        seeds.push((format!("et_{name}"), et.clone()));
        seeds.push((format!("et_short_{name}"), wire::shortened_length(et, 4)));
        let both = [&[0xFB, 0xF4, 192, 0, 2, 7][..], &[0xFB, 0xF5, 192, 0, 2, 8]].concat();
        let legacy = wire::record(AT, 5, 1, &[&both[..], &message[19..]].concat());
        seeds.push((format!("legacy_{name}"), legacy));
    }
    let state = [&ends(AsnSize::Four, 64500, 64999, V4)[..], &[0, 6, 0, 1]].concat();
    seeds.push(("state".into(), wire::record(AT, 16, 5, &state)));
    let attributes = wire::attributes(&[64500, 131279], AsnSize::Four);
    let table = wire::record(AT, 13, 1, &wire::peer_index_table(&[(64500, V4), (64501, V6)]));
    for (subtype, network, path_id) in
        [(2, "175.45.176.0/24", None), (4, "2001:7fb:fe00::/48", None), (8, "175.45.176.0/24", Some(7))]
    {
        let entries = [(0, path_id, attributes.clone()), (1, path_id, attributes.clone())];
        let row = wire::record(AT, 13, subtype, &wire::rib_row(1, network.parse().unwrap(), &entries));
        seeds.push((format!("rib_{subtype}"), [table.clone(), row].concat()));
    }
    let entry = wire::table_dump_entry(
        "6.0.0.0/8".parse().unwrap(),
        3333,
        V4,
        &wire::attributes(&[3333], AsnSize::Two),
    );
    let dump = wire::record(AT, 12, 1, &[&[0, 0, 0, 1][..], &entry, &entry].concat());
    seeds.push(("table_dump_short".into(), wire::shortened_length(dump.clone(), 4)));
    seeds.push(("table_dump".into(), dump));
    seeds
}
