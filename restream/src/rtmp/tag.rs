//! What stands before a configuration or a frame in an RTMP message: FLV tag headers (Adobe FLV 10.1, Annex E.4).

use bytes::Bytes;
use media::{Codec, Sync};

use super::amf::{self, Value};

/// A tag without its payload.
pub type Head = Vec<u8>;

/// Whether RTMP can carry it.
pub fn carries(codec: &Codec) -> bool {
    match codec {
        Codec::Avc(_) | Codec::Aac(_) => true,
    }
}

/// Codecs that need Enhanced RTMP, as its `fourCcList` names them; `None` for those that RTMP always had.
pub fn four_cc(codec: &Codec) -> Option<&'static str> {
    match codec {
        Codec::Avc(_) | Codec::Aac(_) => None,
    }
}

/// The tag that says how what follows is coded.
pub fn configuration(codec: &Codec) -> (Head, Bytes) {
    match codec {
        Codec::Avc(avc) => (vec![0x17, 0, 0, 0, 0], avc.record.clone()),
        Codec::Aac(aac) => (vec![0xaf, 0], aac.config.clone()),
    }
}

/// The head of a frame. `composition` is how many milliseconds it is shown after it is decoded.
pub fn frame(codec: &Codec, sync: Sync, composition: i32) -> Head {
    match codec {
        Codec::Avc(_) => {
            let first = if sync == Sync::No { 0x27 } else { 0x17 };
            let [_, a, b, c] = composition.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes();
            vec![first, 1, a, b, c]
        }
        Codec::Aac(_) => vec![0xaf, 1],
    }
}

/// The tag that says that no more pictures come of a configuration.
pub fn end(codec: &Codec) -> Option<Head> {
    match codec {
        Codec::Avc(_) => Some(vec![0x17, 2, 0, 0, 0]),
        Codec::Aac(_) => None,
    }
}

/// What `@setDataFrame` says of a stream (Adobe FLV 10.1, E.5).
pub fn metadata(video: Option<&Codec>, audio: Option<&Codec>, frame_rate: Option<f64>) -> Bytes {
    let mut facts: Vec<(&str, Value)> = vec![("encoder", concat!("Headwater/", env!("CARGO_PKG_VERSION")).into())];
    match video {
        Some(Codec::Avc(avc)) => {
            facts.push(("width", f64::from(avc.width).into()));
            facts.push(("height", f64::from(avc.height).into()));
            facts.push(("videocodecid", 7.0.into()));
        }
        _ => {}
    }
    if let Some(rate) = frame_rate {
        facts.push(("framerate", rate.into()));
    }
    match audio {
        Some(Codec::Aac(aac)) => {
            facts.push(("audiosamplerate", f64::from(aac.sample_rate).into()));
            facts.push(("audiosamplesize", 16.0.into()));
            facts.push(("stereo", Value::Boolean(aac.channels > 1)));
            facts.push(("audiocodecid", 10.0.into()));
        }
        _ => {}
    }
    amf::write(&["@setDataFrame".into(), "onMetaData".into(), amf::object(facts)]).into()
}
