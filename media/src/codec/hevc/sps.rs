//! The sequence parameter set (ITU-T H.265 §7.3.2.2), as far as its VUI says what pictures look like.

use super::super::bits::{Bits, rbsp};
use super::super::{Color, Error};
use super::invalid;

/// Shapes of a pixel by `aspect_ratio_idc` (ITU-T H.265 table E.1).
const ASPECTS: [(u16, u16); 17] = [
    (1, 1),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

#[derive(Debug)]
pub(super) struct Sps {
    /// The general part of `profile_tier_level`, level included, as it stands in the configuration record.
    pub(super) profile_tier_level: [u8; 12],
    pub(super) temporal_layers: u8,
    pub(super) temporal_nesting: bool,
    pub(super) chroma_format: u8,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) bit_depth_luma: u8,
    pub(super) bit_depth_chroma: u8,
    pub(super) pixel_aspect: (u16, u16),
    pub(super) color: Option<Color>,
    pub(super) fields: bool,
}

impl Sps {
    /// Reads a NAL unit with its header. What stands behind the picture's size is taken as far as it makes sense.
    pub(super) fn parse(unit: &[u8]) -> Result<Sps, Error> {
        let bytes = rbsp(unit.get(2..).unwrap_or_default());
        let mut bits = Bits::new("H.265", &bytes);
        let (mut sps, layers_below) = Sps::beginning(&mut bits)?;
        if let Ok(vui) = vui(&mut bits, layers_below) {
            sps.pixel_aspect = vui.pixel_aspect;
            sps.color = vui.color;
            sps.fields = vui.fields;
        }
        Ok(sps)
    }

    fn beginning(bits: &mut Bits<'_>) -> Result<(Sps, u32), Error> {
        bits.skip(4)?;
        let layers_below = bits.take(3)?;
        if layers_below > 6 {
            return Err(invalid("more than 7 temporal layers".into()));
        }
        let temporal_nesting = bits.flag()?;
        let profile_tier_level = profile_tier_level(bits, layers_below)?;
        bits.exp_golomb()?;
        let chroma_format = bits.exp_golomb()?;
        if chroma_format > 3 {
            return Err(invalid(format!("chroma_format_idc {chroma_format}")));
        }
        let separate_planes = chroma_format == 3 && bits.flag()?;
        let (width, height) = size(bits, if separate_planes { 0 } else { chroma_format })?;
        let (luma, chroma) = (bit_depth(bits)?, bit_depth(bits)?);
        let sps = Sps {
            profile_tier_level,
            temporal_layers: layers_below as u8 + 1,
            temporal_nesting,
            chroma_format: chroma_format as u8,
            width,
            height,
            bit_depth_luma: luma,
            bit_depth_chroma: chroma,
            pixel_aspect: (1, 1),
            color: None,
            fields: false,
        };
        Ok((sps, layers_below))
    }
}

fn bit_depth(bits: &mut Bits<'_>) -> Result<u8, Error> {
    match bits.exp_golomb()? {
        more @ 0..=8 => Ok(8 + more as u8),
        more => Err(invalid(format!("{more} bits more than 8 of a sample"))),
    }
}

/// `profile_tier_level` (§7.3.3): 96 bits of the whole, then flags and as much of each layer that says so.
fn profile_tier_level(bits: &mut Bits<'_>, layers_below: u32) -> Result<[u8; 12], Error> {
    let mut general = [0; 12];
    for byte in &mut general {
        *byte = bits.byte()?;
    }
    let mut said = [(false, false); 7];
    for layer in said.iter_mut().take(layers_below as usize) {
        *layer = (bits.flag()?, bits.flag()?);
    }
    if layers_below > 0 {
        bits.skip(2 * (8 - layers_below as usize))?;
    }
    for (profile, level) in said {
        bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
    }
    Ok(general)
}

