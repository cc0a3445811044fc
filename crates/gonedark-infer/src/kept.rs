//! What the inference has concluded so far, to be kept and taken up again: after a restart it goes on as if nothing had
//! happened (ARCHITECTURE.md, invariant 13).
//!
//! What is kept is all state but what comes from outside each time: thresholds, delegations and what is watched. With
//! others than before it would say something else of the same past, so the one who keeps it also keeps what they were.

use crate::detection::tracks::Watch;
use crate::inference::Inference;
use crate::observation::Delegations;
use crate::parameters::Parameters;

/// All state of an [`Inference`], as it was deserialised.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub struct Kept(Inference);

impl Kept {
    /// Goes on from here, with the thresholds, delegations and watch that were in force before.
    pub fn go_on(
        self,
        parameters: Parameters,
        delegations: Box<dyn Delegations + Send>,
        watch: Watch,
    ) -> Inference {
        let Kept(mut inference) = self;
        inference.take_up(parameters, delegations, watch);
        inference
    }
}
