//! The sets of NetFlow version 9 and IPFIX (RFC 3954 section 5, RFC 7011 section 3.3): templates, options and data.

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::flow::counters::{Damage, add};
use crate::flow::element::{Places, Section};
use crate::flow::exporter::{Exporter, ExporterId};
use crate::flow::plan::{BEFORE, Walked};
use crate::flow::sampling::{self, RateOf, Sampling, SamplingFrom};
use crate::flow::settings::Settings;
use crate::flow::template::{self, TemplateKey, Written};
use crate::flow::times::{self, Clocks};
use crate::flow::value::number;
use crate::flow::waiting::Held;
use crate::flow::{IPFIX, V9, record};
use gonedark_route::{Flow, Time};

/// Identifier and length of a set.
const SET_HEADER: usize = 4;

/// What the header of a message says to all of its sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub(super) version: u16,
    /// Source identifier or observation domain.
    pub(super) domain: u32,
    /// Its number in the exporter.
    pub(super) domain_at: usize,
    pub(super) clocks: Clocks,
    pub(super) received: Time,
}

/// What the sets of a message came to.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Taken {
    /// Data records, those of options as well, of this message only.
    pub(super) records: u64,
    /// Some wait for their template, so that they could not be counted.
    pub(super) is_partial: bool,
    /// The first damage.
    pub(super) damage: Option<DecodeError>,
}

/// What is handed on from set to set.
pub(super) struct Sets<'a, F> {
    pub(super) exporter: &'a mut Exporter,
    pub(super) id: ExporterId,
    pub(super) settings: &'a Settings,
    pub(super) each: &'a mut F,
    pub(super) taken: Taken,
}

