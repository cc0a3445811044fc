//! Invents small Internets for property tests: every trap that the inference must survive, drawn from a seed.

use super::check::check;
use super::plan::Scenario;
use super::prng::SplitMix64;
use super::text::{
    AsText, BackgroundText, Change, CollectorEventText, CollectorText, Compression, CountryText, Document,
    EventText, FamilyText, Feed, FlapsText, HijackText, Layout, LeakText, NetworkText, PeerText, RerouteText,
    SessionText, Stamps, StuckText, Target, TopologyText, WhatText,
};
use super::values::{Moment, Span};
use gonedark_route::Time;
use toml::Spanned;

/// 2020-03-01T00:00:00Z, where every invented Internet begins.
const BEGIN: i64 = 1_583_020_800;
/// Countries are taken from here in order (their real networks play no part).
const CODES: [&str; 12] = ["KP", "SY", "EG", "LY", "TM", "CU", "YE", "ER", "TV", "NU", "KI", "ST"];
/// Provider-free ASes.
const BACKBONE: [u32; 5] = [1299, 2914, 3257, 3356, 6762];
const SOURCE: &str = "invented at random";

/// What an invented Internet may contain. Everything is on by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RandomOptions {
    /// Length of the window in hours, 4 to 1,000.
    pub hours: u32,
    /// Collectors, 1 to 9.
    pub collectors: u32,
    /// Full-feed peers of each collector, 1 to 50.
    pub peers: u32,
    /// Countries, 1 to 12. Each has 1 to `networks` networks.
    pub countries: u32,
    /// Most networks of a country, 1 to 60.
    pub networks: u32,
    /// Losses and flap series, per country at most.
    pub losses: u32,
    /// IPv6 networks beside IPv4.
    pub ipv6: bool,
    /// Covering networks over more-specific ones.
    pub covers: bool,
    /// Session resets.
    pub resets: bool,
    /// Missing files, collectors that die, silent restarts.
    pub gaps: bool,
    /// Sessions with ADD-PATH.
    pub add_path: bool,
    /// A second session of an ASN, at the same or another collector.
    pub twins: bool,
    /// A peer that leaks a default route, or more-specifics of a country's network.
    pub leaks: bool,
    /// Peers that keep stale routes.
    pub zombies: bool,
    /// Foreign origins while a country is lost.
    pub hijacks: bool,
    /// A peer inside a country, that keeps its networks.
    pub in_country: bool,
    /// Clocks up to 3 s off.
    pub skew: bool,
    /// Path changes, and networks that move to another upstream.
    pub noise: bool,
    /// Tables every 8 hours; without them there is none at all.
    pub tables: bool,
}

impl Default for RandomOptions {
    fn default() -> Self {
        RandomOptions {
            hours: 30,
            collectors: 3,
            peers: 5,
            countries: 4,
            networks: 8,
            losses: 3,
            ipv6: true,
            covers: true,
            resets: true,
            gaps: true,
            add_path: true,
            twins: true,
            leaks: true,
            zombies: true,
            hijacks: true,
            in_country: true,
            skew: true,
            noise: true,
            tables: true,
        }
    }
}

struct Inventor {
    numbers: SplitMix64,
    options: RandomOptions,
    events: Vec<Spanned<EventText>>,
    /// Collector and ASN of every full-feed session.
    sessions: Vec<(String, u32)>,
}

/// An Internet drawn from a seed; options out of their range are brought into it.
///
/// # Panics
/// Never on purpose: what is drawn is valid, which a test checks over many seeds.
pub fn random(seed: u64, options: RandomOptions) -> Scenario {
    let options = RandomOptions {
        hours: options.hours.clamp(4, 1_000),
        collectors: options.collectors.clamp(1, 9),
        peers: options.peers.clamp(1, 50),
        countries: options.countries.clamp(1, CODES.len() as u32),
        networks: options.networks.clamp(1, 60),
        ..options
    };
    let numbers = SplitMix64::stream(seed, &[4]);
    let mut inventor = Inventor { numbers, options, events: Vec::new(), sessions: Vec::new() };
    let document = inventor.document(seed);
    let name = format!("random-{seed}");
    check(document, "", &name).unwrap_or_else(|error| panic!("an invented scenario is wrong: {error}"))
}

fn free<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

