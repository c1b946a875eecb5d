//! Real pictures, as ffmpeg's encoder makes them, and what becomes of them.

mod common;

use common::{Coding, fragmented, huge_sps, record_with, rgb};
use transcode::{Image, make};
use worker_protocol::{Codec, Coded, Form, Refusal, Request};

/// An image of coded pictures: records and samples.
fn image(pictures: &[&(Vec<u8>, Vec<u8>)], form: Form, quality: u8) -> Result<Image, Refusal> {
    image_in(Codec::H264, pictures, form, quality)
}

fn image_in(
    codec: Codec,
    pictures: &[&(Vec<u8>, Vec<u8>)],
    form: Form,
    quality: u8,
) -> Result<Image, Refusal> {
    common::start();
    let coded = |(record, sample): &&(Vec<u8>, Vec<u8>)| Coded {
        codec,
        configuration: record.len() as u32,
        sample: sample.len() as u32,
    };
    let request = Request { pictures: pictures.iter().map(coded).collect(), form, quality };
    let payload: Vec<u8> =
        pictures.iter().flat_map(|(record, sample)| [&record[..], sample].concat()).collect();
    make(&request, &payload)
}

fn single(picture: &(Vec<u8>, Vec<u8>), width: u32) -> Result<Image, Refusal> {
    image(&[picture], Form::Single { width }, 80)
}

fn size(picture: &(Vec<u8>, Vec<u8>), width: u32) -> (u32, u32) {
    let image = single(picture, width).expect("an image");
    assert!(image.jpeg.starts_with(&[0xff, 0xd8]) && image.jpeg.ends_with(&[0xff, 0xd9]), "JPEG: SOI to EOI");
    let (width, height, _) = rgb(&image.jpeg);
    assert_eq!((width, height), (image.width, image.height), "what is said of it is what it is");
    (width, height)
}

#[test]
fn an_image_has_the_width_asked_for_and_never_more_than_the_picture() {
    let picture = Coding::of("testsrc2=size=1280x720").encode();
    assert_eq!([16, 640, 1920].map(|width| size(&picture, width)), [(16, 8), (640, 360), (1280, 720)]);
}

#[test]
fn pixels_that_are_not_square_become_square() {
    let wide = Coding::of("testsrc2=size=720x576,setsar=64/45").encode();
    assert_eq!([640, 1920].map(|width| size(&wide, width)), [(640, 360), (1024, 576)]);
    let narrow = Coding::of("testsrc2=size=1440x1080,setsar=4/3").encode();
    assert_eq!(size(&narrow, 1920), (1920, 1080));
}

#[test]
fn fields_and_ten_bits_are_pictures_too() {
    let fields =
        Coding { x264: "interlaced=1:tff=1", ..Coding::of("testsrc2=size=720x576,setfield=tff") }.encode();
    assert_eq!(size(&fields, 360), (360, 288));
    let deep = Coding { pixels: "yuv420p10le", ..Coding::of("testsrc2=size=320x180") }.encode();
    assert_eq!(size(&deep, 320), (320, 180));
    let full = Coding { pixels: "yuv444p", ..Coding::of("testsrc2=size=320x180") }.encode();
    assert_eq!(size(&full, 320), (320, 180));
}

#[test]
fn pictures_of_other_codecs_are_decoded_too() {
    let h265 = "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p -tag:v hvc1";
    let av1 = "-c:v libsvtav1 -preset 12 -pix_fmt yuv420p";
    let vp9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p";
    let codecs = [(Codec::H265, h265, b"hvcC"), (Codec::Av1, av1, b"av1C"), (Codec::Vp9, vp9, b"vpcC")];
    for (codec, encoder, configuration) in codecs {
        let encoder: Vec<&str> = encoder.split(' ').collect();
        let picture = fragmented(&encoder, configuration);
        let image = image_in(codec, &[&picture], Form::Single { width: 160 }, 80);
        let image = image.unwrap_or_else(|refusal| panic!("{codec:?}: {refusal:?}"));
        let (width, height, pixels) = rgb(&image.jpeg);
        assert_eq!((width, height), (160, 90), "{codec:?}");
        assert!(pixels.iter().any(|value| *value > 200), "{codec:?}: the test picture is colorful");
        let damaged = (picture.0.clone(), Vec::new());
        assert!(
            image_in(codec, &[&damaged], Form::Single { width: 160 }, 80).is_err(),
            "{codec:?}: no sample"
        );
    }
}

/// A colour of the source as it looks in the image.
fn seen(coding: &Coding, width: u32) -> [u8; 3] {
    let image = single(&coding.encode(), width).expect("an image");
    let (width, height, pixels) = rgb(&image.jpeg);
    let middle = (height / 2 * width + width / 2) as usize * 3;
    [pixels[middle], pixels[middle + 1], pixels[middle + 2]]
}

fn near(seen: [u8; 3], expected: [u8; 3]) -> bool {
    seen.iter().zip(expected).all(|(seen, expected)| seen.abs_diff(expected) <= 6)
}

