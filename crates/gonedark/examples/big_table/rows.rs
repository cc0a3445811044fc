//! Rows of a table like that of RIS today, as MRT bytes made once and patched for each prefix.
//!
//! Paths are as diverse as those of route-views2 on 2014-05-23, extrapolated to more peers (docs/benchmarks.md says
//! how that was measured): by Pitman-Yor processes, in which the number of distinct values grows with the number of
//! peers as it does there. Tails are drawn for paths and paths for peers, so that peers with the same path beyond their
//! own hop have the same tail.

/// Distinct paths without the first hop: 1.8 for 2 peers, 12 for 28, about 62 for 325.
const PATHS: Process = Process { discount: 0.62, strength: 0.9 };
/// Distinct tails among those: 1.2 for 2 peers, 2.5 for 28, about 5.3 for 325.
const TAILS: Process = Process { discount: 0.57, strength: -0.42 };
/// Rows made; enough that the tails of one are not the last row's, few enough to lie beside the table in memory.
const MADE: usize = 512;
/// Networks of one AS that follow each other: 1.2 million networks of about 84,000 ASes (2024).
const NETWORKS_OF_AN_AS: u64 = 14;
/// ASes that others reach the Internet by. Guess.
const UPSTREAMS: u64 = 12_000;
/// 2024-06-01 00:00 UTC.
const STAMP: u32 = 1_717_200_000;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// From 0 up to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number with the given mean, geometrically distributed.
    fn geometric(&mut self, mean: f64) -> usize {
        (self.unit().max(1e-12).ln() / (mean / (1.0 + mean)).ln()) as usize
    }
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A Pitman-Yor process: which of the values seen so far comes next, or a new one.
struct Process {
    discount: f64,
    strength: f64,
}

impl Process {
    fn draw(&self, seen: &mut Vec<u32>, random: &mut Random) -> usize {
        let total = f64::from(seen.iter().sum::<u32>());
        let mut at = random.unit() * (total + self.strength).max(f64::MIN_POSITIVE);
        let old = seen.iter().position(|count| {
            at -= f64::from(*count) - self.discount;
            at < 0.0
        });
        let place = if seen.is_empty() { None } else { old }.unwrap_or(seen.len());
        match seen.get_mut(place) {
            Some(count) => *count += 1,
            None => seen.push(1),
        }
        place
    }
}

/// Where in a row the upstream and the origin of one path stand, and which of the row's tails it has.
struct Patch {
    at: u32,
    tail: u8,
    /// How often the origin stands there.
    origins: u8,
}

struct Template {
    bytes: Vec<u8>,
    patches: Vec<Patch>,
}

/// What the rows that were made have of each other.
#[derive(Default, Debug)]
pub(crate) struct Diversity {
    pub(crate) attribute_bytes: f64,
    pub(crate) path_length: f64,
    pub(crate) paths: f64,
    pub(crate) tails: f64,
}

/// The table: its rows are written one after the other.
pub(crate) struct Rows {
    prefixes: u64,
    peers: u16,
    written: u64,
    v4: Vec<Template>,
    v6: Vec<Template>,
    pub(crate) diversity: Diversity,
}

impl Rows {
    pub(crate) fn new(prefixes: u64, peers: u16) -> Self {
        let mut random = Random(2014);
        let mut diversity = Diversity::default();
        let mut made = |v6, count| {
            let template = |_| Template::new(peers, v6, &mut random, &mut diversity);
            (0..count).map(template).collect::<Vec<_>>()
        };
        let (v4, v6) = (made(false, MADE), made(true, MADE / 5));
        let rows = (v4.len() + v6.len()) as f64;
        let entries = rows * f64::from(peers);
        diversity.attribute_bytes /= entries;
        diversity.path_length /= entries;
        diversity.paths /= rows;
        diversity.tails /= rows;
        Rows { prefixes, peers, written: 0, v4, v6, diversity }
    }

    /// The PEER_INDEX_TABLE record (RFC 6396 section 4.3.1).
    pub(crate) fn peer_index(&self) -> Vec<u8> {
        let mut body = vec![0, 0, 0, 0, 0, 0];
        body.extend(self.peers.to_be_bytes());
        for peer in 0..self.peers {
            // Four-byte ASN, IPv4 address.
            body.push(2);
            body.extend([0; 4]);
            body.extend([10, 0, (peer >> 8) as u8, peer as u8]);
            body.extend(peer_asn(peer).to_be_bytes());
        }
        let mut record = header(1, body.len());
        record.extend(body);
        record
    }

    /// Appends whole records up to about `size` bytes; false where the table has ended before.
    pub(crate) fn write(&mut self, chunk: &mut Vec<u8>, size: usize) -> bool {
        let begin = chunk.len();
        while chunk.len() < size && self.written < self.prefixes {
            self.write_row(chunk);
            self.written += 1;
        }
        chunk.len() > begin
    }

