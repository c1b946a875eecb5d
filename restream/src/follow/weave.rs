//! Pictures and sound in one order: by the time at which they are decoded.

use super::{Item, Lane};

/// One that comes no further is waited for so long. Microseconds.
const PATIENCE: i64 = 1_500_000;

/// Takes what can go out: nothing that is decoded earlier can come any more. With `all`, everything.
pub(super) fn release<'a>(lanes: impl Iterator<Item = &'a mut Lane>, all: bool) -> Vec<Item> {
    let mut lanes: Vec<&mut Lane> = lanes.collect();
    let Some(newest) = lanes.iter().map(|lane| lane.reaches()).max() else { return Vec::new() };
    let waited_for =
        lanes.iter().map(|lane| lane.reaches()).filter(|end| newest.saturating_sub(*end) <= PATIENCE);
    let until = if all { i64::MAX } else { waited_for.min().unwrap_or(newest) };
    let mut items = Vec::new();
    while let Some(lane) =
        lanes.iter_mut().filter(|lane| !lane.queue.is_empty()).min_by_key(|it| it.position())
    {
        if lane.position() >= until && matches!(lane.queue.front(), Some(Item::Frame(_))) {
            break;
        }
        items.extend(lane.queue.pop_front());
    }
    items
}
