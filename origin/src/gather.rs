//! The pictures that an image is made of, wherever their segments are.
//!
//! Of a segment that had to be read a picture is a copy: it is a fraction of it, and who makes images takes his time.

use bytes::Bytes;
use packager::Presentation;
use packager::still::{self, Absent, Still};
use packager::storyboard::{Sheet, Tiles};
use packager::window::At;

use crate::problem::Problem;
use crate::route::Origin;

/// Segments that are read to find one picture, where an encoder sends one rarely that needs no other.
const MAX_READ: usize = 8;

impl Origin {
    /// The picture at that time.
    pub(crate) async fn gather_still(
        &self,
        presentation: &Presentation,
        at: Option<At>,
        width: u32,
    ) -> Result<Still, Problem> {
        let (rendition, segment) = match still::find(presentation, at, width) {
            Err(Absent::Stored { rendition, segment }) => (rendition, segment),
            found => return found.map_err(problem),
        };
        let mut recalled = presentation.recall(&rendition, self.loading.load(&segment).await?);
        for _ in 1..MAX_READ {
            match still::find(&recalled, at, width) {
                Err(Absent::Stored { rendition, segment }) => {
                    recalled = recalled.recall(&rendition, self.loading.load(&segment).await?);
                }
                found => return found.map(own).map_err(problem),
            }
        }
        still::find(&recalled, at, width).map(own).map_err(problem)
    }

    /// One picture for each tile of a sheet, one after another; nothing where its segment has none.
    pub(crate) async fn gather_tiles(
        &self,
        sheet: Sheet,
        tiles: &Tiles,
    ) -> Result<Vec<Option<Still>>, Problem> {
        let mut pictures = vec![None; sheet.count as usize];
        for (at, segment) in &tiles.segments {
            let loaded = self.loading.load(segment).await?;
            let first = still::first(&tiles.rendition, &loaded);
            if let Some(place) = pictures.get_mut(*at as usize) {
                *place = if segment.stored().is_some() { first.map(own) } else { first };
            }
        }
        if pictures.iter().all(Option::is_none) { Err(Problem::Gone) } else { Ok(pictures) }
    }
}

fn problem(absent: Absent) -> Problem {
    match absent {
        Absent::Missing(missing) => missing.into(),
        Absent::Stored { .. } => Problem::Gone,
    }
}

fn own(still: Still) -> Still {
    Still { sample: vec![Bytes::from(still.sample.concat())], ..still }
}
