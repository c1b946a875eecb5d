//! What the control API asks of who sends entries on to targets.

use control_api::{TargetState, TargetStatus};
use restream::{Restream, State};

/// Who sends, as the control API knows it.
pub(crate) struct Asked(pub(crate) Restream);

impl control_api::Restreamer for Asked {
    fn status(&self, target: &str) -> TargetStatus {
        let Some(status) = self.0.status(target) else { return TargetStatus::default() };
        TargetStatus {
            state: state(status.state),
            since: Some(status.since),
            error: status.error,
            attempts: status.attempts,
            next_attempt: status.next_attempt,
            renditions: status.renditions,
            bytes: status.bytes,
            frames: status.frames,
            skipped: status.skipped,
            behind: status.behind,
            bitrate: status.bitrate,
        }
    }
}

fn state(state: State) -> TargetState {
    match state {
        State::Off => TargetState::Off,
        State::Waiting => TargetState::Waiting,
        State::Connecting => TargetState::Connecting,
        State::Sending => TargetState::Sending,
        State::Retrying => TargetState::Retrying,
        State::Refused => TargetState::Refused,
    }
}
