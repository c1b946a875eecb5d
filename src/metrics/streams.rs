//! The streams of a [`Directory`], asked when somebody looks.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use media::WallTime;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use stream::status::State;
use stream::{Audience, Directory, Status};

pub(super) struct Streams {
    directory: Directory,
    audience: Arc<Audience>,
}

impl Streams {
    pub(super) fn new(directory: Directory, audience: Arc<Audience>) -> Streams {
        Streams { directory, audience }
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streams")
    }
}

/// A counter of each stream: name, help, value.
type Count = (&'static str, &'static str, fn(&Status) -> u64);

const COUNTS: [Count; 8] = [
    ("samples", "Samples that publishers sent", |status| status.samples),
    ("media_bytes", "Payload bytes of samples", |status| status.bytes),
    ("parts", "Parts made, in all renditions", |status| status.parts),
    ("segments", "Segments finished, in all renditions", |status| status.segments),
    ("periods", "Periods begun: one more than discontinuities", |status| status.periods),
    ("dropped_samples", "Samples without a place on the timeline", |status| status.dropped),
    ("forced_cuts", "Segments that begin without a keyframe", |status| status.forced_cuts),
    ("metadata", "Timed metadata that publishers sent", |status| status.metadata),
];

impl Collector for Streams {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let mut all = self.directory.status();
        all.sort_by(|a, b| a.entry.cmp(&b.entry));
        states(&mut encoder, &all)?;
        for (name, help, value) in COUNTS {
            let name = format!("stream_{name}");
            let mut family = encoder.encode_descriptor(&name, help, None, MetricType::Counter)?;
            for status in &all {
                let labels = [("entry", &*status.entry)];
                ConstCounter::new(value(status)).encode(family.encode_family(&labels)?)?;
            }
        }
        self.viewers(&mut encoder, &all)?;
        lag(&mut encoder, &all)
    }
}

impl Streams {
    fn viewers(&self, encoder: &mut DescriptorEncoder, all: &[Status]) -> Result<(), fmt::Error> {
        let help = "Viewers seen here in the last half minute; those of caches in front are not";
        let mut family = encoder.encode_descriptor("stream_viewers", help, None, MetricType::Gauge)?;
        for status in all {
            let viewers = self.audience.count(&status.entry, Instant::now());
            let labels = [("entry", &*status.entry)];
            ConstGauge::new(i64::try_from(viewers).unwrap_or(i64::MAX))
                .encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn states(encoder: &mut DescriptorEncoder, all: &[Status]) -> Result<(), fmt::Error> {
    let help = "Streams, by where they stand";
    let mut family = encoder.encode_descriptor("streams", help, None, MetricType::Gauge)?;
    for (state, word) in
        [(State::Publishing, "publishing"), (State::Waiting, "waiting"), (State::Ended, "ended")]
    {
        let count = all.iter().filter(|status| status.state == state).count();
        ConstGauge::new(count as i64).encode(family.encode_family(&[("state", word)])?)?;
    }
    Ok(())
}

/// How far the newest part lies behind the clock: grows while an encoder stalls, drifts with its clock.
fn lag(encoder: &mut DescriptorEncoder, all: &[Status]) -> Result<(), fmt::Error> {
    let help = "How far the live edge lies behind the wall clock, while publishing or waiting";
    let now = WallTime::from(SystemTime::now());
    let mut family = encoder.encode_descriptor("stream_lag_seconds", help, None, MetricType::Gauge)?;
    for status in all {
        if let (Some(edge), true) = (status.edge, status.state != State::Ended) {
            let labels = [("entry", &*status.entry)];
            ConstGauge::new((now - edge).seconds()).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
