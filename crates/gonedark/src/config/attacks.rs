//! `[attacks]`: thresholds on traffic. What is not said is as METHOD.md has it ("Traffic and attacks").

use super::Span;
use gonedark_infer::traffic::Parameters;
use serde::Deserialize;
use std::num::NonZeroU64;

/// `[attacks]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attacks {
    /// Packets a second to one address, conversations left out.
    pub host_pps: Option<NonZeroU64>,
    /// Bits a second to one address, conversations left out.
    pub host_bps: Option<NonZeroU64>,
    /// SYNs a second to one address.
    pub host_syn_pps: Option<NonZeroU64>,
    /// SYN-ACKs, RSTs and impossible flags a second to one address.
    pub host_reflected_pps: Option<NonZeroU64>,
    /// Packets a second of services that amplify, to one address.
    pub host_amplified_pps: Option<NonZeroU64>,
    /// Bits a second of services that amplify, to one address.
    pub host_amplified_bps: Option<NonZeroU64>,
    /// Bits a second of other UDP to one address.
    pub host_udp_bps: Option<NonZeroU64>,
    /// ICMP packets a second to one address.
    pub host_icmp_pps: Option<NonZeroU64>,
    /// Fragments a second to one address.
    pub host_fragment_pps: Option<NonZeroU64>,
    /// Thresholds of a /24 or /48 are so many times those of an address.
    pub block_times: Option<NonZeroU64>,
    /// Thresholds of a country, AS or watched prefix are so many times those of an address.
    pub entity_times: Option<NonZeroU64>,
    /// An attack has at least so many sources, or is so much larger.
    pub few_sources: Option<NonZeroU64>,
    /// Days that a time of day must have been learnt before a deviation from it is one.
    pub baseline_days: Option<NonZeroU64>,
    /// An attack has ended once nothing was above its threshold for so long.
    pub quiet: Option<Span>,
    /// An exporter that gave records and then none for so long is deaf.
    pub silence: Option<Span>,
}

impl Attacks {
    /// For the meter.
    pub fn parameters(&self) -> Parameters {
        let usual = Parameters::default();
        let or = |said: Option<NonZeroU64>, usual: u64| said.map_or(usual, NonZeroU64::get);
        Parameters {
            host_pps: or(self.host_pps, usual.host_pps),
            host_bps: or(self.host_bps, usual.host_bps),
            host_syn_pps: or(self.host_syn_pps, usual.host_syn_pps),
            host_reflected_pps: or(self.host_reflected_pps, usual.host_reflected_pps),
            host_amplified_pps: or(self.host_amplified_pps, usual.host_amplified_pps),
            host_amplified_bps: or(self.host_amplified_bps, usual.host_amplified_bps),
            host_udp_bps: or(self.host_udp_bps, usual.host_udp_bps),
            host_icmp_pps: or(self.host_icmp_pps, usual.host_icmp_pps),
            host_fragment_pps: or(self.host_fragment_pps, usual.host_fragment_pps),
            block_times: or(self.block_times, usual.block_times),
            entity_times: or(self.entity_times, usual.entity_times),
            few_sources: or(self.few_sources, usual.few_sources),
            baseline_days: or(self.baseline_days, usual.baseline_days),
            quiet: self.quiet.map_or(usual.quiet, Span::micros),
            silence: self.silence.map_or(usual.silence, Span::micros),
            ..usual
        }
    }
}
