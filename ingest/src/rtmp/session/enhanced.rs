//! What Enhanced RTMP adds to `connect`, and the request to come back (Enhanced RTMP v2, "Enhancing NetConnection
//! connect Command" and "Reconnect Request").
//!
//! Who does not ask for any of it gets the answer that he always got.

use container::flv::FourCc;

use super::super::amf::{Object, Value};
use super::Session;

/// Property names of the command object.
const FOURCC_LIST: &str = "fourCcList";
const VIDEO_MAP: &str = "videoFourCcInfoMap";
const AUDIO_MAP: &str = "audioFourCcInfoMap";
const CAPS_EX: &str = "capsEx";

/// Bits of `capsEx`.
const RECONNECT: u32 = 0x01;
const MULTITRACK: u32 = 0x02;
const MOD_EX: u32 = 0x04;
const TIMESTAMP_NANO_OFFSET: u32 = 0x08;

/// FourCcInfoMask: passed on to others, neither decoded nor encoded.
const CAN_FORWARD: f64 = 4.0;

/// What is taken.
const VIDEO: [FourCc; 4] = [FourCc::AVC, FourCc::HEVC, FourCc::AV1, FourCc::VP9];
const AUDIO: [FourCc; 5] = [FourCc::AAC, FourCc::OPUS, FourCc::AC3, FourCc::EAC3, FourCc::FLAC];

/// What a client said of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Client {
    /// It speaks Enhanced RTMP.
    enhanced: bool,
    /// It follows a request to reconnect.
    reconnects: bool,
}

impl Client {
    /// Reads the command object of `connect`.
    pub(super) fn of(object: Option<&Object>) -> Client {
        let get = |name| object.and_then(|object| object.get(name));
        let enhanced =
            [FOURCC_LIST, VIDEO_MAP, AUDIO_MAP, CAPS_EX].into_iter().any(|name| get(name).is_some());
        // A number that is none, or too large, has no bits.
        let flags = get(CAPS_EX).and_then(Value::as_number).unwrap_or(0.0) as u32;
        Client { enhanced, reconnects: flags & RECONNECT != 0 }
    }

    /// What the answer says beside what it always says. It is not defined in which of the two objects, so both have it.
    pub(super) fn answer(self) -> Vec<(String, Value)> {
        if !self.enhanced {
            return Vec::new();
        }
        let all = VIDEO.iter().chain(&AUDIO).map(|codec| codec.to_string().as_str().into()).collect();
        let flags = RECONNECT | MULTITRACK | MOD_EX | TIMESTAMP_NANO_OFFSET;
        let properties = [
            (FOURCC_LIST, Value::Array(all)),
            (VIDEO_MAP, map(&VIDEO)),
            (AUDIO_MAP, map(&AUDIO)),
            (CAPS_EX, f64::from(flags).into()),
        ];
        Object::of(properties).0
    }
}

fn map(codecs: &[FourCc]) -> Value {
    Value::Object(Object(codecs.iter().map(|codec| (codec.to_string(), CAN_FORWARD.into())).collect()))
}

impl Session {
    /// Whether the peer follows a request to connect again.
    pub fn reconnects(&self) -> bool {
        self.client.reconnects
    }

    /// Asks a publisher to connect again, to where it is connected. Says whether it is one that does; others are to be
    /// told with [`Session::end_all`]. Until it has left its media is still to be taken.
    pub fn ask_to_reconnect(&mut self, why: &str) -> bool {
        let asks = self.client.reconnects && self.is_publishing();
        if asks {
            // About the connection, so on message stream 0.
            self.status(0, "status", "NetConnection.Connect.ReconnectRequest", why);
        }
        asks
    }
}
