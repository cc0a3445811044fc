//! Templates: as they are written, and those that are known of an exporter.

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::flow::counters::{Counters, add};
use crate::flow::plan::{FieldSpecifier, Plan};
use crate::flow::settings::Settings;
use crate::flow::{IPFIX, V9};
use std::collections::BTreeMap;

/// The least identifier of a template (RFC 3954 section 5.2, RFC 7011 section 3.4.1).
pub(super) const ID_MIN: u16 = 256;

/// Says that an enterprise number follows (RFC 7011 section 3.2).
const ENTERPRISE: u16 = 0x8000;

/// By what a template is found: version, source identifier or observation domain, and its own identifier. The exporter
/// is whose templates they are.
pub(super) type TemplateKey = (u16, u32, u16);

/// A template as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    version: u16,
    pub(super) id: u16,
    pub(super) is_options: bool,
    /// Of all of its fields; 0 withdraws it (RFC 7011 section 8.1).
    pub(super) fields: u16,
    scopes: u16,
    /// All of it.
    bytes: &'a [u8],
    /// The specifiers of its fields.
    specifiers: Cursor<'a>,
}

impl<'a> Written<'a> {
    /// Reads the next one of a set.
    pub(super) fn read(cursor: &mut Cursor<'a>, version: u16, is_options: bool) -> Result<Self, DecodeError> {
        let start = *cursor;
        let id = cursor.u16(Field::FlowTemplate)?;
        let (fields, scopes) = match (version, is_options) {
            (V9, true) => {
                // Lengths in bytes, of four for each field.
                let scopes = cursor.u16(Field::FlowTemplate)? >> 2;
                (scopes.saturating_add(cursor.u16(Field::FlowTemplate)? >> 2), scopes)
            }
            (_, true) => match cursor.u16(Field::FlowTemplate)? {
                0 => (0, 0),
                fields => (fields, cursor.u16(Field::FlowTemplate)?),
            },
            _ => (cursor.u16(Field::FlowTemplate)?, 0),
        };
        let specifiers = *cursor;
        for _ in 0..fields {
            specifier(cursor, version)?;
        }
        let length = start.rest().len().saturating_sub(cursor.rest().len());
        let bytes = start.rest().get(..length).unwrap_or_default();
        Ok(Written { version, id, is_options, fields, scopes, bytes, specifiers })
    }

    fn fields(&self) -> impl Iterator<Item = FieldSpecifier> {
        let mut cursor = self.specifiers;
        (0..self.fields).map_while(move |index| {
            let (enterprise, number, length) = specifier(&mut cursor, self.version).ok()?;
            let is_scope = index < self.scopes;
            Some(FieldSpecifier { enterprise, number: in_scope(self.version, is_scope, number), length })
        })
    }
}

/// Enterprise, number and length of a field.
fn specifier(cursor: &mut Cursor<'_>, version: u16) -> Result<(u32, u16, u16), DecodeError> {
    let number = cursor.u16(Field::FlowTemplate)?;
    let length = cursor.u16(Field::FlowTemplate)?;
    if version == IPFIX && number & ENTERPRISE != 0 {
        return Ok((cursor.u32(Field::FlowTemplate)?, number & !ENTERPRISE, length));
    }
    Ok((0, number, length))
}

/// The scopes of version 9 have numbers of their own (RFC 3954 section 6.1): 1 is the exporter, 2 an interface, 3 a line
/// card, 4 a cache, 5 a template. All others are taken for information elements.
fn in_scope(version: u16, is_scope: bool, number: u16) -> u16 {
    match number {
        2 if version == V9 && is_scope => 10,
        1..=5 if version == V9 && is_scope => 0,
        number => number,
    }
}

/// A template that is known.
#[derive(Debug)]
pub(super) struct Template {
    /// As it was written.
    written: Box<[u8]>,
    pub(super) is_options: bool,
    pub(super) plan: Plan,
    /// The number of the datagram that used it last.
    pub(super) used: u64,
}

impl Template {
    fn size(&self) -> usize {
        self.plan.size().saturating_add(self.written.len()).saturating_add(size_of::<TemplateKey>())
    }

    /// Whether its records tell of the exporter and not of flows.
    pub(super) fn is_of_options(&self) -> bool {
        self.is_options || self.plan.is_of_sampling_only()
    }
}

/// The templates of one exporter.
#[derive(Debug, Default)]
pub(super) struct Templates {
    known: BTreeMap<TemplateKey, Template>,
    bytes: usize,
}

impl Templates {
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn find(&mut self, key: TemplateKey) -> Option<&mut Template> {
        self.known.get_mut(&key)
    }

    /// Takes up a template. Others that were not used for longest make room for it. `false` where its records would
    /// have no byte, or where it has no room even alone.
    pub(super) fn take_up(
        &mut self,
        domain: u32,
        written: &Written<'_>,
        settings: &Settings,
        now: u64,
        counters: &mut Counters,
    ) -> bool {
        let key = (written.version, domain, written.id);
        add(&mut counters.templates, 1);
        // Most are sent again and again as they were.
        if let Some(known) = self.known.get_mut(&key) {
            if known.is_options == written.is_options && *known.written == *written.bytes {
                known.used = now;
                return true;
            }
            add(&mut counters.templates_redefined, 1);
        }
        self.drop(key);
        let Some(plan) = Plan::new(written.fields(), settings.decapsulate) else { return false };
        let template =
            Template { written: written.bytes.into(), is_options: written.is_options, plan, used: now };
        let size = template.size();
        let bytes_max = settings.template_bytes_max;
        if size > bytes_max {
            return false;
        }
        while self.bytes.saturating_add(size) > bytes_max && !self.known.is_empty() {
            add(&mut counters.templates_evicted, self.drop_longest_unused());
        }
        self.bytes = self.bytes.saturating_add(size);
        self.known.insert(key, template);
        true
    }

    /// Forgets one template. Whether it was known.
    pub(super) fn drop(&mut self, key: TemplateKey) -> bool {
        let Some(template) = self.known.remove(&key) else { return false };
        self.bytes = self.bytes.saturating_sub(template.size());
        true
    }

    /// Forgets all templates of a domain, those of options or all others. How many there were.
    pub(super) fn drop_all(&mut self, version: u16, domain: u32, is_options: bool) -> u64 {
        self.drop_where(|(of_version, of_domain, _), template| {
            *of_version == version && *of_domain == domain && template.is_options == is_options
        })
    }

    /// Forgets those that the same datagram used last, longest ago, and says how many. All of them: to go through all
    /// that are known for each one would let a datagram of thousands take very long.
    fn drop_longest_unused(&mut self) -> u64 {
        let oldest = self.known.values().map(|template| template.used).min();
        self.drop_where(|_, template| Some(template.used) == oldest)
    }

    fn drop_where(&mut self, goes: impl Fn(&TemplateKey, &Template) -> bool) -> u64 {
        let (known, bytes) = (self.known.len(), &mut self.bytes);
        self.known.retain(|key, template| {
            let goes = goes(key, template);
            if goes {
                *bytes = bytes.saturating_sub(template.size());
            }
            !goes
        });
        known.saturating_sub(self.known.len()) as u64
    }

    /// Each template as it was written, with its version, its domain, and whether it is of options.
    pub(super) fn written(&self) -> impl Iterator<Item = (u16, u32, bool, &[u8])> {
        self.known.iter().map(|((version, domain, _), template)| {
            (*version, *domain, template.is_options, &*template.written)
        })
    }
}
