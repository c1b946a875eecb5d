//! Pictures side by side on black.

use ffmpeg_next::frame;

use crate::fit::{PIXELS, Size};

/// Luma of black in full range, and no colour.
const BLACK: [u8; 3] = [0, 128, 128];

/// Room for tiles of one size, row by row.
pub(crate) struct Canvas {
    frame: frame::Video,
    columns: u32,
    tile: Size,
}

impl Canvas {
    /// Black, with room for `count` tiles.
    pub(crate) fn new(columns: u32, count: u32, tile: Size) -> Canvas {
        let (width, height) = (columns * tile.width, count.div_ceil(columns) * tile.height);
        let mut frame = frame::Video::new(PIXELS, width, height);
        for (plane, black) in BLACK.into_iter().enumerate() {
            frame.data_mut(plane).fill(black);
        }
        Canvas { frame, columns, tile }
    }

    /// Puts a picture of at most the tile's size into the middle of tile `at`.
    pub(crate) fn put(&mut self, at: u32, picture: &frame::Video) {
        let free = |tile: u32, own: u32| (tile.saturating_sub(own) / 2) & !1;
        let left = at % self.columns * self.tile.width + free(self.tile.width, picture.width());
        let top = at / self.columns * self.tile.height + free(self.tile.height, picture.height());
        for plane in 0..BLACK.len() {
            // Colour has half the columns and half the lines.
            let by = if plane == 0 { 1 } else { 2 };
            copy(picture, &mut self.frame, plane, ((left / by) as usize, (top / by) as usize));
        }
    }

    /// Everything that was put on it.
    pub(crate) fn finish(self) -> frame::Video {
        self.frame
    }
}

fn copy(from: &frame::Video, to: &mut frame::Video, plane: usize, (left, top): (usize, usize)) {
    let (width, height) = (from.plane_width(plane) as usize, from.plane_height(plane) as usize);
    let (source, target) = (from.stride(plane), to.stride(plane));
    let lines = from.data(plane).chunks(source.max(1)).take(height);
    for (line, into) in lines.zip(to.data_mut(plane).chunks_mut(target.max(1)).skip(top)) {
        if let (Some(line), Some(into)) = (line.get(..width), into.get_mut(left..left + width)) {
            into.copy_from_slice(line);
        }
    }
}