impl Inventor {
    fn document(&mut self, seed: u64) -> Document {
        let collectors: Vec<_> =
            (0..self.options.collectors).map(|index| free(self.collector(index))).collect();
        let countries: Vec<_> = (0..self.options.countries).map(|index| free(self.country(index))).collect();
        for index in 0..self.options.countries {
            self.course(index);
        }
        self.vantage_trouble();
        let rate = |on: bool, rate: f64| if on { rate } else { 0.0 };
        let end = Time::from_seconds(BEGIN + i64::from(self.options.hours) * 3_600);
        Document {
            title: format!("Invented Internet {seed}"),
            notice: "Invented at random, for tests.".to_owned(),
            seed,
            from: Moment(Time::from_seconds(BEGIN)),
            until: Moment(end),
            topology: TopologyText { backbone: BACKBONE.to_vec(), source: SOURCE.to_owned() },
            background: BackgroundText {
                path_changes_per_hour: rate(self.options.noise, 6.0),
                session_resets_per_day: rate(self.options.resets, 4.0),
                source: SOURCE.to_owned(),
                ..BackgroundText::default()
            },
            ases: self.ases(),
            collectors,
            countries,
            events: std::mem::take(&mut self.events),
            exporters: Vec::new(),
            attacks: Vec::new(),
        }
    }

    fn ases(&mut self) -> Vec<Spanned<AsText>> {
        let country = |index: u32| AsText {
            asn: 64_100 + index,
            name: String::new(),
            upstreams: vec![BACKBONE[index as usize % 5], BACKBONE[(index as usize + 2) % 5]],
            source: SOURCE.to_owned(),
        };
        (0..self.options.countries).map(|index| free(country(index))).collect()
    }

    fn collector(&mut self, index: u32) -> CollectorText {
        let name = format!("rrc{index:02}");
        let mut peers = Vec::new();
        for peer in 0..self.options.peers {
            let asn = 100 + index * 50 + peer;
            peers.push(self.peer(asn, index, peer));
            self.sessions.push((name.clone(), asn));
        }
        if self.options.twins && self.numbers.chance(0.7) {
            let asn = 100 + self.numbers.below((index * 50 + 1) as usize) as u32 / 50 * 50;
            peers.push(self.peer(asn, index, 200));
        }
        if self.numbers.chance(0.5) {
            let partial = self.peer(900 + index, index, 201);
            peers.push(PeerText { feed: Feed::Partial, share: Some(0.3), ..partial });
        }
        if self.options.in_country && index == 0 {
            let inside = self.peer(990, index, 202);
            peers.push(PeerText { country: Some(CODES[0].to_owned()), ..inside });
        }
        let rhythm = [300, 900, 3_600][self.numbers.below(3)];
        let skew = if self.options.skew { self.numbers.between(-3, 3) } else { 0 };
        CollectorText {
            name,
            layout: if index.is_multiple_of(2) { Layout::Ris } else { Layout::Routeviews },
            compression: Some(Compression::Gz),
            updates_every: Span::seconds(rhythm),
            tables_every: self.options.tables.then_some(Span::seconds(28_800)),
            stamps: if self.numbers.chance(0.5) { Stamps::Micros } else { Stamps::Seconds },
            skew: Span::seconds(skew),
            source: SOURCE.to_owned(),
            peers: peers.into_iter().map(free).collect(),
        }
    }

    fn peer(&mut self, asn: u32, collector: u32, index: u32) -> PeerText {
        let v6 = self.numbers.chance(0.3);
        let address = if v6 {
            format!("2001:db8:{collector}::{index:x}")
        } else {
            format!("198.51.{collector}.{index}")
        };
        PeerText {
            asn,
            address,
            feed: Feed::Full,
            share: None,
            carries: Vec::new(),
            families: vec![FamilyText::Ipv4, FamilyText::Ipv6],
            add_path: self.options.add_path && self.numbers.chance(0.25),
            country: None,
        }
    }

    fn country(&mut self, index: u32) -> CountryText {
        let count = 1 + self.numbers.below(self.options.networks as usize) as u32;
        // 20.0.0.0/8 and up, 2a00:<index>::/32: nobody's in these tests, and no bogons.
        let mut prefixes: Vec<String> =
            (0..count).map(|network| format!("{}.{network}.0.0/16", 20 + index)).collect();
        if self.options.covers && self.numbers.chance(0.4) {
            prefixes.extend((0..3).map(|part| format!("{}.0.{part}.0/24", 20 + index)));
        }
        if self.options.ipv6 && self.numbers.chance(0.5) {
            let count = 1 + self.numbers.below(3);
            prefixes.extend((0..count).map(|network| format!("2a00:{index:x}:{network:x}::/48")));
        }
        let networks = NetworkText {
            prefixes,
            origin: 64_100 + index,
            via: Vec::new(),
            announced: true,
            source: SOURCE.to_owned(),
        };
        let code = CODES[index as usize].to_owned();
        CountryText { code, churn: false, networks: vec![free(networks)], plans: Vec::new() }
    }

