//! Media playlists as a player reads them: with what it knows from before, where a delta update leaves that out.
#![allow(dead_code)]

/// A media playlist.
#[derive(Clone, Debug, Default)]
pub struct Playlist {
    pub version: u64,
    pub target_duration: f64,
    /// EXT-X-SERVER-CONTROL.
    pub control: Option<String>,
    /// PART-TARGET.
    pub part_target: Option<f64>,
    pub sequence: u64,
    pub discontinuity_sequence: u64,
    pub independent: bool,
    pub skipped: u64,
    pub segments: Vec<Listed>,
    /// Parts behind the last segment.
    pub open: Vec<Part>,
    /// Type and URI.
    pub hints: Vec<(String, String)>,
    /// URI, LAST-MSN and LAST-PART.
    pub reports: Vec<(String, u64, Option<u64>)>,
    pub ended: bool,
}

/// A segment as a player has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    pub number: u64,
    pub uri: String,
    pub seconds: f64,
    pub gap: bool,
    /// Its discontinuity sequence number.
    pub discontinuity: u64,
    /// The URI of its initialization segment; empty where there is nothing to decode.
    pub map: String,
    /// Milliseconds since the Unix epoch: as written, or counted on from there.
    pub date: f64,
    /// Whether that was written.
    pub dated: bool,
    pub parts: Vec<Part>,
}

/// EXT-X-PART.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    pub uri: String,
    pub seconds: f64,
    pub independent: bool,
    pub gap: bool,
}

/// What holds for the segment that comes next.
#[derive(Default)]
struct State {
    discontinuity: u64,
    map: String,
    date: f64,
    dated: bool,
    gap: bool,
    seconds: f64,
    parts: Vec<Part>,
}

impl Playlist {
    /// Reads a whole playlist.
    pub fn parse(text: &str) -> Playlist {
        Playlist::after(None, text)
    }

    /// Reads a playlist; `before` has what it leaves out.
    pub fn after(before: Option<&Playlist>, text: &str) -> Playlist {
        let (mut list, mut state) = (Playlist::default(), State::default());
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"));
        for line in lines {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            let before_parts = ["#EXT-X-DISCONTINUITY", "#EXT-X-MAP", "#EXT-X-PROGRAM-DATE-TIME"];
            // RFC 8216bis §4.4.4.9.
            assert!(state.parts.is_empty() || !before_parts.contains(&tag), "{tag} behind a part:\n{text}");
            match tag {
                "#EXT-X-VERSION" => list.version = number(value),
                "#EXT-X-TARGETDURATION" => list.target_duration = float(value),
                "#EXT-X-SERVER-CONTROL" => list.control = Some(value.to_owned()),
                "#EXT-X-PART-INF" => list.part_target = attribute(value, "PART-TARGET").map(float),
                "#EXT-X-MEDIA-SEQUENCE" => list.sequence = number(value),
                "#EXT-X-DISCONTINUITY-SEQUENCE" => {
                    (list.discontinuity_sequence, state.discontinuity) = (number(value), number(value));
                }
                "#EXT-X-INDEPENDENT-SEGMENTS" => list.independent = true,
                "#EXT-X-SKIP" => list.skip(before.expect("somebody asked for it"), value, &mut state),
                "#EXT-X-DISCONTINUITY" => state.discontinuity += 1,
                "#EXT-X-MAP" => state.map = quoted(value, "URI"),
                "#EXT-X-PROGRAM-DATE-TIME" => (state.date, state.dated) = (millis(value), true),
                "#EXT-X-GAP" => state.gap = true,
                "#EXT-X-PART" => state.parts.push(Part::parse(value)),
                "#EXTINF" => state.seconds = float(value.trim_end_matches(',')),
                "#EXT-X-PRELOAD-HINT" => {
                    let kind = attribute(value, "TYPE").expect("a type");
                    list.hints.push((kind.to_owned(), quoted(value, "URI")));
                }
                "#EXT-X-RENDITION-REPORT" => {
                    let of = |name| attribute(value, name).map(number);
                    let msn = of("LAST-MSN").expect("LAST-MSN");
                    list.reports.push((quoted(value, "URI"), msn, of("LAST-PART")));
                }
                "#EXT-X-ENDLIST" => list.ended = true,
                _ => {
                    assert!(!line.starts_with('#'), "unknown: {line}");
                    list.push(line, &mut state);
                }
            }
        }
        list.open = state.parts;
        list
    }

