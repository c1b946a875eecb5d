//! Several tracks in one message (Enhanced RTMP v2, ManyTracks and ManyTracksManyCodecs).

use std::ops::Range;

use super::codec::temporal_delimiter;
use super::enhanced::Says;
use super::reader::{Reader, Stop};
use super::{Data, Error, FourCc, Packet};

/// Most packets in one message: each is handed over before the next message is looked at.
pub const MAX_TRACKS: usize = 16;

/// How to read a payload with packets of several tracks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tracks {
    pub(super) says: Says,
    /// The codec of all of them, or each says its own.
    pub(super) codec: Option<FourCc>,
}

impl Tracks {
    /// Whether they are frames, and not configurations or something beside the media.
    pub fn are_frames(&self) -> bool {
        use super::enhanced::packet;
        matches!(
            (self.says.kind, self.says.packet),
            (_, packet::CODED_FRAMES) | (media::Kind::Video, packet::VIDEO_CODED_FRAMES_X)
        )
    }

    /// The packets in `payload`, each with the place of its data. An error is the last that comes; what came before it is
    /// whole.
    pub fn split(
        self,
        payload: &[u8],
    ) -> impl Iterator<Item = Result<(Packet, Range<usize>), Error>> + use<'_> {
        let (mut at, mut count) = (0, 0);
        std::iter::from_fn(move || {
            if at >= payload.len() {
                return None;
            }
            count += 1;
            let one = match count > MAX_TRACKS {
                true => Err(Error::TooManyTracks { kind: self.says.kind.as_str() }),
                false => self.one(payload, at),
            };
            // The next one begins where the data of this one ends.
            at = one.as_ref().map_or(payload.len(), |(_, data)| data.end);
            Some(one)
        })
    }

    fn one(self, payload: &[u8], at: usize) -> Result<(Packet, Range<usize>), Error> {
        let cut = |len: usize| Error::Truncated { kind: self.says.kind.as_str(), len };
        let mut header = Reader::new(&payload[at..]);
        let read = |header: &mut Reader<'_>| {
            let codec = match self.codec {
                Some(codec) => codec,
                None => FourCc(header.take()?),
            };
            let [track, a, b, c] = header.take()?;
            Ok((track, codec, u32::from_be_bytes([0, a, b, c]) as usize))
        };
        let (track, codec, len) = read(&mut header).map_err(|_: Stop| cut(payload.len()))?;
        let start = at + header.at();
        let data = payload.get(start..start + len).ok_or(cut(payload.len()))?;
        let mut inside = Reader::new(data);
        let says = self.says.data(codec, &mut inside).map_err(|_: Stop| cut(len))?;
        let mut skip = inside.at();
        if let (FourCc::AV1, Data::Frame { .. }) = (codec, says) {
            skip += temporal_delimiter(&data[skip..]);
        }
        Ok((Packet { track, codec, data: says }, start + skip..start + len))
    }
}
