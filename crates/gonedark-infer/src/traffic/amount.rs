//! How much: packets and bytes.

/// Counts are kept in parts of a packet or byte, so that few packets over many seconds are not all put into one of them.
pub(crate) const SCALE: i64 = 256;
/// What one flow can claim at most, in packets or bytes: more is a lie, and must not overflow.
const MOST: u64 = 1 << 44;

/// Packets and bytes, in parts ([`SCALE`]). Sums wrap, so that a liar breaks his own counts and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Amount {
    pub(crate) packets: i64,
    pub(crate) bytes: i64,
}

impl Amount {
    /// What was counted times how many of which one was.
    pub(crate) fn estimated(packets: u64, bytes: u64, sampling: u32) -> Self {
        let scaled = |count: u64| count.saturating_mul(u64::from(sampling.max(1))).min(MOST) as i64 * SCALE;
        Amount { packets: scaled(packets), bytes: scaled(bytes) }
    }

    /// Whole packets; never below 0.
    pub(crate) fn whole_packets(self) -> u64 {
        (self.packets.max(0) / SCALE) as u64
    }

    /// Whole bytes; never below 0.
    pub(crate) fn whole_bytes(self) -> u64 {
        (self.bytes.max(0) / SCALE) as u64
    }

    pub(crate) fn plus(self, other: Amount) -> Self {
        Amount {
            packets: self.packets.wrapping_add(other.packets),
            bytes: self.bytes.wrapping_add(other.bytes),
        }
    }

    /// Times 2 to the power of `weight`.
    pub(crate) fn weighed(self, weight: u32) -> Self {
        self.times(1 << weight)
    }

    /// What is left of it, not below 0.
    pub(crate) fn less(self, other: Amount) -> Self {
        let left = self.minus(other);
        Amount { packets: left.packets.max(0), bytes: left.bytes.max(0) }
    }

    /// A part of it, rounded down.
    pub(super) fn part(self, share: f64) -> Self {
        Amount { packets: (self.packets as f64 * share) as i64, bytes: (self.bytes as f64 * share) as i64 }
    }

    pub(super) fn minus(self, other: Amount) -> Self {
        Amount {
            packets: self.packets.wrapping_sub(other.packets),
            bytes: self.bytes.wrapping_sub(other.bytes),
        }
    }

    pub(super) fn times(self, factor: i64) -> Self {
        Amount { packets: self.packets.wrapping_mul(factor), bytes: self.bytes.wrapping_mul(factor) }
    }
}