/// ITU-T T.871 §7: JPEG is full range with the matrix of BT.601.
#[test]
fn colours_of_high_and_standard_definition_are_those_of_the_source() {
    let colour = [200, 40, 90];
    for (size, matrix) in [("1280x720", "bt709"), ("640x360", "smpte170m"), ("1280x720", "")] {
        let convert = if matrix == "smpte170m" { "bt601" } else { "bt709" };
        let source = format!(
            "color=c=0xc8285a:size={size},format=gbrp,scale=out_color_matrix={convert},format=yuv420p"
        );
        let seen = seen(&Coding { matrix, ..Coding::of(&source) }, 320);
        assert!(near(seen, colour), "{size} {matrix:?}: {seen:?}");
    }
}

/// ITU-T H.264 §D.2.8: a recovery point with nothing to wait for is a whole picture, though not an IDR one.
#[test]
fn an_intra_picture_of_an_open_gop_is_a_picture() {
    let coding =
        Coding { x264: "open-gop=1:bframes=2:scenecut=0:b-adapt=0", ..Coding::of("testsrc2=size=320x180") };
    let (record, sample) = coding.keyframe(1);
    let idr = media::codec::avc::nal_units(4, &sample).any(|nal| nal[0] & 0x1f == 5);
    assert!(!idr, "what this is about");
    assert_eq!(size(&(record, sample), 320), (320, 180));
}

#[test]
fn quality_costs_bytes() {
    let picture = Coding::of("testsrc2=size=1280x720").encode();
    let bytes =
        |quality| image(&[&picture], Form::Single { width: 640 }, quality).expect("an image").jpeg.len();
    let (worst, usual, best) = (bytes(1), bytes(80), bytes(100));
    assert!(worst * 2 < usual && usual * 3 < best * 2, "{worst} {usual} {best}");
}

#[test]
fn tiles_stand_side_by_side_each_in_its_shape() {
    let plain = |colour: &str, size: &str| Coding::of(&format!("color=c={colour}:size={size}")).encode();
    let (red, green, blue) = (plain("red", "640x360"), plain("lime", "640x360"), plain("blue", "360x640"));
    let form = Form::Tiles { columns: 2, width: 160, height: 90 };
    let broken = (red.0.clone(), red.1[..red.1.len() / 2].to_vec());
    let image = image(&[&red, &green, &blue, &broken], form, 90).expect("an image");
    assert_eq!((image.width, image.height, image.missing), (320, 180, 1));
    let (width, _, pixels) = rgb(&image.jpeg);
    let at = |x: u32, y: u32| {
        let at = (y * width + x) as usize * 3;
        [pixels[at], pixels[at + 1], pixels[at + 2]]
    };
    for (x, y, expected) in [
        (4, 4, [254, 0, 0]),
        (150, 85, [254, 0, 0]),
        (240, 45, [0, 255, 1]),
        (80, 135, [0, 0, 254]),
        (20, 135, [0, 0, 0]),
        (140, 135, [0, 0, 0]),
        (240, 135, [0, 0, 0]),
    ] {
        assert!(near(at(x, y), expected), "({x}, {y}): {:?}", at(x, y));
    }
}

#[test]
fn where_no_tile_can_be_decoded_there_is_no_image() {
    let form = Form::Tiles { columns: 2, width: 160, height: 90 };
    let broken = (Vec::new(), Vec::new());
    assert_eq!(image(&[&broken, &broken], form, 90), Err(Refusal::Configuration));
}

#[test]
fn no_truncation_crashes_and_half_a_picture_is_none() {
    let (record, sample) = Coding::of("testsrc2=size=320x180").encode();
    for end in (0..sample.len()).step_by(37) {
        let cut = single(&(record.clone(), sample[..end].to_vec()), 320);
        assert_eq!(cut, Err(Refusal::Damaged), "{end} of {}", sample.len());
    }
    for end in 0..record.len() {
        let _ = single(&(record[..end].to_vec(), sample.clone()), 320);
    }
}

#[test]
fn no_flipped_byte_crashes() {
    let (record, sample) = Coding::of("testsrc2=size=320x180").encode();
    for at in (0..sample.len()).step_by(sample.len() / 300 + 1) {
        let mut broken = sample.clone();
        broken[at] ^= 0xff;
        let _ = single(&(record.clone(), broken), 320);
    }
    for at in 0..record.len() {
        let mut broken = record.clone();
        broken[at] ^= 0xff;
        let _ = single(&(broken, sample.clone()), 320);
    }
}

/// ITU-T H.264 Table A-1: no level has pictures of 16384 by 16384.
#[test]
fn a_picture_beyond_every_level_is_refused_before_memory_is_taken() {
    let (record, sample) = Coding::of("testsrc2=size=320x180").encode();
    let huge = record_with(&huge_sps(16_384, 16_384));
    assert_eq!(single(&(huge, sample.clone()), 640), Err(Refusal::Configuration));
    let sps = huge_sps(16_384, 16_384);
    let in_band = [&(sps.len() as u32).to_be_bytes()[..], &sps, &sample].concat();
    let size = single(&(record, in_band), 640).map(|image| (image.width, image.height));
    assert_eq!(size, Ok((320, 180)), "a set that cannot be is none: the one before it holds");
}