impl<F: FnMut(ExporterId, &Flow)> Sets<'_, F> {
    /// Reads the sets of a message from a place in it on. What is damaged costs no more than it has to.
    pub(super) fn read(&mut self, message: &Message, bytes: &[u8], from: usize) {
        let mut at = from;
        while let Some((header, _)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk::<SET_HEADER>())
        {
            let [i0, i1, l0, l1] = *header;
            let (id, length) = (u16::from_be_bytes([i0, i1]), u16::from_be_bytes([l0, l1]));
            let here = Cursor::new(bytes.get(at..).unwrap_or_default(), at as u64);
            if usize::from(length) < SET_HEADER {
                // Palo Alto and Cisco ACI fill a datagram up with zeros.
                if here.rest().iter().any(|byte| *byte != 0) {
                    self.damage(Damage::SetLength, here.value(Field::FlowSetLength, u32::from(length)));
                }
                return;
            }
            let mut end = at.saturating_add(usize::from(length));
            if end > bytes.len() {
                self.damage(Damage::SetCut, here.cut(Field::FlowSet, usize::from(length)));
                end = bytes.len();
            }
            match (message.version, id) {
                (V9, 0) | (IPFIX, 2) => self.templates(message, bytes, (at, end), false),
                (V9, 1) | (IPFIX, 3) => self.templates(message, bytes, (at, end), true),
                (_, id) if id < template::ID_MIN => {
                    self.damage(Damage::SetId, here.value(Field::FlowSetId, u32::from(id)));
                }
                (_, id) => {
                    let set = bytes.get(at.saturating_sub(BEFORE)..end).unwrap_or_default();
                    match self.data(
                        (message.version, message.domain, id),
                        message.domain_at,
                        message.clocks,
                        (set, at as u64),
                    ) {
                        Some(records) => self.taken.records = self.taken.records.saturating_add(records),
                        None => self.hold(message, id, set),
                    }
                }
            }
            at = end;
        }
    }

    fn damage(&mut self, damage: Damage, error: DecodeError) {
        self.exporter.counters.damage(damage);
        self.taken.damage = self.taken.damage.or(Some(error));
    }

    fn hold(&mut self, message: &Message, id: u16, set: &[u8]) {
        self.taken.is_partial = true;
        let wanted = (message.version, message.domain, id);
        let held = Held::new(wanted, message.clocks, message.received, set.to_vec());
        self.exporter.waiting.hold(held, self.settings.waiting_bytes_max, &mut self.exporter.counters);
    }

    /// A set of templates. They end with it, or with what pads it.
    fn templates(&mut self, message: &Message, bytes: &[u8], (at, end): (usize, usize), is_options: bool) {
        let from = at.saturating_add(SET_HEADER);
        let mut cursor = Cursor::new(bytes.get(from..end).unwrap_or_default(), from as u64);
        while cursor.rest().len() >= 4 && cursor.rest().iter().take(4).any(|byte| *byte != 0) {
            let here = cursor;
            let written = match Written::read(&mut cursor, message.version, is_options) {
                Ok(written) => written,
                Err(error) => return self.damage(Damage::TemplateCut, error),
            };
            let key = (message.version, message.domain, written.id);
            if written.fields == 0 && message.version == IPFIX {
                self.withdraw(key, is_options);
            } else if written.id < template::ID_MIN {
                self.damage(Damage::TemplateId, here.value(Field::FlowTemplateId, u32::from(written.id)));
            } else if self.take_up(message.domain, &written) {
                self.release(key, message);
            } else {
                self.damage(Damage::TemplateSize, here.value(Field::FlowTemplate, u32::from(written.fields)));
            }
        }
    }

    fn take_up(&mut self, domain: u32, written: &Written<'_>) -> bool {
        let Exporter { templates, counters, .. } = &mut *self.exporter;
        let now = counters.datagrams;
        templates.take_up(domain, written, self.settings, now, counters)
    }

    /// A template that is withdrawn, or all of its kind where it has the identifier of their set (RFC 7011 section 8.1).
    fn withdraw(&mut self, (version, domain, id): TemplateKey, is_options: bool) {
        let templates = &mut self.exporter.templates;
        let gone = match id {
            2 | 3 => templates.drop_all(version, domain, is_options),
            _ => u64::from(templates.drop((version, domain, id))),
        };
        add(&mut self.exporter.counters.templates_withdrawn, gone);
    }

    /// Decodes what waited for a template.
    fn release(&mut self, key: TemplateKey, message: &Message) {
        while let Some(held) = self.exporter.waiting.take(key) {
            add(&mut self.exporter.counters.sets_found, 1);
            self.data(key, message.domain_at, held.clocks, (&held.bytes, 0));
        }
    }

    /// A set of data, with [`BEFORE`] bytes before its header, and where it stands in its datagram. How many records it has; `None` where its template is not
    /// known.
    fn data(
        &mut self,
        key: TemplateKey,
        domain_at: usize,
        clocks: Clocks,
        (set, offset): (&[u8], u64),
    ) -> Option<u64> {
        let now = self.exporter.counters.datagrams;
        let template = self.exporter.templates.find(key)?;
        template.used = now;
        // The header of the set is a part of the bytes before its first record.
        let body = set.get(SET_HEADER..).unwrap_or_default();
        let walked = if template.is_of_options() {
            self.options(key, domain_at, body)
        } else {
            self.flows(key, domain_at, clocks, body)
        };
        if walked.is_cut {
            let cursor = Cursor::new(body, offset);
            self.damage(Damage::RecordCut, cursor.cut(Field::FlowRecord, body.len()));
        }
        Some(walked.records)
    }

    fn options(&mut self, key: TemplateKey, domain_at: usize, body: &[u8]) -> Walked {
        let Exporter { templates, rates, counters, domains, .. } = &mut *self.exporter;
        let Some(template) = templates.find(key) else { return Walked { records: 0, is_cut: false } };
        let (version, domain, _) = key;
        let walked = template.plan.walk(body, |record, places| {
            if let Some(rate) = sampling::told(places, record) {
                let of = if places.sampler.length > 0 {
                    RateOf::Sampler(number(record, places.sampler))
                } else if places.interface.length > 0 {
                    RateOf::Interface(number(record, places.interface))
                } else {
                    RateOf::Domain
                };
                rates.tell((version, domain, of), rate);
            }
            if let (Some(init), Some(domain)) = (times::told_init(places, record), domains.get_mut(domain_at))
            {
                domain.init = Some(init);
            }
        });
        add(&mut counters.options_records, walked.records);
        walked
    }

    fn flows(&mut self, key: TemplateKey, domain_at: usize, mut clocks: Clocks, body: &[u8]) -> Walked {
        let Exporter { templates, rates, counters, domains, .. } = &mut *self.exporter;
        let Some(template) = templates.find(key) else { return Walked { records: 0, is_cut: false } };
        let (plan, version, domain, id) = (&template.plan, key.0, key.1, self.id);
        if clocks.uptime.is_none()
            && let Some(init) = domains.get(domain_at).and_then(|domain| domain.init)
        {
            clocks = clocks.with_init(init);
        }
        let (each, decapsulate) = (&mut *self.each, self.settings.decapsulate);
        let (mut flows, mut without_addresses) = (0_u64, 0_u64);
        let mut last = LastRate::default();
        let walked = plan.walk(body, |record, places| {
            let told = record::Told { plan, places, record, clocks: &clocks, decapsulate };
            let Some(mut flow) = record::flow(told) else {
                without_addresses = without_addresses.wrapping_add(1);
                return;
            };
            let basis = RateBasis::of(plan.has_rate, plan.has_sampler, places, record);
            let sampling = last.of(basis, &mut counters.sampling, |basis| {
                let told = basis.told.map(|rate| Sampling { rate, from: SamplingFrom::Record });
                rates.of_record((version, domain), told, basis.sampler, basis.interface)
            });
            flow.sampling = sampling.rate;
            flows = flows.wrapping_add(1);
            each(id, &flow);
            if plan.has_reverse
                && let Some(back) = record::reverse(places, record, &flow)
            {
                flows = flows.wrapping_add(1);
                last.count();
                each(id, &back);
            }
        });
        rates.last = last.end(&mut counters.sampling).or(rates.last);
        add(&mut counters.records, walked.records);
        add(&mut counters.flows, flows);
        add(&mut counters.without_addresses, without_addresses);
        if !plan.has_packets && plan.section == Section::None {
            add(&mut counters.without_packets, walked.records);
        }
        if plan.has_totals {
            add(&mut counters.totals, walked.records);
        }
        walked
    }
}

