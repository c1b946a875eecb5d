//! Clips: entries that show what others recorded, and share the bytes.

mod choose;
mod view;

use axum::extract::State;
use catalog::clips::{MOST, Range};
use catalog::{Caller, Details, Entry, EntryId, RecordingId};
use packager::window::{Asked, At};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Created;
use crate::base::Base;
use crate::body::{Json, given};
use crate::check::Check;
use crate::clipper::{Cut, Source, Uncut};
use crate::conditions::tag;
use crate::control::Control;
use crate::id::Id;
use crate::idempotency::Repeatable;
use crate::problem::{Kind, Problem};
use crate::roles::Producer;
use crate::times;
use choose::{Chosen, choose, laid_out};
use view::ClipView;

/// The most seconds: ten years.
const MOST_SECONDS: f64 = 10.0 * 366.0 * 86_400.0;
const MICROS: f64 = 1e6;

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(create))
}

/// What a clip is cut of. Without `start`, `end` and `ranges` it is the whole recording.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewClip {
    /// Its name, for people; that of the entry it is cut of when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(
        value_type = String,
        required = false,
        min_length = 1,
        max_length = 250,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "The goal"
    )]
    name: Option<String>,
    /// Where it begins; with the recording when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Point, required = false)]
    start: Option<Point>,
    /// Where it ends; with the recording, as far as that is, when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Point, required = false)]
    end: Option<Point>,
    /// Several stretches instead, one behind the other, each later than the one before.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<NewRange>, required = false, min_items = 1, max_items = 100)]
    ranges: Option<Vec<NewRange>>,
    /// Which recording. When left out: the one in which `start` lies where that is a time, else the newest.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, pattern = "^rec_[0-9a-z]{8}$")]
    recording: Option<String>,
}

/// A stretch of a recording.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRange {
    /// Where it begins; with the recording when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Point, required = false)]
    start: Option<Point>,
    /// Where it ends; with the recording when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Point, required = false)]
    end: Option<Point>,
    /// Which recording; that of the clip when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, pattern = "^rec_[0-9a-z]{8}$")]
    recording: Option<String>,
}

/// A point of a recording: seconds from its start, without the time in which nothing was on; negative ones back from its
/// end, or from what is recorded so far. Or a time of RFC 3339.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Point {
    /// Seconds.
    Seconds(f64),
    /// A time, or seconds as text.
    Text(String),
}

/// A stretch that somebody asks for, and what its fields are called.
struct Wanted {
    field: String,
    recording: Option<RecordingId>,
    asked: Asked,
}

