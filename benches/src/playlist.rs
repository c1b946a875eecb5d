//! The little of HLS that is needed here.

/// Segments that a live media playlist has ever listed, counted from where its numbers begin.
pub fn listed(playlist: &str) -> u64 {
    sequence(playlist) + segments(playlist).count() as u64
}

/// The URIs of its segments, as they stand.
pub fn segments(playlist: &str) -> impl Iterator<Item = &str> {
    playlist.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The index of the last part of the newest whole segment: the next one has as many.
pub fn last_part(playlist: &str) -> Option<usize> {
    let segments = playlist.rsplit_once("#EXTINF:")?.0;
    let newest = segments.rsplit_once("#EXTINF:").map_or(segments, |(_, newest)| newest);
    newest.lines().filter(|line| line.starts_with("#EXT-X-PART:")).count().checked_sub(1)
}

/// It says that its timeline is broken.
pub fn is_broken(playlist: &str) -> bool {
    playlist.lines().any(|line| line == "#EXT-X-DISCONTINUITY")
}

fn sequence(playlist: &str) -> u64 {
    let value = playlist.lines().find_map(|line| line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:"));
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_newest_whole_segment_are_counted() {
        let part = "#EXT-X-PART:DURATION=0.5,URI=\"a\"\n";
        let text = format!("#EXTM3U\n{part}#EXTINF:2,\na.m4s\n{part}{part}{part}#EXTINF:2,\nb.m4s\n{part}");
        assert_eq!(last_part(&text), Some(2));
        assert_eq!(last_part("#EXTM3U\n#EXTINF:2,\na.m4s\n"), None);
    }

    #[test]
    fn what_left_the_playlist_counts() {
        let text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\na.m4s\n#EXTINF:2,\nb.m4s\n";
        assert_eq!((listed(text), segments(text).last(), is_broken(text)), (9, Some("b.m4s"), false));
        assert!(is_broken("#EXT-X-DISCONTINUITY\n") && !is_broken("#EXT-X-DISCONTINUITY-SEQUENCE:1\n"));
    }
}
