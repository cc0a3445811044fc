//! Seeds for the fuzz targets of flows and packets.

use super::flow_wire::*;

/// Datagrams as the target reads them: whose, how long, and the bytes.
fn stream(datagrams: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let one = |(whose, datagram): &(u8, Vec<u8>)| {
        [&[*whose][..], &u16s(&[datagram.len() as u16]), datagram].concat()
    };
    datagrams.iter().flat_map(one).collect()
}

pub fn flow() -> Vec<(String, Vec<u8>)> {
    let plain = template(256, &FIELDS);
    let with_all: Vec<(u32, u16, u16)> = [
        (8, 4),
        (12, 4),
        (27, 16),
        (28, 16),
        (7, 2),
        (11, 2),
        (4, 1),
        (6, 2),
        (1, 8),
        (2, 3),
        (21, 4),
        (22, 4),
        (48, 1),
        (88, 2),
        (197, 1),
        (176, 1),
        (177, 1),
        (10, 4),
        (160, 8),
        (161, 4),
    ]
    .map(|(number, length)| (0, number, length))
    .into_iter()
    .chain([(29305, 1, 8), (29305, 2, 4), (35632, 80, 65_535), (0, 315, 65_535)])
    .collect();
    let length: u16 = with_all.iter().map(|(_, _, length)| if *length == 65_535 { 0 } else { *length }).sum();
    let all = [&vec![6; usize::from(length)][..], &[2, 1, 1, 60], &frame(1, 2)].concat();
    let options = set(1, &v9_options(257, &[(1, 4)], &[(48, 1), (49, 1), (50, 4)]));
    let told = set(257, &[0, 0, 0, 0, 1, 2, 0, 0, 3, 232]);
    let selector =
        set(3, &ipfix_options(257, &[(302, 8)], &[(305, 4), (306, 4), (309, 4), (310, 4), (311, 8)]));
    let data = set(256, &[record(1, 2, 3, 4), record(5, 6, 7, 8)].concat());
    let raw = raw_header(64, &frame(1, 2));
    let addressed = opaque(3, &u32s(&[100, 17, 7, 8, 53, 4_000, 0, 0]));
    let discard = opaque(5, &[&u32s(&[1, 0, 7, 0, 1, 2, 256, 1])[..], &raw].concat());
    let samples = [
        flow_sample(1, 64, &[raw.clone(), addressed]),
        expanded_sample(2, 64, std::slice::from_ref(&raw)),
        opaque(2, &[0; 12]),
        discard,
    ];
    let seeds = vec![
        ("v5", vec![(0, v5(0, 0x4000 | 100, 2, &[v5_record(1, 2, 3, 4), v5_record(5, 6, 7, 8)]))]),
        (
            "v9",
            vec![(0, v9(0, 1, &[set(0, &plain), data.clone()])), (1, v9(1, 1, std::slice::from_ref(&data)))],
        ),
        ("v9_late", vec![(0, v9(0, 1, &[data.clone(), options, told, set(0, &plain), data.clone()]))]),
        ("ipfix", vec![(0, ipfix(0, 1, &[set(2, &enterprise_template(256, &with_all)), set(256, &all)]))]),
        (
            "ipfix_options",
            vec![
                (
                    0,
                    ipfix(
                        0,
                        1,
                        &[
                            selector,
                            set(
                                257,
                                &[
                                    0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 99, 0, 0, 0, 1, 0, 0, 0, 9,
                                    0, 0, 0, 0, 0, 0, 0, 0,
                                ],
                            ),
                        ],
                    ),
                ),
                (0, ipfix(1, 1, &[set(2, &plain), data, set(2, &u16s(&[256, 0])), set(3, &u16s(&[3, 0]))])),
            ],
        ),
        ("sflow", vec![(0, sflow(0, &samples)), (0, sflow(2, &samples[..1]))]),
    ];
    seeds.into_iter().map(|(name, datagrams)| (name.to_owned(), stream(&datagrams))).collect()
}

pub fn packet() -> Vec<(String, Vec<u8>)> {
    let syn = frame(1, 2);
    let packet = &syn[14..54];
    let wrapped = |protocol: u8, before: &[u8], inside: &[u8]| {
        let length = (20 + before.len() + inside.len()) as u16;
        let header = [&[0x45, 0][..], &u16s(&[length]), &[0, 0, 0, 0, 64, protocol, 0, 0], &[10; 8]].concat();
        [&[2; 12][..], &[8, 0], &header, before, inside].concat()
    };
    let vxlan = [&u16s(&[1, 4_789, 0, 0])[..], &[8, 0, 0, 0, 0, 0, 9, 0]].concat();
    let tagged = [&syn[..12], &[0x88, 0xA8, 0, 9, 0x81, 0, 0, 10], &syn[12..]].concat();
    let labelled = [&syn[..12], &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64, 0, 0, 0, 0], &syn[..]].concat();
    let six = [
        &[0x60, 0, 0, 0, 0, 36, 0, 64][..],
        &[0x20; 32],
        &[44, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 1],
        &packet[20..],
    ];
    vec![
        ("syn".to_owned(), syn.clone()),
        ("tagged".to_owned(), tagged),
        ("labelled".to_owned(), labelled),
        ("ip_in_ip".to_owned(), wrapped(4, &[], packet)),
        ("gre".to_owned(), wrapped(47, &[0xB0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], packet)),
        ("vxlan".to_owned(), wrapped(17, &vxlan, &syn)),
        ("icmp_error".to_owned(), wrapped(1, &[3, 3, 0, 0, 0, 0, 0, 0], packet)),
        ("ipv6_fragment".to_owned(), six.concat()),
    ]
}