/// Cuts a clip out of what an entry recorded: a new VOD entry.
///
/// No bytes are moved: it shows the very segments, begins with the one in which `start` lies and ends with the one in
/// which `end` lies. The answer says where that is. It is made in an instant whatever its length, and can be made while
/// the entry is live; what is not recorded yet is waited for, for a few seconds. Who may watch it is who may watch the
/// entry now. Deleting the recording later does it no harm. 409 when the entry has no recording, or what is asked for is
/// still to come.
#[utoipa::path(
    post, path = "/entries/{id}/clips", tag = "entries", operation_id = "createClip", request_body = NewClip,
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same body, it is done once.", min_length = 1, max_length = 255),
    ),
    responses(
        (status = 201, description = "Created.", body = ClipView, headers(
            ("location" = String, description = "Where it is."),
            ("etag" = String, description = "Its version."),
        )),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn create(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    repeatable: Repeatable,
    Id(id): Id<EntryId>,
    Json { value: new, digest }: Json<NewClip>,
) -> Result<Created, Problem> {
    let source = control.catalog().entries().get(producer.scope(), &id).await?;
    let (details, wanted) = new.checked(&source)?;
    let clips = control.catalog().clips();
    let work = async |caller: Caller| {
        let ranges = cut(&control, &producer, &id, wanted).await?;
        let entry = clips.create(&caller, &id, details, ranges.clone()).await?;
        Ok(created(&base, &id, &entry, &ranges))
    };
    let again = async |made: String| {
        let made = EntryId::parse(&made).ok_or_else(|| Problem::not_found("entry"))?;
        let entry = control.catalog().entries().get(producer.scope(), &made).await?;
        let ranges = clips.ranges(producer.scope(), &made).await?;
        Ok(created(&base, &id, &entry, &ranges))
    };
    repeatable.once(control.catalog(), producer.token(), &digest, true, work, again).await
}

fn created(base: &Base, source: &EntryId, entry: &Entry, ranges: &[Range]) -> Created {
    let view = ClipView::new(base, source, entry, ranges);
    Created::new(format!("/api/v1/entries/{}", entry.id), Some(tag(entry.version, None)), &view)
}

/// The ranges of segments that were asked for.
async fn cut(
    control: &Control,
    producer: &Producer,
    entry: &EntryId,
    wanted: Vec<Wanted>,
) -> Result<Vec<Range>, Problem> {
    let recordings = control.catalog().recordings().list(producer.scope(), entry).await?;
    let chosen = choose(&recordings, wanted)?;
    let mut found: Vec<(String, RecordingId, Cut)> = Vec::new();
    for same in chosen.chunk_by(|one, other| one.recording.id == other.recording.id) {
        let asked = same.iter().map(|it| it.asked).collect();
        let recording = same[0].recording;
        let cuts = control.clipper().cut(Source::of(recording), asked).await;
        let cuts = cuts.map_err(|(at, why)| problem(same.get(at), &why))?;
        found.extend(same.iter().zip(cuts).map(|(it, cut)| (it.field.clone(), recording.id.clone(), cut)));
    }
    laid_out(found)
}

fn problem(chosen: Option<&Chosen<'_>>, why: &Uncut) -> Problem {
    let field =
        |name: &str| chosen.map_or_else(|| name.to_owned(), |chosen| format!("{}{name}", chosen.field));
    match why {
        Uncut::Empty => Problem::invalid_field(field("end"), why.to_string()),
        Uncut::Outside => Problem::invalid_field(field("start"), why.to_string()),
        Uncut::NotYet => Problem::conflict(format!("what is asked for {why}")),
        Uncut::Unreadable(reason) => {
            tracing::warn!(%reason, "recording not read");
            Problem::new(Kind::Unavailable, "the recording is not available").after(2)
        }
    }
}

impl NewClip {
    fn checked(self, source: &Entry) -> Result<(Details, Vec<Wanted>), Problem> {
        let mut check = Check::default();
        let name = self.name.unwrap_or_else(|| source.details.name.clone());
        check.named("name", &name, catalog::entry::NAME);
        let both = self.ranges.is_some() && (self.start.is_some() || self.end.is_some());
        check.ensure(!both, "ranges", || "leave no room for start and end beside them".to_owned());
        let own = read_recording(&mut check, "recording", self.recording.as_deref());
        let ranges = match self.ranges {
            None => vec![(String::new(), NewRange { start: self.start, end: self.end, recording: None })],
            Some(ranges) => {
                check.ensure((1..=MOST).contains(&ranges.len()), "ranges", || format!("are not 1 to {MOST}"));
                (0..).zip(ranges).map(|(at, range): (usize, _)| (format!("ranges[{at}]."), range)).collect()
            }
        };
        let wanted =
            ranges.into_iter().map(|(field, range)| range.checked(field, own.as_ref(), &mut check)).collect();
        check.done()?;
        Ok((Details { name, ..Details::default() }, wanted))
    }
}

impl NewRange {
    fn checked(self, field: String, own: Option<&RecordingId>, check: &mut Check) -> Wanted {
        let mut point = |name: &str, point: Option<Point>| {
            let at = point?.read();
            at.map_err(|problem| check.wrong(&format!("{field}{name}"), problem)).ok()
        };
        let asked = Asked { start: point("start", self.start), end: point("end", self.end) };
        let recording = read_recording(check, &format!("{field}recording"), self.recording.as_deref());
        Wanted { field, recording: recording.or_else(|| own.cloned()), asked }
    }
}

fn read_recording(check: &mut Check, field: &str, text: Option<&str>) -> Option<RecordingId> {
    let text = text?;
    let id = RecordingId::parse(text);
    check.ensure(id.is_some(), field, || "is no id of a recording".to_owned());
    id
}

impl Point {
    fn read(&self) -> Result<At, String> {
        match self {
            Point::Seconds(seconds) => seconds_at(*seconds),
            Point::Text(text) if text.contains(['T', 't']) => {
                times::parse(text).map(|at| At::Wall(at.micros()))
            }
            Point::Text(text) => {
                let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
                let seconds = text.parse().ok().filter(|_| plain);
                seconds_at(seconds.ok_or("is neither seconds nor a time of RFC 3339")?)
            }
        }
    }
}

/// Also -0 is back from the end.
fn seconds_at(seconds: f64) -> Result<At, String> {
    if !seconds.is_finite() || seconds.abs() > MOST_SECONDS {
        return Err("is more than ten years".to_owned());
    }
    let micros = (seconds.abs() * MICROS).round() as i64;
    Ok(if seconds.is_sign_negative() { At::Back(micros) } else { At::Since(micros) })
}

const _: () = assert!(MOST == 100, "the description of a request says so");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_seconds_or_a_time() {
        let read = |json: &str| {
            serde_json::from_str::<Point>(json).map_err(|_| ()).and_then(|it| it.read().map_err(drop))
        };
        for (json, at) in [
            ("90", Ok(At::Since(90_000_000))),
            ("1.5", Ok(At::Since(1_500_000))),
            ("\"1.5\"", Ok(At::Since(1_500_000))),
            ("-30", Ok(At::Back(30_000_000))),
            ("-0.0", Ok(At::Back(0))),
            ("\"-0\"", Ok(At::Back(0))),
            ("\"1970-01-01T00:00:01Z\"", Ok(At::Wall(1_000_000))),
            ("1e300", Err(())),
            ("\"1e3\"", Err(())),
            ("\"\"", Err(())),
            ("\"inf\"", Err(())),
            ("\"tomorrow\"", Err(())),
            ("true", Err(())),
            ("[1]", Err(())),
        ] {
            assert_eq!(read(json), at, "{json}");
        }
    }
}
