//! What ffprobe sees in a file.

use std::path::Path;

use serde_json::Value;

use super::push::run;

/// One packet of a track.
#[derive(Clone, PartialEq, Debug)]
pub struct Packet {
    /// Presentation time in ticks.
    pub pts: i64,
    /// Decode time in ticks.
    pub dts: i64,
    /// Of its payload.
    pub hash: String,
}

/// A track with all its packets in decode order.
#[derive(Clone, PartialEq, Debug)]
pub struct Packets {
    /// Ticks a second.
    pub timescale: i64,
    pub packets: Vec<Packet>,
}

impl Packets {
    /// Ticks as milliseconds.
    pub fn millis(&self, ticks: i64) -> f64 {
        ticks as f64 * 1000.0 / self.timescale as f64
    }
}

/// The packets of the first track of a kind: `v` or `a`.
pub fn packets(file: &Path, kind: &str) -> Packets {
    let probed = probe(file, kind, "stream=time_base:packet=pts,dts,data_hash");
    let timescale = probed["streams"][0]["time_base"].as_str().and_then(|base| base.strip_prefix("1/"));
    let timescale = timescale.unwrap_or_else(|| panic!("no {kind} in {}", file.display()));
    let packets = probed["packets"].as_array().expect("an array").iter().map(packet).collect();
    Packets { timescale: timescale.parse().expect("a number"), packets }
}

/// The payloads of those, where the container does not say all times.
pub fn hashes(file: &Path, kind: &str) -> Vec<String> {
    let probed = probe(file, kind, "packet=data_hash");
    let packets = probed["packets"].as_array().expect("an array").iter();
    packets.map(|packet| packet["data_hash"].as_str().expect("a hash").to_owned()).collect()
}

fn probe(file: &Path, kind: &str, fields: &str) -> Value {
    let path = file.to_str().expect("a path in UTF-8");
    let selected = format!("{kind}:0");
    let arguments = ["-v", "error", "-select_streams", &selected, "-show_packets", "-show_data_hash", "MD5"];
    let json = run("ffprobe", &[&arguments[..], &["-show_entries", fields, "-of", "json", path]].concat());
    serde_json::from_slice(&json).expect("ffprobe writes JSON")
}

fn packet(value: &Value) -> Packet {
    let number = |name: &str| value[name].as_i64().unwrap_or_else(|| panic!("no {name} in {value}"));
    Packet {
        pts: number("pts"),
        dts: number("dts"),
        hash: value["data_hash"].as_str().expect("a hash").to_owned(),
    }
}
