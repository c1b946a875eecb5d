//! The tables as rows, for this crate alone: what others see are the types of its other modules.
//!
//! Times are microseconds since the Unix epoch, enumerations words, JSON text: the same in both databases.

pub(crate) mod accounts;
pub(crate) mod api_tokens;
pub(crate) mod assets;
pub(crate) mod audit;
pub(crate) mod clip_ranges;
pub(crate) mod entries;
pub(crate) mod entry_tags;
pub(crate) mod event_positions;
pub(crate) mod events;
pub(crate) mod idempotency;
pub(crate) mod inputs;
pub(crate) mod jobs;
pub(crate) mod live;
pub(crate) mod recordings;
pub(crate) mod removed_recordings;
pub(crate) mod secrets;
pub(crate) mod stream_keys;
pub(crate) mod targets;
pub(crate) mod timelines;
pub(crate) mod webhook_deliveries;
pub(crate) mod webhooks;
