//! Rates as people write them.

/// The largest steps first.
const STEPS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];

/// `5.97 Gbit/s`.
pub fn bits(rate: u64) -> String {
    scaled(rate, "bit/s")
}

/// `1.70 Mpps`: packets a second.
pub fn packets(rate: u64) -> String {
    scaled(rate, "pps")
}

fn scaled(rate: u64, unit: &str) -> String {
    let value = rate as f64;
    match STEPS.iter().find(|(step, _)| value >= *step * 0.9995) {
        // Three digits, as the figures are estimates.
        Some((step, prefix)) => {
            let scaled = value / step;
            let places = if scaled < 9.995 { 2 } else { usize::from(scaled < 99.95) };
            format!("{scaled:.places$} {prefix}{unit}")
        }
        None => format!("{rate} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits_and_a_prefix() {
        let written = [0, 999, 1_000, 1_598, 29_000, 999_960, 1_700_000, 5_970_000_000].map(bits);
        let expected = [
            "0 bit/s",
            "999 bit/s",
            "1.00 kbit/s",
            "1.60 kbit/s",
            "29.0 kbit/s",
            "1.00 Mbit/s",
            "1.70 Mbit/s",
            "5.97 Gbit/s",
        ];
        assert_eq!(written, expected);
        assert_eq!(packets(212_000), "212 kpps");
    }
}