    /// What would come after the window does not come.
    fn event(&mut self, minute: i64, what: WhatText) {
        if minute + 1 > i64::from(self.options.hours) * 60 {
            return;
        }
        let at = Time::from_seconds(BEGIN + minute * 60 + self.numbers.between(0, 59));
        let precision = Span::seconds(1);
        let text = EventText { at: Moment(at), what, precision, invented: true, source: SOURCE.to_owned() };
        self.events.push(free(text));
    }

    /// A country's losses, one after the other.
    fn course(&mut self, country: u32) {
        let networks = Target::Country(CODES[country as usize].to_owned());
        let end = i64::from(self.options.hours) * 60;
        let mut minute = self.numbers.between(30, 240);
        for _ in 0..self.options.losses {
            let lasts = match self.numbers.below(3) {
                0 => self.flaps(minute, &networks),
                1 => self.loss(minute, &networks, (1, 14)),
                _ => self.loss(minute, &networks, (20, 400)),
            };
            minute += lasts + self.numbers.between(10, 300);
            if minute + 30 > end {
                break;
            }
        }
    }

    fn flaps(&mut self, minute: i64, networks: &Target) -> i64 {
        let lasts = self.numbers.between(60, 300);
        let flaps = FlapsText {
            networks: networks.clone(),
            lasts: Span::seconds(lasts * 60),
            first_interval: Span::seconds(self.numbers.between(1_500, 3_600)),
            last_interval: Span::seconds(self.numbers.between(600, 1_500)),
            down_min: Span::seconds(40),
            down_max: Span::seconds(self.numbers.between(60, 480)),
            spread: Span::seconds(self.numbers.between(0, 30)),
        };
        self.event(minute, WhatText::Flaps(flaps));
        lasts + 5
    }

    fn loss(&mut self, minute: i64, networks: &Target, (shortest, longest): (i64, i64)) -> i64 {
        let lasts = self.numbers.between(shortest, longest);
        let spread = Span::seconds(self.numbers.between(0, (lasts * 60 / 3).min(400)));
        let change = Change { networks: networks.clone(), spread, stagger: Span::default(), leave: 0 };
        if self.options.zombies && self.numbers.chance(0.3) {
            let (collector, peer) = self.session();
            let lasts = Span::seconds((lasts + 60) * 60);
            self.event(
                minute - 1,
                WhatText::Stuck(StuckText { networks: networks.clone(), collector, peer, lasts }),
            );
        }
        self.event(minute, WhatText::Withdraw(change.clone()));
        if self.options.hijacks && lasts > 40 && self.numbers.chance(0.4) {
            let usurped = HijackText {
                networks: networks.clone(),
                origin: 64_666,
                share: 0.9,
                spread: Span::seconds(20),
                lasts: Span::seconds(300),
            };
            self.event(minute + lasts / 2, WhatText::Hijack(usurped));
        }
        if self.options.noise && self.numbers.chance(0.3) {
            let via = vec![BACKBONE[self.numbers.below(5)]];
            let spread = Span::default();
            let moved = RerouteText { networks: networks.clone(), via, spread };
            self.event(minute + lasts - 1, WhatText::Reroute(moved));
        }
        self.event(minute + lasts + 1, WhatText::Announce(change));
        lasts + 10
    }

    fn session(&mut self) -> (String, u32) {
        let chosen = self.numbers.below(self.sessions.len());
        self.sessions[chosen].clone()
    }

    /// What befalls those who watch.
    fn vantage_trouble(&mut self) {
        let end = i64::from(self.options.hours) * 60;
        for _ in 0..self.options.collectors {
            let minute = self.numbers.between(60, end - 60);
            let (collector, peer) = self.session();
            let lasts = Span::seconds(self.numbers.between(60, 7_200));
            let on_collector = CollectorEventText { collector: collector.clone(), lasts };
            let drawn = self.numbers.below(4);
            match drawn {
                0 if self.options.gaps => self.event(minute, WhatText::CollectorGap(on_collector)),
                1 if self.options.gaps => self.event(minute, WhatText::CollectorOutage(on_collector)),
                2 if self.options.gaps => self.event(minute, WhatText::SilentRestart(on_collector)),
                3 if self.options.resets => {
                    self.event(minute, WhatText::SessionLoss(SessionText { collector, peer, lasts }));
                }
                _ => {}
            }
        }
        if self.options.leaks {
            let minute = self.numbers.between(10, end - 60);
            let (collector, peer) = self.session();
            let prefixes = match self.numbers.below(3) {
                0 => vec!["0.0.0.0/0".to_owned()],
                1 => (0..8).map(|part| format!("20.0.{}.0/24", 100 + part)).collect(),
                _ => vec!["20.0.200.0/25".to_owned(), "10.0.0.0/8".to_owned()],
            };
            let lasts = Span::seconds(self.numbers.between(60, 36_000));
            self.event(minute, WhatText::Leak(LeakText { collector, peer, prefixes, origin: peer, lasts }));
        }
    }
}
