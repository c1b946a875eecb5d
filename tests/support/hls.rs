//! HLS playlists, as far as the tests look at them.

/// A media playlist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Media {
    pub target_duration: u32,
    pub sequence: u64,
    pub discontinuity_sequence: u64,
    pub ended: bool,
    /// EXT-X-PLAYLIST-TYPE.
    pub kind: Option<String>,
    /// How many segments EXT-X-SKIP stands for.
    pub skipped: u64,
    pub segments: Vec<Segment>,
    /// What it says to low-latency players.
    pub low_latency: Option<LowLatency>,
}

/// What a media playlist says of parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LowLatency {
    /// The attributes of EXT-X-SERVER-CONTROL.
    pub control: String,
    /// PART-TARGET in seconds.
    pub part_target: f64,
    /// Behind the last segment.
    pub open: Vec<Part>,
    /// TYPE and URI of each hint.
    pub hints: Vec<(String, String)>,
    pub reports: Vec<Report>,
}

/// EXT-X-PART.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub uri: String,
    pub seconds: f64,
    pub independent: bool,
    pub gap: bool,
}

/// EXT-X-RENDITION-REPORT.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub uri: String,
    pub msn: u64,
    pub part: Option<u64>,
}

/// What a media playlist says of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// MEDIA-SEQUENCE counted on.
    pub number: u64,
    pub uri: String,
    /// The EXTINF as it is written.
    pub extinf: String,
    /// The EXT-X-MAP that holds for it.
    pub map: String,
    /// Whether EXT-X-DISCONTINUITY stands before it.
    pub discontinuity: bool,
    pub gap: bool,
    /// Start in wall time, in milliseconds since the Unix epoch: as written, or counted on from there.
    pub program_date_time: f64,
    /// Those that are listed with it.
    pub parts: Vec<Part>,
}

impl Segment {
    /// The EXTINF in seconds.
    pub fn seconds(&self) -> f64 {
        self.extinf.parse().expect("a number")
    }

    /// The end in wall time, in milliseconds since the Unix epoch.
    pub fn end(&self) -> f64 {
        self.program_date_time + self.seconds() * 1000.0
    }
}

impl Media {
    /// Reads a playlist; panics at what it does not know.
    pub fn parse(text: &str) -> Media {
        let mut media = Media::default();
        let (mut map, mut extinf) = (String::new(), None);
        let (mut discontinuity, mut gap, mut clock) = (false, false, None);
        let (mut low_latency, mut parts) = (LowLatency::default(), Vec::new());
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"), "{text}");
        for line in lines {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            match tag {
                "#EXT-X-VERSION" | "#EXT-X-INDEPENDENT-SEGMENTS" => {}
                "#EXT-X-TARGETDURATION" => media.target_duration = number(value) as u32,
                "#EXT-X-MEDIA-SEQUENCE" => media.sequence = number(value),
                "#EXT-X-DISCONTINUITY-SEQUENCE" => media.discontinuity_sequence = number(value),
                "#EXT-X-MAP" => map = attribute(value, "URI").expect("a map has a URI"),
                "#EXT-X-PROGRAM-DATE-TIME" => clock = Some(millis(value)),
                "#EXT-X-DISCONTINUITY" => discontinuity = true,
                "#EXT-X-GAP" => gap = true,
                "#EXT-X-PLAYLIST-TYPE" => media.kind = Some(value.to_owned()),
                "#EXT-X-ENDLIST" => media.ended = true,
                "#EXT-X-SKIP" => media.skipped = decimal(value, "SKIPPED-SEGMENTS").expect("how many"),
                "#EXT-X-SERVER-CONTROL" => low_latency.control = value.to_owned(),
                "#EXT-X-PART-INF" => low_latency.part_target = float(value, "PART-TARGET"),
                "#EXT-X-PART" => parts.push(Part::parse(value)),
                "#EXT-X-PRELOAD-HINT" => low_latency.hints.push(hint(value)),
                "#EXT-X-RENDITION-REPORT" => low_latency.reports.push(Report::parse(value)),
                "#EXTINF" => extinf = Some(value.trim_end_matches(',').to_owned()),
                _ if line.starts_with('#') => panic!("unknown tag {line}"),
                _ => {
                    let segment = Segment {
                        number: media.sequence + media.skipped + media.segments.len() as u64,
                        uri: line.to_owned(),
                        extinf: extinf.take().expect("an EXTINF before each URI"),
                        map: map.clone(),
                        discontinuity: std::mem::take(&mut discontinuity),
                        gap: std::mem::take(&mut gap),
                        program_date_time: clock.unwrap_or_default(),
                        parts: std::mem::take(&mut parts),
                    };
                    clock = clock.map(|_| segment.end());
                    media.segments.push(segment);
                }
            }
        }
        low_latency.open = parts;
        media.low_latency = (low_latency != LowLatency::default()).then_some(low_latency);
        media
    }