/// Width and height within the conformance window.
fn size(bits: &mut Bits<'_>, chroma_format: u32) -> Result<(u16, u16), Error> {
    let (width, height) = (bits.exp_golomb()?, bits.exp_golomb()?);
    let (mut left_right, mut top_bottom) = (0u64, 0u64);
    if bits.flag()? {
        let mut sum =
            || -> Result<u64, Error> { Ok(u64::from(bits.exp_golomb()?) + u64::from(bits.exp_golomb()?)) };
        (left_right, top_bottom) = (sum()?, sum()?);
    }
    // SubWidthC and SubHeightC (table 6-1).
    let (across, down) = match chroma_format {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let within = |whole: u32, cropped: u64| {
        let left = u64::from(whole).checked_sub(cropped).filter(|&left| left > 0);
        left.and_then(|left| u16::try_from(left).ok())
    };
    let cropped = (within(width, left_right * across), within(height, top_bottom * down));
    let (Some(width), Some(height)) = cropped else {
        return Err(invalid(format!("picture of {width}x{height}")));
    };
    Ok((width, height))
}

struct Vui {
    pixel_aspect: (u16, u16),
    color: Option<Color>,
    fields: bool,
}

const NO_VUI: Vui = Vui { pixel_aspect: (1, 1), color: None, fields: false };

/// Everything between bit depth and VUI is only passed over.
fn vui(bits: &mut Bits<'_>, layers_below: u32) -> Result<Vui, Error> {
    let order_bits = bits.exp_golomb()?.saturating_add(4);
    let from = if bits.flag()? { 0 } else { layers_below };
    for _ in from..=layers_below {
        exp_golombs(bits, 3)?;
    }
    exp_golombs(bits, 6)?;
    if bits.flag()? && bits.flag()? {
        scaling_lists(bits)?;
    }
    bits.skip(2)?;
    if bits.flag()? {
        bits.skip(8)?;
        exp_golombs(bits, 2)?;
        bits.skip(1)?;
    }
    reference_picture_sets(bits)?;
    if bits.flag()? {
        let long_term = at_most(bits.exp_golomb()?, 32, "long-term reference pictures")?;
        bits.skip(long_term as usize * (order_bits.min(16) as usize + 1))?;
    }
    bits.skip(2)?;
    if bits.flag()? { read_vui(bits) } else { Ok(NO_VUI) }
}

/// §E.2.1, up to `field_seq_flag`.
fn read_vui(bits: &mut Bits<'_>) -> Result<Vui, Error> {
    let pixel_aspect = if bits.flag()? { aspect(bits)? } else { (1, 1) };
    if bits.flag()? {
        bits.skip(1)?;
    }
    let mut color = Color::UNSAID;
    if bits.flag()? {
        bits.skip(3)?;
        color.full_range = bits.flag()?;
        if bits.flag()? {
            (color.primaries, color.transfer, color.matrix) = (bits.byte()?, bits.byte()?, bits.byte()?);
        }
    }
    if bits.flag()? {
        exp_golombs(bits, 2)?;
    }
    bits.skip(1)?;
    let fields = bits.flag()?;
    Ok(Vui { pixel_aspect, color: color.said(), fields })
}

fn aspect(bits: &mut Bits<'_>) -> Result<(u16, u16), Error> {
    let (horizontal, vertical) = match bits.byte()? {
        255 => (bits.take(16)? as u16, bits.take(16)? as u16),
        known => ASPECTS.get(usize::from(known)).copied().unwrap_or((1, 1)),
    };
    Ok(if horizontal == 0 || vertical == 0 { (1, 1) } else { (horizontal, vertical) })
}

/// `scaling_list_data` (§7.3.4).
fn scaling_lists(bits: &mut Bits<'_>) -> Result<(), Error> {
    for size in 0..4u32 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            let coefficients = if !bits.flag()? {
                1
            } else if size > 1 {
                1 + 64
            } else {
                64.min(1 << (4 + (size << 1)))
            };
            exp_golombs(bits, coefficients)?;
        }
    }
    Ok(())
}

/// `st_ref_pic_set` (§7.3.7): one may be told by what differs from the one before it.
fn reference_picture_sets(bits: &mut Bits<'_>) -> Result<(), Error> {
    let sets = at_most(bits.exp_golomb()?, 64, "reference picture sets")?;
    let mut pictures = 0u32;
    for set in 0..sets {
        if set > 0 && bits.flag()? {
            bits.skip(1)?;
            exp_golombs(bits, 1)?;
            let mut kept = 0;
            for _ in 0..=pictures {
                // used_by_curr_pic_flag, and use_delta_flag where that is 0.
                kept += u32::from(bits.flag()? || bits.flag()?);
            }
            pictures = kept;
        } else {
            pictures = bits.exp_golomb()?.saturating_add(bits.exp_golomb()?);
            for _ in 0..at_most(pictures, 32, "reference pictures")? {
                exp_golombs(bits, 1)?;
                bits.skip(1)?;
            }
        }
    }
    Ok(())
}

fn exp_golombs(bits: &mut Bits<'_>, count: u32) -> Result<(), Error> {
    (0..count).try_for_each(|_| bits.exp_golomb().map(drop))
}

fn at_most(count: u32, most: u32, of: &str) -> Result<u32, Error> {
    if count <= most { Ok(count) } else { Err(invalid(format!("{count} {of}"))) }
}
