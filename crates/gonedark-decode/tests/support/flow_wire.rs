//! Writes what flow exporters send.
#![allow(dead_code, unreachable_pub, reason = "each test takes its part")]

/// When everything is sent, in seconds since 1970.
pub const AT: u32 = 1_700_000_000;
/// How long exporters are up by then, in milliseconds.
pub const UPTIME: u32 = 90_000_000;

pub fn u16s(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

pub fn u32s(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// A number in so many bytes.
pub fn number(value: u64, length: usize) -> Vec<u8> {
    value.to_be_bytes()[8 - length..].to_vec()
}

/// Version 5, of records of 48 bytes each; the header counts as many as it is told to.
pub fn v5(sequence: u32, sampling: u16, count: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let header = [u16s(&[5, count]), u32s(&[UPTIME, AT, 500_000_000, sequence]), u16s(&[0, sampling])];
    [header.concat(), records.concat()].concat()
}

/// A record of version 5: three packets of TCP to port 80, lasting from `first` to `last`.
pub fn v5_record(source: u32, target: u32, first: u32, last: u32) -> Vec<u8> {
    let numbers = u32s(&[source, target, 0, 0, 3, 1_500, first, last]);
    [numbers, u16s(&[12_345, 80, 0x0012, 0x0600, 0, 0, 0, 0])].concat()
}

pub fn v9(sequence: u32, source_id: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    v9_at(UPTIME, AT, sequence, source_id, sets)
}

pub fn v9_at(uptime: u32, at: u32, sequence: u32, source_id: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    [u16s(&[9, sets.len() as u16]), u32s(&[uptime, at, sequence, source_id]), sets.concat()].concat()
}

pub fn ipfix(sequence: u32, domain: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let sets = sets.concat();
    [u16s(&[10, sets.len() as u16 + 16]), u32s(&[AT, sequence, domain]), sets].concat()
}

/// A set with its header, without padding.
pub fn set(id: u16, body: &[u8]) -> Vec<u8> {
    [u16s(&[id, body.len() as u16 + 4]), body.to_vec()].concat()
}

/// A template of IANA's elements, without a set around it.
pub fn template(id: u16, fields: &[(u16, u16)]) -> Vec<u8> {
    let body = fields.iter().flat_map(|(number, length)| u16s(&[*number, *length]));
    [u16s(&[id, fields.len() as u16]), body.collect()].concat()
}

/// A template of IPFIX, with enterprise numbers where they are not 0.
pub fn enterprise_template(id: u16, fields: &[(u32, u16, u16)]) -> Vec<u8> {
    let one = |(enterprise, number, length): &(u32, u16, u16)| match enterprise {
        0 => u16s(&[*number, *length]),
        _ => [u16s(&[number | 0x8000, *length]), u32s(&[*enterprise])].concat(),
    };
    [u16s(&[id, fields.len() as u16]), fields.iter().flat_map(one).collect()].concat()
}

/// A template of options of version 9.
pub fn v9_options(id: u16, scopes: &[(u16, u16)], fields: &[(u16, u16)]) -> Vec<u8> {
    let body = scopes.iter().chain(fields).flat_map(|(number, length)| u16s(&[*number, *length]));
    [u16s(&[id, scopes.len() as u16 * 4, fields.len() as u16 * 4]), body.collect()].concat()
}

/// A template of options of IPFIX.
pub fn ipfix_options(id: u16, scopes: &[(u16, u16)], fields: &[(u16, u16)]) -> Vec<u8> {
    let body = scopes.iter().chain(fields).flat_map(|(number, length)| u16s(&[*number, *length]));
    let count = scopes.len() + fields.len();
    [u16s(&[id, count as u16, scopes.len() as u16]), body.collect()].concat()
}

/// The fields of a record of IPv4: addresses, ports, protocol, bytes and packets.
pub const FIELDS: [(u16, u16); 7] = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4)];

/// A record of [`FIELDS`]: UDP from port 53.
pub fn record(source: u32, target: u32, bytes: u32, packets: u32) -> Vec<u8> {
    [u32s(&[source, target]), u16s(&[53, 4_000]), vec![17], u32s(&[bytes, packets])].concat()
}

/// An Ethernet frame with a SYN, as long as its IP header says: 40 bytes, padded to 46.
pub fn frame(source: u32, target: u32) -> Vec<u8> {
    let mut bytes = [vec![2; 12], vec![8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0]].concat();
    bytes.extend(u32s(&[source, target]));
    bytes.extend(u16s(&[12_345, 80]));
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xFF, 0xFF, 0, 0, 0, 0]);
    bytes.extend([0; 6]);
    bytes
}

/// A datagram of sFlow from an agent of IPv4.
pub fn sflow(sequence: u32, samples: &[Vec<u8>]) -> Vec<u8> {
    let header = u32s(&[5, 1, 0xC000_0201, 0, sequence, UPTIME, samples.len() as u32]);
    [header, samples.concat()].concat()
}

/// Format, length, bytes: a sample, or a record in one.
pub fn opaque(format: u32, body: &[u8]) -> Vec<u8> {
    [u32s(&[format, body.len() as u32]), body.to_vec()].concat()
}

/// A flow sample.
pub fn flow_sample(sequence: u32, rate: u32, records: &[Vec<u8>]) -> Vec<u8> {
    let head = u32s(&[sequence, 7, rate, 0, 0, 1, 2, records.len() as u32]);
    opaque(1, &[head, records.concat()].concat())
}

/// A flow sample with expanded numbers of interfaces.
pub fn expanded_sample(sequence: u32, rate: u32, records: &[Vec<u8>]) -> Vec<u8> {
    let head = u32s(&[sequence, 0, 7, rate, 0, 0, 0, 1, 0, 2, records.len() as u32]);
    opaque(3, &[head, records.concat()].concat())
}

/// The first bytes of a frame that was `length` bytes long, of which four were stripped.
pub fn raw_header(length: u32, header: &[u8]) -> Vec<u8> {
    let mut body = [u32s(&[1, length, 4, header.len() as u32]), header.to_vec()].concat();
    body.resize(body.len().next_multiple_of(4), 0);
    opaque(1, &body)
}
