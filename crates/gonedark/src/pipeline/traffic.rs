//! What exporters tell, told to the meter: the same for files and for sockets.

use crate::source::flows::Told;
use gonedark_infer::traffic::Traffic;

/// Tells the meter one thing.
pub fn tell(traffic: &mut Traffic, told: &Told<'_>) {
    match *told {
        Told::Flow { at, exporter, flow } => traffic.flow(at, exporter, flow),
        Told::Alive { at, exporter } => traffic.alive(at, exporter),
        Told::Lost { at, exporter, how_many } => traffic.lost(at, exporter, how_many),
    }
}
