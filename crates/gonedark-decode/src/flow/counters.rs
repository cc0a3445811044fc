//! What is counted of an exporter: what came, what could not be read and why, and what did not come.

/// Why a part of a datagram could not be read. The rest of the datagram was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Damage {
    /// The header counts more records or samples than there are.
    Count,
    /// The header of an IPFIX message has another length than the datagram (RFC 7011 section 3.1).
    Length,
    /// A set is said to be shorter than its own header; nothing behind it can be found.
    SetLength,
    /// A set goes on behind the end of the datagram. What is there of it was read.
    SetCut,
    /// The identifier of a set is none of templates or data (4 to 255).
    SetId,
    /// A template goes on behind the end of its set.
    TemplateCut,
    /// A template has an identifier below 256.
    TemplateId,
    /// The records of a template would have no byte, or more than a datagram holds.
    TemplateSize,
    /// A record with a field of variable length goes on behind the end of its set.
    RecordCut,
    /// A sample of sFlow goes on behind the end of the datagram.
    SampleCut,
    /// A record in a sample of sFlow goes on behind the end of it.
    SampleRecordCut,
}

impl Damage {
    /// All of them, in the order of their declaration.
    pub const ALL: [Damage; 11] = [
        Damage::Count,
        Damage::Length,
        Damage::SetLength,
        Damage::SetCut,
        Damage::SetId,
        Damage::TemplateCut,
        Damage::TemplateId,
        Damage::TemplateSize,
        Damage::RecordCut,
        Damage::SampleCut,
        Damage::SampleRecordCut,
    ];

    /// Its name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Damage::Count => "count",
            Damage::Length => "length",
            Damage::SetLength => "set_length",
            Damage::SetCut => "set_cut",
            Damage::SetId => "set_id",
            Damage::TemplateCut => "template_cut",
            Damage::TemplateId => "template_id",
            Damage::TemplateSize => "template_size",
            Damage::RecordCut => "record_cut",
            Damage::SampleCut => "sample_cut",
            Damage::SampleRecordCut => "sample_record_cut",
        }
    }
}

/// Counters of one exporter, since it was first heard of. A sequence that has a hole is blindness; see
/// [`Counters::missed_records`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// Datagrams with a header that could be read.
    pub datagrams: u64,
    /// Datagrams of an exporter that is known, of a version that is not.
    pub unknown_versions: u64,
    /// Data records and samples, those of options not counted.
    pub records: u64,
    /// Flows that were handed out. More than `records` where a record counts both directions of a connection.
    pub flows: u64,
    /// Records of options.
    pub options_records: u64,
    /// Of `records`, those that tell of no IP address: bridged frames, lists, statistics. No flow comes of them.
    pub without_addresses: u64,
    /// Of `records`, those that count no packets, as the events of Cisco ASA do; a flow with zero packets comes of each.
    pub without_packets: u64,
    /// Of `records`, those that count since the flow began (IE 85, 86): where an exporter tells of one flow more than
    /// once, sums are too high.
    pub totals: u64,
    /// Counter samples of sFlow. They are not looked into.
    pub counter_samples: u64,
    /// Notices of sFlow that a packet was dropped. They are of packets that did not pass, and not sampled: no flow comes
    /// of them.
    pub discards: u64,
    /// Samples of sFlow of another format.
    pub unknown_samples: u64,
    /// Templates that were taken up, also in place of others.
    pub templates: u64,
    /// Templates that took the place of a different one of the same identifier.
    pub templates_redefined: u64,
    /// Templates that were withdrawn (RFC 7011 section 8.1).
    pub templates_withdrawn: u64,
    /// Templates that had to make room for others, the longest unused first.
    pub templates_evicted: u64,
    /// Sets that came before their template.
    pub sets_waited: u64,
    /// Sets whose template came in the end; their records are counted as others are.
    pub sets_found: u64,
    /// Sets whose template did not come in time.
    pub sets_too_old: u64,
    /// Sets that had to make room for newer ones, or are too large to wait.
    pub sets_without_room: u64,
    /// Records that did not arrive, by the sequence numbers of version 5 and IPFIX.
    pub missed_records: u64,
    /// Datagrams that did not arrive, by the sequence numbers of version 9 and sFlow.
    pub missed_datagrams: u64,
    /// Samples that did not arrive, by the sequence numbers of sFlow's sources; mostly those of missed datagrams.
    pub missed_samples: u64,
    /// Datagrams that came behind later ones, or twice.
    pub late: u64,
    /// How often the sequence began anew: the exporter was restarted.
    pub restarts: u64,
    /// Of `flows`, how many have their sampling rate from where, in the order of [`SamplingFrom::ALL`].
    ///
    /// [`SamplingFrom::ALL`]: super::SamplingFrom::ALL
    pub sampling: [u64; 5],
    damage: [u64; Damage::ALL.len()],
}

impl Counters {
    /// How often a kind of damage was met.
    pub fn damaged(&self, damage: Damage) -> u64 {
        self.damage.get(damage as usize).copied().unwrap_or_default()
    }

    /// How often any damage was met.
    pub fn damaged_at_all(&self) -> u64 {
        self.damage.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    pub(super) fn damage(&mut self, damage: Damage) {
        if let Some(count) = self.damage.get_mut(damage as usize) {
            add(count, 1);
        }
    }
}

/// Counts on. At a billion a second it takes 584 years to the end, where it stays.
#[inline]
pub(super) fn add(counter: &mut u64, count: u64) {
    *counter = counter.saturating_add(count);
}