    /// The number of what comes behind the last segment.
    pub fn next(&self) -> u64 {
        self.segments.last().map_or(self.sequence, |last| last.number + 1)
    }

    /// All parts in order, with the number of their segment and their index.
    pub fn parts(&self) -> Vec<(u64, u64, &Part)> {
        let segments = self.segments.iter().map(|segment| (segment.number, &segment.parts));
        let all = segments.chain([(self.next(), &self.open)]);
        all.flat_map(|(number, parts)| {
            parts.iter().enumerate().map(move |(k, part)| (number, k as u64, part))
        })
        .collect()
    }

    /// The URI that is hinted at as the next part.
    pub fn hint(&self) -> Option<&str> {
        self.hints.iter().find(|(kind, _)| kind == "PART").map(|(_, uri)| &**uri)
    }

    /// A number of EXT-X-SERVER-CONTROL.
    pub fn control(&self, name: &str) -> f64 {
        let value = self.control.as_deref().and_then(|control| attribute(control, name));
        value.map(float).unwrap_or_else(|| panic!("no {name}"))
    }

    /// What was skipped is what was known, its date written or not; parts that are old now are not listed any more.
    fn skip(&mut self, before: &Playlist, value: &str, state: &mut State) {
        self.skipped = number(attribute(value, "SKIPPED-SEGMENTS").expect("how many"));
        let skipped = self.sequence..self.sequence + self.skipped;
        let known = before.segments.iter().filter(|segment| skipped.contains(&segment.number));
        self.segments = known.cloned().map(|segment| Listed { parts: Vec::new(), ..segment }).collect();
        assert_eq!(self.segments.len() as u64, self.skipped, "all that is skipped was known");
        let last = self.segments.last().expect("something was skipped");
        state.discontinuity = last.discontinuity;
        state.date = last.date + last.seconds * 1000.0;
    }

    fn push(&mut self, uri: &str, state: &mut State) {
        let number = self.sequence.max(self.segments.last().map_or(0, |last| last.number + 1));
        self.segments.push(Listed {
            number,
            uri: uri.to_owned(),
            seconds: state.seconds,
            gap: state.gap,
            discontinuity: state.discontinuity,
            map: if std::mem::take(&mut state.gap) { String::new() } else { state.map.clone() },
            date: state.date,
            dated: std::mem::take(&mut state.dated),
            parts: std::mem::take(&mut state.parts),
        });
        state.date += state.seconds * 1000.0;
    }
}

impl Part {
    fn parse(value: &str) -> Part {
        Part {
            uri: quoted(value, "URI"),
            seconds: float(attribute(value, "DURATION").expect("a duration")),
            independent: attribute(value, "INDEPENDENT") == Some("YES"),
            gap: attribute(value, "GAP") == Some("YES"),
        }
    }
}

/// None of our URIs has a comma.
fn attribute<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    list.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn quoted(list: &str, name: &str) -> String {
    attribute(list, name).unwrap_or_else(|| panic!("no {name} in {list}")).trim_matches('"').to_owned()
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?}"))
}

fn float(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?}"))
}

/// The milliseconds of a day that no test leaves.
fn millis(text: &str) -> f64 {
    let time = text.split_once('T').expect("a date and a time").1.trim_end_matches('Z');
    let fields: Vec<f64> = time.split(':').map(float).collect();
    (fields[0] * 3600.0 + fields[1] * 60.0 + fields[2]) * 1000.0
}
