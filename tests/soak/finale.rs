//! The process dies while an ended show becomes what is on demand.

use std::time::Duration;

use crate::fault::{Fault, SYNC};
use crate::reel::RENDITIONS;
use crate::stage::{Stage, VIDEO};
use crate::support::wait::throughout;

/// Each sync takes so long, that the process dies in one of those that end a recording.
const SLOW: &str = "delay_enter=3000000";

/// The end was acknowledged: it is an end after the next start too, with everything that was on air when the disk became
/// slow, and never with half of it.
#[test]
fn a_show_that_was_ended_is_on_demand_after_the_process_died_in_its_end() {
    for wait in [0, 300, 1200] {
        let mut stage = Stage::new(14);
        stage.publish(0);
        stage.goes_on(5);
        let aired = stage.media().last().number;
        let Some(fault) = Fault::inject(&stage.server, SYNC, SLOW, &[]) else { return };
        stage.end();
        throughout(Duration::from_millis(wait), || ());
        let stage = stage.restart();
        drop(fault);
        for rendition in RENDITIONS {
            let played = stage.on_demand(rendition);
            let lives = stage.reel.index(rendition).lives(&played.frames, &[0]);
            let lives = lives.unwrap_or_else(|wrong| panic!("{rendition}, {wait} ms: {wrong}"));
            assert!(lives[0].is_some(), "{rendition}, {wait} ms: nothing is there");
            assert_eq!(stage.in_files(rendition), played.frames, "{rendition}, {wait} ms");
        }
        let last = stage.on_demand(VIDEO).seconds().into_keys().max();
        assert!(last >= Some(aired - 1), "{wait} ms: {last:?} after {aired} was on air");
    }
}
