//! `sequence_header_obu` (AV1 §5.5), up to `color_config`.

use super::super::bits::Bits;
use super::super::{Color, Error};

#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) profile: u8,
    pub(super) level: u8,
    pub(super) tier: bool,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) bit_depth: u8,
    pub(super) monochrome: bool,
    pub(super) subsampling: (bool, bool),
    pub(super) chroma_position: u8,
    pub(super) color: Option<Color>,
}

impl Sequence {
    pub(super) fn parse(payload: &[u8]) -> Result<Sequence, Error> {
        let mut bits = Bits::new("AV1", payload);
        let profile = bits.take(3)? as u8;
        bits.skip(1)?;
        let reduced = bits.flag()?;
        let (level, tier) = if reduced { (bits.take(5)? as u8, false) } else { operating_points(&mut bits)? };
        let (of_width, of_height) = (bits.take(4)? + 1, bits.take(4)? + 1);
        let (width, height) = (bits.take(of_width)? + 1, bits.take(of_height)? + 1);
        tools(&mut bits, reduced)?;
        let mut sequence = Sequence {
            profile,
            level,
            tier,
            width,
            height,
            bit_depth: 8,
            monochrome: false,
            subsampling: (true, true),
            chroma_position: 0,
            color: None,
        };
        sequence.color_config(&mut bits)?;
        Ok(sequence)
    }

    /// §5.5.2.
    fn color_config(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        let high = bits.flag()?;
        self.bit_depth = match (high, self.profile == 2 && high && bits.flag()?) {
            (false, _) => 8,
            (true, false) => 10,
            (true, true) => 12,
        };
        self.monochrome = self.profile != 1 && bits.flag()?;
        let mut color = Color::UNSAID;
        if bits.flag()? {
            (color.primaries, color.transfer, color.matrix) = (bits.byte()?, bits.byte()?, bits.byte()?);
        }
        if self.monochrome {
            color.full_range = bits.flag()?;
        } else if (color.primaries, color.transfer, color.matrix) == (1, 13, 0) {
            color.full_range = true;
            self.subsampling = (false, false);
        } else {
            color.full_range = bits.flag()?;
            self.subsampling = self.subsampling(bits)?;
            if self.subsampling == (true, true) {
                self.chroma_position = bits.take(2)? as u8;
            }
        }
        self.color = color.said();
        Ok(())
    }

    fn subsampling(&self, bits: &mut Bits<'_>) -> Result<(bool, bool), Error> {
        Ok(match (self.profile, self.bit_depth) {
            (0, _) => (true, true),
            (1, _) => (false, false),
            (_, 12) => {
                let across = bits.flag()?;
                (across, across && bits.flag()?)
            }
            _ => (true, false),
        })
    }
}

/// Level and tier of the first operating point, which is the whole stream.
fn operating_points(bits: &mut Bits<'_>) -> Result<(u8, bool), Error> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.skip(64)?;
        if bits.flag()? {
            bits.uvlc()?;
        }
        if bits.flag()? {
            delay_bits = Some(bits.take(5)? as usize + 1);
            bits.skip(32 + 5 + 5)?;
        }
    }
    let display_delay = bits.flag()?;
    let points = bits.take(5)? + 1;
    let mut first = None;
    for _ in 0..points {
        bits.skip(12)?;
        let level = bits.take(5)? as u8;
        let tier = level > 7 && bits.flag()?;
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1)?;
        }
        if display_delay && bits.flag()? {
            bits.skip(4)?;
        }
        first.get_or_insert((level, tier));
    }
    Ok(first.unwrap_or_default())
}

/// Coding tools that are in use, from `frame_id_numbers_present_flag` to `enable_restoration`.
fn tools(bits: &mut Bits<'_>, reduced: bool) -> Result<(), Error> {
    if !reduced && bits.flag()? {
        bits.skip(4 + 3)?;
    }
    bits.skip(3)?;
    if !reduced {
        bits.skip(4)?;
        let order_hint = bits.flag()?;
        if order_hint {
            bits.skip(2)?;
        }
        // seq_choose_screen_content_tools, else seq_force_screen_content_tools: the same of integer vectors, if any.
        if (bits.flag()? || bits.flag()?) && !bits.flag()? {
            bits.skip(1)?;
        }
        if order_hint {
            bits.skip(3)?;
        }
    }
    bits.skip(3)
}
