//! Cuts networks evenly out of allocations.

use super::prng::SplitMix64;
use gonedark_route::Prefix;

/// The longest network that the Internet carries: /24 and /48.
pub(crate) fn longest(prefix: Prefix) -> u8 {
    match prefix.family() {
        gonedark_route::Family::V4 => 24,
        gonedark_route::Family::V6 => 48,
    }
}

/// `count` networks that do not overlap, all inside `within` (of one family). Each has a block of equal size to
/// itself; about half announce only the first half or quarter of it, so that sizes differ a little but no network
/// is a large share of its country. `None` where so many do not fit.
pub(crate) fn cut(within: &[Prefix], count: usize, numbers: &mut SplitMix64) -> Option<Vec<Prefix>> {
    let longest = longest(*within.first()?);
    let blocks = |length: u8| -> Option<u64> {
        within.iter().try_fold(0_u64, |sum, allocation| {
            let bits = u32::from(length.checked_sub(allocation.length())?);
            sum.checked_add(1_u64.checked_shl(bits)?)
        })
    };
    let widest = within.iter().map(|allocation| allocation.length()).max()?;
    let length = (widest..=longest).find(|length| blocks(*length).is_some_and(|sum| sum >= count as u64))?;
    let capacity = blocks(length)?;
    let mut networks = Vec::with_capacity(count);
    for index in 0..count as u64 {
        let mut block = (u128::from(index) * u128::from(capacity) / count as u128) as u64;
        for allocation in within {
            let here = 1_u64 << (length - allocation.length());
            if block < here {
                let offset = u128::from(block) << (128 - u32::from(length));
                let shorter_by = numbers.below(4).saturating_sub(1) as u8;
                let announced = (length + shorter_by).min(longest);
                networks.push(Prefix::from_bits(allocation.family(), allocation.bits() + offset, announced)?);
                break;
            }
            block -= here;
        }
    }
    Some(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_lie_within_and_do_not_overlap() {
        let within: Vec<Prefix> =
            ["41.32.0.0/12", "62.68.224.0/19"].map(|text| text.parse().unwrap()).to_vec();
        let networks = cut(&within, 775, &mut SplitMix64::stream(1, &[])).unwrap();
        assert_eq!(networks.len(), 775);
        assert!(networks.iter().all(|network| within.iter().any(|allocation| allocation.covers(*network))));
        assert!(networks.windows(2).all(|pair| !pair[0].covers(pair[1]) && !pair[1].covers(pair[0])));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let within = ["175.45.176.0/22".parse().unwrap()];
        let mut numbers = SplitMix64::stream(1, &[]);
        assert_eq!(cut(&within, 4, &mut numbers).unwrap().len(), 4);
        assert!(cut(&within, 5, &mut numbers).is_none());
    }
}
