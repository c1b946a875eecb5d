//! What the files of a recording are called.
//!
//! ```text
//! FOLDER/index                       what is where
//! FOLDER/RENDITION.P.N.mp4           media of a rendition in period P, from segment N on
//! FOLDER/moved                       which of that is in another store
//! ```
//!
//! The segments of a file follow each other without a hole: behind a gap a new file begins. So the name and the boxes
//! inside are enough to know each segment's number, should the index be lost.

/// The index.
pub const INDEX: &str = "index";
/// The index being written anew.
pub const NEW_INDEX: &str = "index.new";
/// Which files of media were moved to another store.
pub const MOVED: &str = "moved";
/// The same being written anew.
pub const NEW_MOVED: &str = "moved.new";
/// An index that could not be read, put aside.
pub const OLD_INDEX: &str = "index.bad";

/// What the name of a file of media says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MediaName {
    /// Rendition name.
    pub rendition: String,
    /// P.
    pub period: u64,
    /// N of its first segment.
    pub first: u64,
}

impl MediaName {
    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<MediaName> {
        let mut words = name.strip_suffix(".mp4")?.split('.');
        let (rendition, period, first) = (words.next()?, words.next()?, words.next()?);
        let plain = rendition.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if words.next().is_some() || rendition.is_empty() || !plain {
            return None;
        }
        let parsed = MediaName {
            rendition: rendition.to_owned(),
            period: period.parse().ok()?,
            first: first.parse().ok()?,
        };
        // One spelling of each.
        (parsed.to_string() == name).then_some(parsed)
    }
}

impl std::fmt::Display for MediaName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}.mp4", self.rendition, self.period, self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_others_are_left_alone() {
        let name = MediaName { rendition: "video-720p".into(), period: 1_795_309_432, first: 1_795_309_440 };
        assert_eq!(name.to_string(), "video-720p.1795309432.1795309440.mp4");
        assert_eq!(MediaName::parse(&name.to_string()), Some(name));
        for other in
            ["index", "a.1.mp4", "a.1.2.3.mp4", "a.01.2.mp4", ".1.2.mp4", "A.1.2.mp4", "../a.1.2.mp4"]
        {
            assert_eq!(MediaName::parse(other), None, "{other}");
        }
    }
}
