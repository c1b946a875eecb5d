//! How manifests say that pictures carry captions.
//!
//! Nothing says that there are none: they may begin at any time, and a player that was told so would not look. Their
//! languages are not in the payload.

use std::fmt::{self, Write};

use media::Captions;

use crate::presentation::Rendition;

const GROUP: &str = "captions";

/// What any of these carry.
fn of<'a>(renditions: impl Iterator<Item = &'a Rendition>) -> Captions {
    renditions.fold(Captions::default(), |all, rendition| all.and(rendition.captions))
}

/// What variants say of captions in HLS.
pub(super) struct ClosedCaptions(Captions);

impl ClosedCaptions {
    /// Of these videos together: where one variant has the attribute, all have to (RFC 8216bis §4.4.6.2).
    pub(super) fn of<'a>(videos: impl Iterator<Item = &'a Rendition>) -> ClosedCaptions {
        ClosedCaptions(of(videos))
    }

    /// An EXT-X-MEDIA for each (RFC 8216bis §4.4.6.1): no URI, because the variants carry them.
    pub(super) fn write_group(&self, out: &mut String) -> fmt::Result {
        let channels = self.0.channels().map(|channel| format!("CC{channel}"));
        let services = self.0.services().map(|service| format!("SERVICE{service}"));
        for name in channels.chain(services) {
            write!(out, "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"{GROUP}\",NAME=\"{name}\",")?;
            writeln!(out, "DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID=\"{name}\"")?;
        }
        Ok(())
    }

    /// The attribute of a variant (RFC 8216bis §4.4.6.2).
    pub(super) fn write_attribute(&self, out: &mut String) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(out, ",CLOSED-CAPTIONS=\"{GROUP}\"") }
    }
}

/// Accessibility descriptors of an AdaptationSet in DASH (ANSI/SCTE 214-1 §6.4.3.3 and §6.4.3.4), each on its line.
pub(super) fn write_accessibility<'a>(
    out: &mut String,
    renditions: impl Iterator<Item = &'a Rendition>,
    indent: &str,
) -> fmt::Result {
    let captions = of(renditions);
    let channels: Vec<String> = captions.channels().map(|channel| format!("CC{channel}=und")).collect();
    let services: Vec<String> = captions.services().map(|service| format!("{service}=lang:und")).collect();
    for (standard, values) in [("cea-608", channels), ("cea-708", services)] {
        if !values.is_empty() {
            let value = values.join(";");
            write!(out, "{indent}<Accessibility schemeIdUri=\"urn:scte:dash:cc:{standard}:2015\"")?;
            writeln!(out, " value=\"{value}\"/>")?;
        }
    }
    Ok(())
}