    fn write_row(&self, chunk: &mut Vec<u8>) {
        // A sixth is IPv6, as of the networks that RIS had in 2024, and comes last.
        let of_v4 = self.prefixes * 5 / 6;
        let (index, is_v4) = (self.written, self.written < of_v4);
        let made = if is_v4 { &self.v4 } else { &self.v6 };
        let template = &made[(mix(index) % made.len() as u64) as usize];
        let start = chunk.len();
        chunk.extend_from_slice(&template.bytes);
        let record = &mut chunk[start..];
        // Behind the header stand the sequence number, the length of the prefix and the prefix.
        record[12..16].copy_from_slice(&(index as u32).to_be_bytes());
        if is_v4 {
            // 1.0.0.0/24 to 223.255.255.0/24, evenly.
            let network = 0x01_0000 + index * 0xDE_0000 / of_v4.max(1);
            record[17..20].copy_from_slice(&(network as u32).to_be_bytes()[1..]);
        } else {
            // 2001::/48 to 2bff:...::/48, evenly.
            let network = 0x2001_0000_0000 + (index - of_v4) * (0x0BFF_0000_0000 / (self.prefixes - of_v4));
            record[17..23].copy_from_slice(&network.to_be_bytes()[2..]);
        }
        let origin = 1_000 + (index / NETWORKS_OF_AN_AS) as u32;
        for Patch { at, tail, origins } in &template.patches {
            let upstream = 400_000 + (mix(u64::from(origin) << 8 | u64::from(*tail)) % UPSTREAMS) as u32;
            let at = *at as usize;
            record[at..at + 4].copy_from_slice(&upstream.to_be_bytes());
            for place in 1..=usize::from(*origins) {
                record[at + 4 * place..at + 4 * place + 4].copy_from_slice(&origin.to_be_bytes());
            }
        }
    }
}

fn peer_asn(peer: u16) -> u32 {
    3_000 + 7 * u32::from(peer)
}

fn header(subtype: u16, length: usize) -> Vec<u8> {
    let mut bytes = STAMP.to_be_bytes().to_vec();
    bytes.extend(13_u16.to_be_bytes());
    bytes.extend(subtype.to_be_bytes());
    bytes.extend((length as u32).to_be_bytes());
    bytes
}

impl Template {
    fn new(peers: u16, v6: bool, random: &mut Random, diversity: &mut Diversity) -> Self {
        let mut body = vec![0; 4];
        body.push(if v6 { 48 } else { 24 });
        body.resize(body.len() + if v6 { 6 } else { 3 }, 0);
        body.extend(peers.to_be_bytes());
        let (mut paths, mut tails) = (Vec::new(), Vec::new());
        // Of each path its transit ASes, its tail, and how often its origin stands there.
        let mut known: Vec<(Vec<u32>, u8, u8)> = Vec::new();
        let mut patches = Vec::new();
        for peer in 0..peers {
            let place = PATHS.draw(&mut paths, random);
            if place == known.len() {
                let transit = (0..random.geometric(1.1)).map(|_| (random.next() % 60_000) as u32).collect();
                let prepended = if random.unit() < 0.08 { 1 + random.geometric(2.0).min(9) } else { 0 };
                known.push((transit, TAILS.draw(&mut tails, random) as u8, 1 + prepended as u8));
            }
            let (transit, tail, origins) = &known[place];
            let (attributes, at) = attributes(peer, transit, *origins, v6, random);
            body.extend(peer.to_be_bytes());
            body.extend(STAMP.to_be_bytes());
            body.extend((attributes.len() as u16).to_be_bytes());
            patches.push(Patch { at: (12 + body.len() + at) as u32, tail: *tail, origins: *origins });
            diversity.attribute_bytes += attributes.len() as f64;
            diversity.path_length += (2 + transit.len() + usize::from(*origins)) as f64;
            body.extend(attributes);
        }
        diversity.paths += paths.len() as f64;
        diversity.tails += tails.len() as f64;
        let mut bytes = header(if v6 { 4 } else { 2 }, body.len());
        bytes.extend(body);
        Template { bytes, patches }
    }
}

/// The attributes of one entry and the place of the upstream in them; optional ones as often as in route-views2.
fn attributes(peer: u16, transit: &[u32], origins: u8, v6: bool, random: &mut Random) -> (Vec<u8>, usize) {
    let hops = 2 + transit.len() + usize::from(origins);
    let mut bytes = vec![0x40, 1, 1, 0];
    bytes.extend([0x50, 2]);
    bytes.extend((2 + 4 * hops as u16).to_be_bytes());
    bytes.extend([2, hops as u8]);
    bytes.extend(peer_asn(peer).to_be_bytes());
    transit.iter().for_each(|asn| bytes.extend(asn.to_be_bytes()));
    let at = bytes.len();
    bytes.resize(at + 4 * (1 + usize::from(origins)), 0);
    if v6 {
        // MP_REACH_NLRI cut to its next hop (RFC 6396 section 4.3.4).
        bytes.extend([0x80, 14, 17, 16]);
        bytes.extend([0x20; 16]);
    } else {
        bytes.extend([0x40, 3, 4, 10, 0, (peer >> 8) as u8, peer as u8]);
    }
    if random.unit() < 0.38 {
        bytes.extend([0x80, 4, 4, 0, 0, 0, 0]);
    }
    if random.unit() < 0.06 {
        bytes.extend([0xC0, 7, 8, 0, 0, 0x0B, 0xB8, 10, 0, 0, 1]);
    }
    if random.unit() < 0.49 {
        let count = 1 + random.geometric(3.35).min(60);
        bytes.extend([0xC0, 8, 4 * count as u8]);
        bytes.resize(bytes.len() + 4 * count, 0x0B);
    }
    (bytes, at)
}
