//! Every threshold in force, with its origin. Times are in microseconds.

/// One second in microseconds.
pub const SECOND: i64 = 1_000_000;

/// The thresholds of one run. [`Parameters::default`] is what METHOD.md describes.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// A full-feed peer holds at least this share (percent) of the prefixes that half or more of the candidates hold.
    /// Guess; bgpview's fixed 400,000, which IODA uses, fails before 2012 and in small labs.
    pub full_feed_percent: u64,
    /// A candidate for it holds at least this share (percent) of what the largest table holds, or, where no table was
    /// read, has spoken of this share of what the second most talkative ASN has. Guess: ten times smaller than any
    /// full feed seen, ten times larger than the partial feeds of rrc04 in 2022 and jinx in 2014.
    pub candidate_percent: u64,
    /// How long a network must have been held to count when it was in no first table: 24 h. Guess.
    pub usual_after: i64,
    /// The same where no table was read and the first word on the network was an announcement: one hour. Guess.
    pub usual_after_untabled: i64,
    /// A network is back once this share (percent) of the ASNs that usually hold it do: Richter et al., IMC 2018 (beta).
    pub back_percent: u64,
    /// An entity is dark only if at most this share (percent) of the vote is left on each network. Guess.
    pub dark_left_percent: u64,
    /// Lost share (percent) from which an entity is partly lost: BGPStream.com's country events start there.
    pub partial_percent: u64,
    /// Lost share (percent) from which it is severely lost: IODA's critical level for BGP.
    pub severe_percent: u64,
    /// Below this many networks one lost network is partial: the floor of IODA's sample configuration (`minprediction`).
    pub small_entity: u64,
    /// A fall and return under this long is a flap. Guess.
    pub flap_under: i64,
    /// Losses at most this far apart belong together. Guess.
    pub unstable_gap: i64,
    /// A pause longer than this ends a descent or an ascent: RIPE's "within ten minutes" of 22 December 2014.
    pub descent_pause: i64,
    /// Isolated losses shorter than this are left out: `--min-duration`.
    pub min_duration: i64,
    /// A permanent withdrawal, and a peer that stays blind while its family has coverage, stop counting after this long: 7 d (IODA's
    /// re-baselining).
    pub age_out: i64,
    /// An update this near to a table's time wins over the table's row: bgpview's RIB backlog, 60 s.
    pub table_backlog: i64,
    /// A peer in no table and silent this long is blind: bgpview, 3,600 s.
    pub silence: i64,
    /// A session that dies of silence does so this long after the last that was heard of its peer: 180 s, the hold time of
    /// most routers (RFC 4271 section 10 suggests 90 s).
    pub hold_time: i64,
    /// A table transfer has ended when nothing of it came for this long. Guess: BGP's keepalive interval.
    pub transfer_quiet: i64,
    /// The table of a session that was seen to begin has ended, where no End-of-RIB says so, once no more than this share
    /// (percent) of what the peer holds was added within [`Parameters::transfer_quiet`]. Guess: a table transfer adds more
    /// in a second.
    pub growth_percent: u64,
    /// A transfer, or a table, speaks for what is missing from it only if it has this share (percent) of what was held
    /// before: otherwise the peer itself is the likelier fault. Guess.
    pub resync_percent: u64,
    /// Announcements without change within [`Parameters::restart_window`], as a share (percent) of what the peer
    /// holds, that betray a restart nobody told of. Guess.
    pub restart_percent: u64,
    /// See above: five minutes, the length of a RIS file.
    pub restart_window: i64,
    /// Share (percent) of the usual voters that must be sighted for anything to be said. Guess.
    pub coverage_percent: u64,
    /// How often the voters are chosen anew while no table was read: five minutes, the length of a RIS file.
    pub epoch: i64,
    /// Networks that the table has room for, so that no archive can take all memory: three times what RIS had in 2025 in
    /// both families. Guess.
    pub max_networks: usize,
    /// A collector's clock is taken to be wrong from this difference on: two rounds of the advertisement interval of 30 s
    /// (RFC 4271 section 10), below which delay explains it. Guess.
    pub skew_noticed: i64,
    /// And only by the returns from at least this many losses: a clock is wrong by the same each time, delays are not.
    /// Guess.
    pub skew_returns: usize,
}

impl Default for Parameters {
    fn default() -> Self {
        let minute = 60 * SECOND;
        let hour = 60 * minute;
        Parameters {
            full_feed_percent: 75,
            candidate_percent: 10,
            usual_after: 24 * hour,
            usual_after_untabled: hour,
            back_percent: 80,
            dark_left_percent: 20,
            partial_percent: 10,
            severe_percent: 50,
            small_entity: 20,
            flap_under: 15 * minute,
            unstable_gap: 2 * hour,
            descent_pause: 10 * minute,
            min_duration: 2 * minute,
            age_out: 7 * 24 * hour,
            table_backlog: minute,
            silence: hour,
            hold_time: 3 * minute,
            transfer_quiet: 30 * SECOND,
            growth_percent: 2,
            resync_percent: 50,
            restart_percent: 50,
            restart_window: 5 * minute,
            coverage_percent: 50,
            epoch: 5 * minute,
            max_networks: 4_000_000,
            skew_noticed: minute,
            skew_returns: 3,
        }
    }
}
