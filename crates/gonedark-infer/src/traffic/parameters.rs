//! Every threshold on traffic, with its origin. Times are in microseconds, rates in packets or bits a second.

use crate::parameters::SECOND;

/// The thresholds on traffic of one run. [`Parameters::default`] is what METHOD.md describes ("Traffic and attacks").
///
/// What is normal for an address differs by orders of magnitude from network to network: these are where to begin, and an
/// operator is expected to set them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Packets a second to one address, conversations left out: FastNetMon's default.
    pub host_pps: u64,
    /// Bits a second to one address, conversations left out: FastNetMon's default, and the first rule published by the
    /// author of Akvorado.
    pub host_bps: u64,
    /// SYN packets a second to one address that belong to no conversation. Guess: below the 1,598 a second of the only real
    /// spoofed flood that was measured.
    pub host_syn_pps: u64,
    /// SYN-ACK, RST and impossible flags, packets a second to one address. Guess.
    pub host_reflected_pps: u64,
    /// Answers of amplifying services, packets a second to one address. Guess.
    pub host_amplified_pps: u64,
    /// Answers of amplifying services, bits a second to one address: Akvorado's author ("> 20 sources and > 100 Mbps").
    pub host_amplified_bps: u64,
    /// Other UDP, bits a second to one address: Akvorado's author ("UDP and > 200 Mbps").
    pub host_udp_bps: u64,
    /// ICMP packets a second to one address. Guess.
    pub host_icmp_pps: u64,
    /// Fragments a second to one address. Guess.
    pub host_fragment_pps: u64,
    /// Thresholds of a /24 or /48 are so many times those of an address. Guess.
    pub block_times: u64,
    /// Thresholds of an AS, a country or a watched prefix are so many times those of an address. Guess; what is learnt of
    /// them (the baseline) is usually nearer.
    pub entity_times: u64,
    /// Conversations (TCP with data, QUIC) are an attack only from so many times the threshold of all else on. Guess.
    pub conversation_times: u64,
    /// An attack is distributed from so many sources on: Akvorado's author ("> 20 sources").
    pub few_sources: u64,
    /// From fewer sources thresholds are so many times higher: one source is a download, a backup or a tunnel. Guess.
    pub few_sources_times: u64,
    /// Few sources that send SYNs to this many ports of a target scan it. Guess.
    pub scan_ports: u64,
    /// An aggregate is bombed as a whole where at least so many of its addresses are hit: with fewer, one of them is over its
    /// own threshold where the block is ([`Parameters::block_times`]).
    pub carpet_targets: u64,
    /// What has at least this share (percent) of an aggregate's packets is what is attacked, not the aggregate. Guess.
    pub dominant_percent: u64,
    /// SYNs, SYN-ACKs and RSTs must be at least this share (percent) of the packets of conversations: in a crowd a SYN comes
    /// with five packets and more. Guess.
    pub handshake_percent: u64,
    /// A host that answers at least this share (percent) of the packets with packets of its own is in conversation: TCP
    /// acknowledges every second segment (RFC 9293 section 3.8.6.3), less some loss. Guess.
    pub answered_percent: u64,
    /// The excess over a threshold, summed over seconds, that raises the alarm: this share (percent) of a second's worth at
    /// the threshold. So 1.15 times the threshold is found at the end of its first full second. Guess.
    pub alarm_percent: u64,
    /// What is added for sampled flows: so many standard deviations of the estimate. Guess: one false alarm in 740
    /// decisions at the very threshold.
    pub sampling_sigmas: u64,
    /// From this share (percent) of the threshold on an alarm is a fast one, as nothing had to be summed up. Guess.
    pub fast_percent: u64,
    /// From this share (percent) of a threshold on sources, ports and targets are kept account of. Guess.
    pub suspect_percent: u64,
    /// An attack has ended once nothing was above the threshold for so long. Guess: twice the active timeout of 60 s that
    /// most exporters are set to, so that what they still hold back is waited for.
    pub quiet: i64,
    /// A vector is named from this share (percent) of an attack's packets on. Guess.
    pub vector_percent: u64,
    /// An exporter's clock, or its way of export, is set right for from this difference on. Guess: routers hold back records
    /// for some seconds.
    pub clock_noticed: i64,
    /// An exporter that gave records and then none for so long is blind. Guess: the usual active timeout.
    pub silence: i64,
    /// Days that a time of day must have been learnt before a deviation from it means anything: one week. Guess.
    pub baseline_days: u64,
    /// Days over which the baseline forgets. Guess: two weeks.
    pub baseline_memory: u64,
    /// The least rise (percent) over the baseline that is a deviation. Guess.
    pub deviation_percent: u64,
    /// And at least so many times the mean deviation. Guess.
    pub deviation_times: u64,
    /// And at least so many packets a second. Guess.
    pub deviation_floor_pps: u64,
    /// And at least so many bits a second. Guess.
    pub deviation_floor_bps: u64,
    /// Courses of hosts that are kept at once, one for each host and kind of traffic. Guess: 90 MiB.
    pub max_hosts: usize,
    /// The same of /24s and /48s. Guess: 23 MiB.
    pub max_blocks: usize,
    /// The same of ASes, countries and watched prefixes. Guess: 23 MiB, and as much for what is learnt.
    pub max_entities: usize,
    /// Targets of which sources, ports and targets are kept account of at once. Guess: 20 MiB.
    pub max_suspects: usize,
    /// Records of the last second that are looked back on when a target becomes suspect. Guess: 10 MiB.
    pub max_remembered: usize,
    /// Attacks that are over and kept for the report. Guess.
    pub max_finished: usize,
    /// An attack that ended so long before an incident is still told beside it: the attacks of December 2014 began four days
    /// before the outage.
    pub precedes: i64,
}

impl Default for Parameters {
    fn default() -> Self {
        let minute = 60 * SECOND;
        Parameters {
            host_pps: 20_000,
            host_bps: 1_000_000_000,
            host_syn_pps: 1_000,
            host_reflected_pps: 5_000,
            host_amplified_pps: 2_000,
            host_amplified_bps: 100_000_000,
            host_udp_bps: 200_000_000,
            host_icmp_pps: 5_000,
            host_fragment_pps: 5_000,
            block_times: 4,
            entity_times: 25,
            conversation_times: 10,
            few_sources: 20,
            few_sources_times: 5,
            scan_ports: 100,
            carpet_targets: 4,
            dominant_percent: 50,
            handshake_percent: 50,
            answered_percent: 30,
            alarm_percent: 15,
            sampling_sigmas: 3,
            fast_percent: 200,
            suspect_percent: 25,
            quiet: 2 * minute,
            vector_percent: 2,
            clock_noticed: 5 * SECOND,
            silence: minute,
            baseline_days: 7,
            baseline_memory: 14,
            deviation_percent: 100,
            deviation_times: 6,
            deviation_floor_pps: 10_000,
            deviation_floor_bps: 100_000_000,
            max_hosts: 65_536,
            max_blocks: 16_384,
            max_entities: 16_384,
            max_suspects: 1_024,
            max_remembered: 131_072,
            max_finished: 10_000,
            precedes: 5 * 24 * 60 * minute,
        }
    }
}
