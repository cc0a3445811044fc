//! The same in OpenMetrics (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
//!
//! Nothing is counted here: each scrape reads what the loop and the sources note of themselves, so that metrics, `/status`
//! and the terminal cannot differ.

use super::{Subject, View, answer};
use crate::clock;
use crate::watch::SourceStatus;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;

/// What every name begins with.
const PREFIX: &str = "gonedark";
/// See the specification, "Overall structure".
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A counter of a source: name, help, value.
type Counter = (&'static str, &'static str, fn(&SourceStatus) -> u64);
/// The same of a value that comes and goes; `None` is not told.
type Gauge = (&'static str, &'static str, Option<Unit>, fn(&SourceStatus) -> Option<f64>);

/// What sources count.
const COUNTERS: [Counter; 6] = [
    ("source_messages", "Messages read, whatever they were", |source| source.messages),
    ("source_damaged", "Messages that could not be understood", |source| source.damaged),
    ("source_missed", "Messages known to be missed", |source| source.missed),
    ("source_connections", "Connections made", |source| source.connections),
    ("source_observations", "Observations handed on", |source| source.observations),
    ("source_records", "Records of flows that were metered", |source| source.records),
];

/// How sources are.
const GAUGES: [Gauge; 4] = [
    ("source_well", "1 while the source does what it should", None, |source| {
        Some(f64::from(u8::from(source.is_well)))
    }),
    ("source_lag", "From what the source has seen last to now", Some(Unit::Seconds), |source| source.lag_s),
    ("source_sessions", "Routers, collectors or files that the source is at", None, |source| {
        Some(source.sessions.len() as f64)
    }),
    ("source_silent", "Exporters of flows that were heard and are silent now", None, |source| {
        Some(source.silent as f64)
    }),
];

pub(super) async fn page(State(subject): State<Subject>) -> Response {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Told(View::of(&subject, clock::now()))));
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => answer(StatusCode::OK, KIND, text),
        Err(error) => super::text(StatusCode::INTERNAL_SERVER_ERROR, format!("a bug in gonedark: {error}\n")),
    }
}

/// A moment, told as metrics.
#[derive(Debug)]
struct Told(View);

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        self.watch(&mut encoder)?;
        for (name, help, value) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for source in &self.0.sources {
                let labels = [("source", source.name.as_str())];
                family.encode_family(&labels)?.encode_counter(&value(source), None::<&NoExemplar>)?;
            }
        }
        for (name, help, unit, value) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            for source in &self.0.sources {
                if let Some(value) = value(source) {
                    family.encode_family(&[("source", source.name.as_str())])?.encode_gauge(&value)?;
                }
            }
        }
        Ok(())
    }
}

type NoExemplar = prometheus_client::metrics::exemplar::Exemplar<NoLabelSet, f64>;

impl Told {
    /// Of the loop and the store.
    fn watch(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let view = &self.0;
        let counters = [
            ("commits", "Commits since the start", view.commits),
            ("applied_observations", "Observations applied, over all starts of this store", view.applied),
        ];
        for (name, help, value) in counters {
            let mut counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            counter.encode_counter(&value, None::<&NoExemplar>)?;
        }
        let fault = f64::from(u8::from(view.store_fault.is_some()));
        let gauges = [
            ("lag", "From what is applied to now", Some(Unit::Seconds), view.lag_s),
            (
                "waiting",
                "Observations that wait for a stream that lags",
                Some(Unit::Bytes),
                Some(view.waiting_bytes as f64),
            ),
            ("store_fault", "1 while the store cannot be written", None, Some(fault)),
            (
                "store_size",
                "The store on disk, with its log",
                Some(Unit::Bytes),
                Some(view.store_bytes as f64),
            ),
        ];
        for (name, help, unit, value) in gauges {
            let mut gauge = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            if let Some(value) = value {
                gauge.encode_gauge(&value)?;
            }
        }
        let help = "Incidents that go on, by the worst level that they reached";
        let mut ongoing = encoder.encode_descriptor("incidents_ongoing", help, None, MetricType::Gauge)?;
        for (level, count) in view.ongoing.iter().flatten() {
            ongoing.encode_family(&[("level", level.as_str())])?.encode_gauge(&(*count as i64))?;
        }
        let help = "Attacks that go on, parts of larger ones left out";
        let mut attacks = encoder.encode_descriptor("attacks_ongoing", help, None, MetricType::Gauge)?;
        if let Some(count) = view.attacks_ongoing {
            attacks.encode_gauge(&(count as i64))?;
        }
        Ok(())
    }
}
