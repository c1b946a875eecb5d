//! Images of pictures: `thumb.jpg`, and the sheets of a storyboard.
//!
//! Which picture an image shows is a function of the snapshot; who makes it ([`Stills`]) is not known here. It may take a
//! while, and may fail: nothing else waits for it.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Extensions, HeaderMap, Uri};
use packager::names::Picture;
use packager::still::{self, Still};
use packager::storyboard::{self, Sheet, Tiles};
use packager::window::At;
use stream::{View, Viewer};

use crate::answer;
use crate::cache_control::Class;
use crate::manifest::{Key, Which};
use crate::problem::Problem;
use crate::route::{Origin, Wanted, timely};
use crate::{lookup, span, target};

/// RFC 8216bis §4 names no type for it; W3C WebVTT §7 does.
const WEBVTT: &str = "text/vtt; charset=utf-8";

/// Pixels of an image from left to right that may be asked for.
const WIDTHS: std::ops::RangeInclusive<u64> = 16..=1920;
/// Without being asked.
const USUAL_WIDTH: u32 = 640;

/// Who makes images.
pub trait Stills: Send + Sync {
    /// A JPEG as it is ordered.
    fn make(&self, order: Order) -> BoxFuture<'_, Result<Bytes, Unmade>>;

    /// What is known of the image of this name already, so that nobody looks for its pictures in vain.
    fn known<'a>(&'a self, _name: &'a str) -> BoxFuture<'a, Option<Result<Bytes, Unmade>>> {
        Box::pin(std::future::ready(None))
    }
}

/// An image.
#[derive(Clone, PartialEq, Debug)]
pub struct Order {
    /// Says everything that it depends on.
    pub name: String,
    /// What it shows, in order; nothing where a tile stays black.
    pub pictures: Vec<Option<Still>>,
    /// How it shows that.
    pub shape: Shape,
}

/// How an image shows pictures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// The first one, in its own shape.
    Single {
        /// In pixels, even.
        width: u32,
    },
    /// All, row by row.
    Tiles {
        /// Tiles of a row.
        columns: u32,
        /// Of a tile, in pixels, even.
        width: u32,
        /// Of a tile, in pixels, even.
        height: u32,
    },
}

/// Why there is no image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unmade {
    /// None can be made of these pictures.
    Undecodable,
    /// Too many are being made.
    Busy,
    /// None are made.
    Unavailable,
}

impl From<Unmade> for Problem {
    fn from(unmade: Unmade) -> Problem {
        match unmade {
            Unmade::Undecodable => Problem::Undecodable,
            Unmade::Busy => Problem::TooManyImages,
            Unmade::Unavailable => Problem::NoImages,
        }
    }
}

/// A request for an image, or for what says where images are.
pub(crate) struct Asked<'a> {
    pub(crate) entry: &'a str,
    pub(crate) picture: Picture,
    pub(crate) viewer: Viewer,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) stills: Option<Arc<dyn Stills>>,
}

/// Who makes images for those who ask this server.
pub(crate) fn maker(extensions: &Extensions) -> Option<Arc<dyn Stills>> {
    extensions.get::<Option<Arc<dyn Stills>>>().cloned().flatten()
}

impl Asked<'_> {
    async fn known(&self, name: &str) -> Option<Result<Bytes, Problem>> {
        let known = self.stills.as_ref()?.known(name).await?;
        Some(known.map_err(Problem::from))
    }

    async fn make(&self, order: Order) -> Result<Bytes, Problem> {
        let stills = self.stills.as_ref().ok_or(Problem::NoImages)?;
        Ok(stills.make(order).await?)
    }
}

impl Origin {
    /// Answers what is made of single pictures.
    pub(crate) async fn picture(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        match asked.picture {
            Picture::Thumbnail => self.thumbnail(asked).await,
            Picture::Storyboard => self.storyboard(asked),
            Picture::Sheet(sheet) => self.sheet(asked, sheet).await,
        }
    }

    async fn thumbnail(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let query = asked.uri.query().unwrap_or_default();
        let (at, width) = (moment(query)?, width(query)?);
        let wanted = self.wanted(asked.entry, asked.uri, false, asked.viewer)?;
        let (view, still) = self.still(&wanted, at, width).await?;
        let width = width.min(still.display_size().0 & !1).max(2);
        let image = asked.make(single(asked.entry, still, width)).await?;
        Ok(answer::jpeg(&image, lasting(&view, at), asked.headers))
    }

