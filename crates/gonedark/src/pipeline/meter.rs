//! What exporters send, metered: the same for files and for sockets.

use crate::source::archive::Workers;
use crate::source::flows::{Exports, Heard, Input, KeptExports, Kind, Told, read};
use gonedark_infer::traffic::report::{Attack, Deaf, TrafficNews, TrafficReport};
use gonedark_infer::traffic::{KeptTraffic, Traffic};
use gonedark_route::Time;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;

/// The form of what is kept: raised with every change of it, so that what is of another form is begun anew.
pub const FORM: u32 = 2;

/// Exporters, and the meter of what they tell.
pub struct Meter {
    exports: Exports,
    traffic: Traffic,
    /// The last moment of which something was told.
    last: Option<Time>,
}

#[derive(Serialize)]
struct Keeping<'a> {
    form: u32,
    exports: KeptExports,
    traffic: &'a Traffic,
}

#[derive(Deserialize)]
struct Kept {
    exports: KeptExports,
    traffic: KeptTraffic,
}

impl Meter {
    /// A meter to which nothing was told yet, or one that goes on.
    pub fn new(exports: Exports, traffic: Traffic) -> Self {
        Meter { exports, traffic, last: None }
    }

    /// Takes a datagram of an exporter; false where nothing of it could be read.
    pub fn take(&mut self, from: IpAddr, at: Time, datagram: &[u8]) -> bool {
        let Meter { exports, traffic, last } = self;
        *last = (*last).max(Some(at));
        exports.take(from, at, datagram, &mut |told| tell(traffic, &told)).is_ok()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read at all.
    pub fn read(&mut self, path: &Path, workers: &Workers, kind: Kind) -> io::Result<Input> {
        let Meter { exports, traffic, last } = self;
        read(path, workers, kind, exports, &mut |told| {
            *last = (*last).max(Some(told.at()));
            tell(traffic, &told);
        })
    }

    /// Everything received before `now` was told.
    pub fn advance(&mut self, now: Time) {
        self.traffic.advance(now);
    }

    /// The last moment of which something was told.
    pub fn last(&self) -> Option<Time> {
        self.last
    }

    /// The routing changed: whose a target is will be asked anew.
    pub fn routes_changed(&mut self) {
        self.traffic.routes_changed();
    }

    /// What is new.
    pub fn news(&mut self) -> TrafficNews {
        self.traffic.news()
    }

    /// The attacks that go on.
    pub fn ongoing(&self) -> Vec<Attack> {
        self.traffic.ongoing()
    }

    /// Times in which exporters could not be heard that can still grow.
    pub fn deaf(&self) -> Vec<Deaf> {
        self.traffic.deaf()
    }

    /// Exporters that were heard once, by number: since when each is silent, `None` where it is heard. They are listened to since
    /// `begun`.
    pub fn silent(&self, begun: Time, now: Time) -> impl Iterator<Item = (u16, Option<Time>)> {
        self.traffic.silent(begun, now)
    }

    /// Everything that can be said.
    pub fn report(&self) -> TrafficReport {
        self.traffic.report()
    }

    /// The exporters, by their numbers.
    pub fn exporters(&self) -> Vec<Heard> {
        self.exports.heard().collect()
    }

    /// All state, to be read again by [`take_up`].
    ///
    /// # Errors
    /// Those of the writer.
    pub fn keep(&self, into: impl Write) -> Result<(), postcard::Error> {
        let keeping = Keeping { form: FORM, exports: self.exports.keep(), traffic: &self.traffic };
        postcard::to_io(&keeping, into).map(drop)
    }
}

/// What a meter kept, for exporters and traffic to go on from.
///
/// # Errors
/// Bytes that were kept by another version, or changed.
pub fn take_up(bytes: &[u8]) -> Result<(KeptExports, KeptTraffic), String> {
    let (form, rest) = postcard::take_from_bytes::<u32>(bytes).map_err(|error| error.to_string())?;
    if form != FORM {
        return Err(format!("it has the form {form}, this version knows {FORM}"));
    }
    let Kept { exports, traffic } = postcard::from_bytes(rest).map_err(|error| error.to_string())?;
    Ok((exports, traffic))
}

fn tell(traffic: &mut Traffic, told: &Told<'_>) {
    match *told {
        Told::Flow { at, exporter, flow } => traffic.flow(at, exporter, flow),
        Told::Alive { at, exporter } => traffic.alive(at, exporter),
        Told::Lost { at, exporter, how_many } => traffic.lost(at, exporter, how_many),
    }
}
