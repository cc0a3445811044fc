//! What a user may set, and what bounds the memory.

use crate::flow::sampling::RateSetting;
use gonedark_route::{Family, Prefix};
use std::net::IpAddr;

/// Bounds of the memory, and what is known of exporters beforehand.
///
/// Datagrams may come from anybody, so that all memory has a bound: that of one exporter, by default about a MiB, times
/// `exporters_max`. Healthy ones take some ten KiB.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// How many exporters are listened to; datagrams of others are refused and counted. By default 1,024, a guess: the
    /// largest networks have some hundred routers that export.
    pub exporters_max: usize,
    /// How many domains, source identifiers or sFlow agents of one exporter are told apart. By default 256, a guess: a
    /// chassis has one for each line card, and a relay of sFlow one for each agent behind it.
    pub domains_max: usize,
    /// Bytes that the templates of one exporter may take; the longest unused make room. By default 256 KiB, a guess: some
    /// 500 templates, where the exporters that were looked at have at most 300.
    pub template_bytes_max: usize,
    /// Bytes of data of one exporter that may wait for its template; the oldest make room. By default 256 KiB, a guess:
    /// some 180 datagrams.
    pub waiting_bytes_max: usize,
    /// How long data wait for their template, in microseconds by `received`. By default ten minutes: within that time
    /// templates are to be sent again where nothing else was configured (RFC 7011 section 8.4).
    pub waiting_age_max: i64,
    /// Whether sampled packets, and records that tell of both, are taken for what is inside of their tunnels. By default not: what is measured is then
    /// what the network carries, and addresses inside may be private. MPLS is always gone through.
    pub decapsulate: bool,
    /// What is known of the sampling of exporters in a network; the longest prefix holds. By default nothing.
    pub sampling: Vec<(Prefix, RateSetting)>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            exporters_max: 1024,
            domains_max: 256,
            template_bytes_max: 256 << 10,
            waiting_bytes_max: 256 << 10,
            waiting_age_max: 600_000_000,
            decapsulate: false,
            sampling: Vec::new(),
        }
    }
}

impl Settings {
    /// What is known of an exporter's sampling.
    pub(super) fn sampling_of(&self, exporter: IpAddr) -> RateSetting {
        let host = match exporter {
            IpAddr::V4(address) => Prefix::v4(address, Family::V4.bits()),
            IpAddr::V6(address) => Prefix::v6(address, Family::V6.bits()),
        };
        let covering =
            self.sampling.iter().filter(|(prefix, _)| host.is_some_and(|host| prefix.covers(host)));
        covering.max_by_key(|(prefix, _)| prefix.length()).map(|(_, setting)| *setting).unwrap_or_default()
    }
}
