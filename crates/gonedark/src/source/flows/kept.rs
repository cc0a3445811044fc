//! What is kept of exporters over a restart: their numbers, their templates, and the rates that they told in options. Both
//! may come again only after half an hour, and without them nothing can be read, or is read wrongly.

use super::exports::Exports;
use gonedark_decode::flow::{KeptRate, RateOf, Settings};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// All that is kept of exporters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptExports {
    /// By their numbers.
    exporters: Vec<IpAddr>,
    /// Each a message that holds it.
    templates: Vec<(IpAddr, Vec<u8>)>,
    rates: Vec<Rate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rate {
    exporter: IpAddr,
    version: u16,
    domain: u32,
    of: Of,
    rate: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Of {
    Domain,
    Sampler(u64),
    Interface(u64),
}

impl Exports {
    /// What is worth keeping.
    pub fn keep(&self) -> KeptExports {
        let rates = self.decoder.rates().map(|KeptRate { exporter, version, domain, of, rate }| {
            let of = match of {
                RateOf::Domain => Of::Domain,
                RateOf::Sampler(number) => Of::Sampler(number),
                RateOf::Interface(number) => Of::Interface(number),
            };
            Rate { exporter, version, domain, of, rate }
        });
        KeptExports {
            exporters: self.heard().map(|heard| heard.address).collect(),
            templates: self.decoder.templates().collect(),
            rates: rates.collect(),
        }
    }

    /// Goes on from what was kept. What there is no room for by other settings is left out.
    pub fn go_on(settings: Settings, kept: KeptExports) -> Self {
        let mut exports = Exports::new(settings);
        let decoder = &mut exports.decoder;
        for exporter in kept.exporters {
            let _ = decoder.take_up_exporter(exporter);
        }
        for (exporter, message) in &kept.templates {
            let _ = decoder.take_up_template(*exporter, message);
        }
        for Rate { exporter, version, domain, of, rate } in kept.rates {
            let of = match of {
                Of::Domain => RateOf::Domain,
                Of::Sampler(number) => RateOf::Sampler(number),
                Of::Interface(number) => RateOf::Interface(number),
            };
            let _ = decoder.take_up_rate(KeptRate { exporter, version, domain, of, rate });
        }
        exports
    }
}