/// By what the rate of a record is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct RateBasis {
    told: Option<u32>,
    sampler: Option<u64>,
    interface: u64,
}

impl RateBasis {
    #[inline]
    fn of(has_rate: bool, has_sampler: bool, places: &Places, record: &[u8]) -> Self {
        RateBasis {
            told: if has_rate { sampling::told(places, record) } else { None },
            sampler: has_sampler.then(|| number(record, places.sampler)),
            interface: number(record, places.interface),
        }
    }
}

/// The rate of the record before: most records of a set have the same.
#[derive(Default)]
struct LastRate {
    last: Option<(RateBasis, Sampling)>,
    flows: u64,
}

impl LastRate {
    /// The rate of the next record, found anew where it goes by something else than the one before.
    #[inline]
    fn of(
        &mut self,
        basis: RateBasis,
        counters: &mut [u64; 5],
        find: impl FnOnce(RateBasis) -> Sampling,
    ) -> Sampling {
        if let Some((known, sampling)) = self.last
            && known == basis
        {
            self.count();
            return sampling;
        }
        self.end(counters);
        let found = find(basis);
        (self.last, self.flows) = (Some((basis, found)), 1);
        found
    }

    /// One more flow has this rate.
    #[inline]
    fn count(&mut self) {
        self.flows = self.flows.wrapping_add(1);
    }

    /// Counts the flows that had the last rate, which is handed back.
    fn end(&mut self, counters: &mut [u64; 5]) -> Option<Sampling> {
        let (_, sampling) = self.last.take()?;
        count_sampling(counters, sampling.from, std::mem::take(&mut self.flows));
        Some(sampling)
    }
}

/// Counts flows by who says how they were sampled.
pub(super) fn count_sampling(counters: &mut [u64; 5], from: SamplingFrom, count: u64) {
    if let Some(counter) = counters.get_mut(from as usize) {
        add(counter, count);
    }
}
