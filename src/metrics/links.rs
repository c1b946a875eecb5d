//! How the networks to publishers do, asked when somebody looks.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use stream::{Directory, LegReport, Link};

/// The links of all publishers that have one.
pub(super) struct Links(pub(super) Directory);

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Links")
    }
}

/// Something of each link: name, help, value.
type Shown<T> = (&'static str, &'static str, fn(&Link) -> T);

/// What only grows.
const COUNTS: [Shown<u64>; 5] = [
    ("packets", "Packets received, again or not", |link| link.packets),
    ("lost_packets", "Packets missing when later ones came", |link| link.lost),
    ("retransmitted_packets", "Packets that came again", |link| link.retransmitted),
    ("dropped_packets", "Packets given up as too late", |link| link.dropped),
    ("undecrypted_packets", "Packets that could not be decrypted", |link| link.undecrypted),
];

/// What goes up and down.
const GAUGES: [Shown<f64>; 4] = [
    ("rtt_seconds", "Round trip time to the encoder", |link| link.rtt.as_secs_f64()),
    ("latency_seconds", "Delay in which lost packets are sent again", |link| link.latency.as_secs_f64()),
    ("buffer_seconds", "Media that waits for its delivery", |link| link.buffer.as_secs_f64()),
    ("bandwidth_bits", "What the network seems to be able to carry, per second", |link| {
        link.bandwidth as f64
    }),
];

impl Collector for Links {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let reports = self.0.status().into_iter().filter_map(|status| self.0.report(&status.entry));
        let mut all: Vec<_> = reports
            .flat_map(|report| report.legs.into_iter().map(move |leg| (report.entry.clone(), leg)))
            .filter_map(|(entry, leg)| Some((entry, leg.link.clone()?, leg)))
            .collect();
        all.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        for (name, help, value) in COUNTS {
            let name = format!("stream_link_{name}");
            let mut family = encoder.encode_descriptor(&name, help, None, MetricType::Counter)?;
            for (entry, link, leg) in &all {
                ConstCounter::new(value(link)).encode(family.encode_family(&labels(entry, leg))?)?;
            }
        }
        for (name, help, value) in GAUGES {
            let name = format!("stream_link_{name}");
            let mut family = encoder.encode_descriptor(&name, help, None, MetricType::Gauge)?;
            for (entry, link, leg) in &all {
                ConstGauge::new(value(link)).encode(family.encode_family(&labels(entry, leg))?)?;
            }
        }
        Ok(())
    }
}

fn labels<'a>(entry: &'a str, leg: &'a LegReport) -> [(&'static str, &'a str); 3] {
    [("entry", entry), ("leg", leg.leg.as_str()), ("rendition", leg.rendition.as_deref().unwrap_or("1"))]
}
