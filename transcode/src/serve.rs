//! The worker's loop.

use std::io::{self, ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use worker_protocol::frame::{Prefix, before_payload, parse_head};
use worker_protocol::{Hello, Malformed, Refusal, Reply, Request, VERSION};

use crate::image::{Image, make};

/// Makes the libraries ready, and says which they are.
pub fn start() -> Result<Hello, ffmpeg_next::Error> {
    ffmpeg_next::init()?;
    // Their lines would quote what a publisher sent.
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
    let version = ffmpeg_next::codec::version();
    let libraries = format!("libavcodec {}.{}.{}", version >> 16, version >> 8 & 255, version & 255);
    Ok(Hello { protocol: VERSION, libraries })
}

/// Says hello, then answers requests until the input ends between two of them.
pub fn serve(hello: &Hello, input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    write(output, hello, &[])?;
    while let Some((request, payload)) = read(input)? {
        match answer(&request, &payload) {
            Ok(image) => write(output, &image.reply(), &image.jpeg)?,
            Err(refusal) => write(output, &Reply::Refused(refusal), &[])?,
        }
    }
    Ok(())
}

/// A panic is a picture that could not be made: nothing of it is left for the next.
fn answer(request: &Request, payload: &[u8]) -> Result<Image, Refusal> {
    catch_unwind(AssertUnwindSafe(|| make(request, payload))).unwrap_or(Err(Refusal::Failed))
}

fn read(input: &mut impl Read) -> io::Result<Option<(Request, Vec<u8>)>> {
    let mut prefix = [0; Prefix::LEN];
    match input.read_exact(&mut prefix) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let prefix = Prefix::parse(prefix).map_err(foreign)?;
    let mut head = vec![0; prefix.head];
    input.read_exact(&mut head)?;
    let mut payload = vec![0; prefix.payload];
    input.read_exact(&mut payload)?;
    Ok(Some((parse_head(&head).map_err(foreign)?, payload)))
}

fn write(output: &mut impl Write, message: &impl serde::Serialize, payload: &[u8]) -> io::Result<()> {
    output.write_all(&before_payload(message, payload.len()).map_err(foreign)?)?;
    output.write_all(payload)?;
    output.flush()
}

fn foreign(error: Malformed) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use worker_protocol::{Codec, Coded, Form};

    use super::*;

    fn hello() -> Hello {
        Hello { protocol: VERSION, libraries: String::new() }
    }

    /// The replies to these bytes on standard input, and how the loop ended.
    fn replies(input: &[u8]) -> (Vec<Reply>, io::Result<()>) {
        let mut output = Vec::new();
        let ended = serve(&hello(), &mut &input[..], &mut output);
        let mut rest = &output[..];
        let mut heads = Vec::new();
        while let Some((prefix, body)) = rest.split_first_chunk() {
            let prefix = Prefix::parse(*prefix).expect("ours");
            heads.push(body[..prefix.head].to_vec());
            rest = &body[prefix.head + prefix.payload..];
        }
        let greeting = heads.remove(0);
        assert_eq!(parse_head::<Hello>(&greeting).expect("a hello first"), hello());
        (heads.iter().map(|head| parse_head(head).expect("a reply")).collect(), ended)
    }

    fn request(configuration: u32, sample: u32, payload: usize) -> Vec<u8> {
        let pictures = vec![Coded { codec: Codec::H264, configuration, sample }];
        let request = Request { pictures, form: Form::Single { width: 640 }, quality: 80 };
        let mut bytes = before_payload(&request, payload).expect("short");
        bytes.resize(bytes.len() + payload, 0xa5);
        bytes
    }

    #[test]
    fn a_refused_picture_does_not_end_the_worker() {
        let input = [request(10, 10, 20), request(10, 10, 19), request(u32::MAX, u32::MAX, 20)].concat();
        let (replies, ended) = replies(&input);
        let (unread, senseless) = (Refusal::Configuration, Refusal::Senseless);
        assert_eq!(replies, [unread, senseless, senseless].map(Reply::Refused));
        assert!(ended.is_ok());
    }

    #[test]
    fn what_is_no_request_ends_it() {
        let whole = request(10, 10, 20);
        for input in [&whole[..whole.len() - 1], &[0xff; 8], b"\0\0\0\x02\0\0\0\0{}"] {
            let (replies, ended) = replies(input);
            assert!(replies.is_empty() && ended.is_err(), "{input:?}");
        }
    }
}
