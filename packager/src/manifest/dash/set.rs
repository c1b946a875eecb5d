//! AdaptationSet and Representation (ISO/IEC 23009-1 §5.3.3 and §5.3.5).

use std::fmt::{self, Write};
use std::sync::Arc;

use media::{Codec, Kind, MediaTime};

use super::timeline;
use crate::presentation::{Init, Rendition, Segment};

pub(super) fn write(
    out: &mut String,
    rendition: &Rendition,
    segments: &[&Segment],
    origin: MediaTime,
) -> fmt::Result {
    let (Some(first), Some(init)) = (segments.first(), segments.first().and_then(|s| s.init())) else {
        return Ok(());
    };
    let (id, kind) = (&rendition.name, rendition.kind.as_str());
    write!(out, "    <AdaptationSet id=\"{}\" contentType=\"{kind}\"", set_id(rendition.kind))?;
    write!(out, " mimeType=\"{kind}/mp4\" segmentAlignment=\"true\"")?;
    // startWithSAP is a claim about every segment, so one cut without a keyframe takes it away.
    writeln!(out, "{}>", if rendition.independent { " startWithSAP=\"1\"" } else { "" })?;
    if let Codec::Aac(aac) = &init.track.codec {
        let scheme = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
        let value = channel_configuration(aac.channels);
        writeln!(out, "      <AudioChannelConfiguration schemeIdUri=\"{scheme}\" value=\"{value}\"/>")?;
    }
    writeln!(out, "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>")?;
    write!(out, "      <SegmentTemplate timescale=\"{}\"", first.scale.hz())?;
    write!(out, " presentationTimeOffset=\"{}\" startNumber=\"{}\"", origin.to(first.scale), first.number)?;
    writeln!(out, " initialization=\"{id}/init-{}.mp4\" media=\"{id}/$Number$.m4s\">", init.period)?;
    timeline::write(out, segments)?;
    writeln!(out, "      </SegmentTemplate>")?;
    write_representation(out, rendition, init)?;
    writeln!(out, "    </AdaptationSet>")
}

fn set_id(kind: Kind) -> u32 {
    match kind {
        Kind::Video => 1,
        Kind::Audio => 2,
    }
}

/// ISO/IEC 23091-3, Table 2: 7 channels are index 11, 8 are 12, fewer are their own number.
fn channel_configuration(channels: u8) -> u8 {
    match channels {
        7 => 11,
        8 => 12,
        few => few,
    }
}

fn write_representation(out: &mut String, rendition: &Rendition, init: &Arc<Init>) -> fmt::Result {
    write!(out, "      <Representation id=\"{}\"", rendition.name)?;
    write!(
        out,
        " codecs=\"{}\" bandwidth=\"{}\"",
        init.track.codec.rfc6381(),
        rendition.bitrate.peak.max(1)
    )?;
    match &init.track.codec {
        Codec::Avc(avc) => {
            let (horizontal, vertical) = avc.pixel_aspect;
            write!(
                out,
                " width=\"{}\" height=\"{}\" sar=\"{horizontal}:{vertical}\"",
                avc.width, avc.height
            )?;
            if let Some(rate) = rendition.frame_rate {
                write!(out, " frameRate=\"{}/{}\"", rate.frames, rate.per)?;
            }
        }
        Codec::Aac(aac) => write!(out, " audioSamplingRate=\"{}\"", aac.sample_rate)?,
    }
    writeln!(out, "/>")
}