    /// The picture, and the snapshot that has it. A time of the clock is looked for in what went before, too.
    async fn still(
        &self,
        wanted: &Wanted<'_>,
        at: Option<At>,
        width: u32,
    ) -> Result<(Arc<View>, Still), Problem> {
        let view = self.view(wanted)?;
        let absent = match self.gather_still(&view.presentation, at, width).await {
            Ok(still) => return Ok((view, still)),
            absent => absent,
        };
        let anywhere = wanted.query.session.is_none() && wanted.query.asked.is_none();
        if anywhere && matches!(at, Some(At::Wall(_))) {
            for view in self.source.sessions(wanted.entry, wanted.viewer).into_iter().skip(1) {
                if let Ok(still) = self.gather_still(&view.presentation, at, width).await {
                    return Ok((view, still));
                }
            }
        }
        absent.map(|still| (view, still))
    }

    fn storyboard(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let wanted = self.wanted(asked.entry, asked.uri, false, asked.viewer)?;
        let view = self.view(&wanted)?;
        let key = Key { version: view.version, which: Which::Storyboard, options: wanted.query.options };
        let rendered = self.renderings.get(key, || storyboard::webvtt(&view.presentation));
        let class = timely(view.presentation.ended, &view);
        Ok(answer::manifest(&rendered, WEBVTT, class, asked.headers))
    }

    async fn sheet(&self, asked: &Asked<'_>, sheet: Sheet) -> Result<Response, Problem> {
        let sessions = self.source.sessions(asked.entry, asked.viewer);
        let tiles = lookup::search(&sessions, |presentation, _| {
            Some(storyboard::tiles(presentation, sheet).map_err(Problem::from))
        });
        let tiles = tiles.unwrap_or_else(|| Err(self.why_no_media(asked.entry, asked.viewer)))?;
        let image = self.tiled(asked, sheet, tiles).await?;
        Ok(answer::jpeg(&image, Class::Immutable, asked.headers))
    }

    async fn tiled(&self, asked: &Asked<'_>, sheet: Sheet, tiles: Tiles) -> Result<Bytes, Problem> {
        let name = format!("{}/{}/{sheet}", asked.entry, tiles.rendition.name);
        if let Some(known) = asked.known(&name).await {
            return known;
        }
        let pictures = self.gather_tiles(sheet, &tiles).await?;
        let (columns, width) = (storyboard::COLUMNS, storyboard::TILE_WIDTH);
        let shape = Shape::Tiles { columns, width, height: tiles.height };
        asked.make(Order { name, pictures, shape }).await
    }
}

fn single(entry: &str, still: Still, width: u32) -> Order {
    let name = format!("{entry}/{}/{}.{}@{width}", still.rendition, still.number, still.index);
    Order { name, pictures: vec![Some(still)], shape: Shape::Single { width } }
}

/// A time of the clock that is over has one picture for ever; anything else has another one after the next segment, or
/// after the next session.
fn lasting(view: &View, at: Option<At>) -> Class {
    let presentation = &view.presentation;
    match at {
        Some(at) if still::is_settled(presentation, at) => Class::Immutable,
        _ if presentation.ended => timely(true, view),
        _ => Class::Picture { target_duration: presentation.session.target_duration },
    }
}

fn moment(query: &str) -> Result<Option<At>, Problem> {
    let Some(text) = target::only(query, "at").map_err(|()| Problem::BadAt)? else { return Ok(None) };
    let window = span::window(Some(text), None).map_err(|_| Problem::BadAt)?;
    Ok(window.and_then(|window| window.start))
}

fn width(query: &str) -> Result<u32, Problem> {
    let Some(text) = target::only(query, "width").map_err(|()| Problem::BadWidth)? else {
        return Ok(USUAL_WIDTH);
    };
    let width = target::decimal(text).filter(|width| WIDTHS.contains(width) && width % 2 == 0);
    width.and_then(|width| u32::try_from(width).ok()).ok_or(Problem::BadWidth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_one_even_number_within_limits() {
        assert_eq!(width(""), Ok(640));
        for (text, expected) in [("width=16", 16), ("at=1&width=1920", 1920), ("width=640&s=1", 640)] {
            assert_eq!(width(text), Ok(expected));
        }
        for text in
            ["width", "width=", "width=15", "width=17", "width=1922", "width=-16", "width=16&width=16"]
        {
            assert_eq!(width(text), Err(Problem::BadWidth), "{text}");
        }
    }

    #[test]
    fn a_moment_is_one_time() {
        assert_eq!(moment("width=16"), Ok(None));
        assert_eq!(moment("at=-2.5"), Ok(Some(At::Back(2_500_000))));
        assert_eq!(moment("at=1970-01-01T00:00:01Z"), Ok(Some(At::Wall(1_000_000))));
        for text in ["at", "at=", "at=now", "at=1&at=1", "at=1e9"] {
            assert_eq!(moment(text), Err(Problem::BadAt), "{text}");
        }
    }
}