    /// What it says of parts; panics where it says nothing.
    pub fn low_latency(&self) -> &LowLatency {
        self.low_latency.as_ref().expect("a low-latency playlist")
    }

    /// All parts that it lists, with their segment's number and their index.
    pub fn parts(&self) -> impl Iterator<Item = (u64, u64, &Part)> {
        let next = self.last().number + 1;
        let open = self.low_latency.iter().map(move |it| (next, &it.open));
        let listed = self.segments.iter().map(|segment| (segment.number, &segment.parts)).chain(open);
        listed.flat_map(|(number, parts)| {
            parts.iter().enumerate().map(move |(index, part)| (number, index as u64, part))
        })
    }

    /// The newest segment.
    pub fn last(&self) -> &Segment {
        self.segments.last().expect("a playlist lists a segment")
    }

    /// How many discontinuities it shows.
    pub fn discontinuities(&self) -> usize {
        self.segments.iter().filter(|segment| segment.discontinuity).count()
    }
}

impl Part {
    fn parse(value: &str) -> Part {
        Part {
            uri: attribute(value, "URI").expect("a part has a URI"),
            seconds: float(value, "DURATION"),
            independent: value.contains("INDEPENDENT=YES"),
            gap: value.contains("GAP=YES"),
        }
    }
}

impl Report {
    fn parse(value: &str) -> Report {
        Report {
            uri: attribute(value, "URI").expect("a report has a URI"),
            msn: decimal(value, "LAST-MSN").expect("a report has LAST-MSN"),
            part: decimal(value, "LAST-PART"),
        }
    }
}

fn hint(value: &str) -> (String, String) {
    let (_, kind) = value.split_once("TYPE=").expect("a hint has a TYPE");
    let kind = kind.split(',').next().unwrap_or_default().to_owned();
    (kind, attribute(value, "URI").expect("a hint has a URI"))
}

/// The value of an attribute that is not quoted.
fn bare<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    list.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn decimal(list: &str, name: &str) -> Option<u64> {
    bare(list, name).map(number)
}

fn float(list: &str, name: &str) -> f64 {
    let value = bare(list, name).unwrap_or_else(|| panic!("no {name} in {list}"));
    value.parse().unwrap_or_else(|_| panic!("{name} is {value:?}"))
}

/// The media playlists that a multivariant playlist names, by rendition.
pub fn children(multivariant: &str) -> Vec<(String, String)> {
    let lines = multivariant.lines();
    let media = lines.clone().filter_map(|line| attribute(line.strip_prefix("#EXT-X-MEDIA:")?, "URI"));
    let variants = lines.filter(|line| !line.starts_with('#')).map(str::to_owned);
    let mut children: Vec<(String, String)> = Vec::new();
    for uri in variants.chain(media) {
        let rendition = uri.split_once(".m3u8").expect("a child is a playlist").0.to_owned();
        // A picture is in a variant for each group of sounds.
        if children.iter().all(|(known, _)| *known != rendition) {
            children.push((rendition, uri));
        }
    }
    children
}

/// The session that a multivariant playlist names its children with.
pub fn session(multivariant: &str) -> u64 {
    let children = children(multivariant);
    let session = children[0].1.split_once("?s=").map(|(_, session)| number(session));
    session.unwrap_or_else(|| panic!("no session in {multivariant}"))
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not a number"))
}

fn attribute(list: &str, name: &str) -> Option<String> {
    let (_, rest) = list.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

/// RFC 3339 in UTC as milliseconds since the Unix epoch.
fn millis(text: &str) -> f64 {
    let format = &time::format_description::well_known::Rfc3339;
    let time = time::OffsetDateTime::parse(text, format).unwrap_or_else(|_| panic!("no time: {text:?}"));
    time.unix_timestamp_nanos() as f64 / 1e6
}
