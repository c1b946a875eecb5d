//! A publication over RTMP or RTMPS.

use bytes::Buf;
use catalog::targets::Protocol;
use media::{Codec, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};

use super::pieces::Pieces;
use crate::Failure;
use crate::connect::{Stream, Ways};
use crate::destination::Destination;
use crate::follow::{Frame, Item, Track};
use crate::rtmp::{Event, Session, kind, tag};

/// What a server says is read into so much.
const BUFFER: usize = 4 << 10;

/// A connection that publishes.
pub(crate) struct Rtmp {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    session: Session,
    pieces: Pieces,
    /// Whether something may wait in the layer below, as TLS does.
    flushed: bool,
    buffer: Box<[u8; BUFFER]>,
    video: Option<Track>,
    audio: Option<Track>,
    /// The time of the session that is zero in this publication, in microseconds.
    zero: Option<i64>,
}

impl Rtmp {
    pub(super) async fn open(
        ways: &Ways,
        to: &Destination,
        four_cc: Vec<&'static str>,
    ) -> Result<Rtmp, Failure> {
        let stream = ways.tcp(&ways.addresses(to).await?).await?;
        let stream: Box<dyn Stream> = match to.protocol {
            Protocol::Rtmps => ways.encrypted(to, stream).await?,
            _ => Box::new(stream),
        };
        let mut random = [0; 1528];
        // Any bytes will do: they say which echo is whose.
        let _ = getrandom::fill(&mut random);
        let (reader, writer) = split(stream);
        let mut link = Rtmp {
            reader,
            writer,
            session: Session::new(to.publication(), four_cc, &random),
            pieces: Pieces::default(),
            flushed: true,
            buffer: Box::new([0; BUFFER]),
            video: None,
            audio: None,
            zero: None,
        };
        while !link.session.is_publishing() {
            link.work().await?;
        }
        Ok(link)
    }

    pub(super) fn is_idle(&self) -> bool {
        !self.pieces.has_remaining() && self.flushed
    }

    pub(super) fn queue(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        let mut told = false;
        for item in &items {
            if let Item::Track(track) = item {
                self.take(track)?;
                told = true;
            }
        }
        if told {
            let codec = |track: &Option<Track>| track.as_ref().map(|track| track.codec.clone());
            let (video, audio) = (codec(&self.video), codec(&self.audio));
            let rate = self.video.as_ref().and_then(|track| track.frame_rate);
            let metadata = tag::metadata(video.as_ref(), audio.as_ref(), rate);
            self.session.media(kind::DATA, 0, &[], &metadata);
        }
        items.into_iter().for_each(|item| match item {
            Item::Track(track) => self.configure(&track.codec),
            Item::Frame(frame) => self.frame(&frame),
        });
        self.collect();
        Ok(())
    }

    fn take(&mut self, track: &Track) -> Result<(), Failure> {
        if !tag::is_known(&track.codec) {
            return Err(Failure::rtmp_codec(&track.codec));
        }
        match track.codec.kind() {
            Kind::Audio => self.audio = Some(track.clone()),
            _ => self.video = Some(track.clone()),
        }
        Ok(())
    }

    fn configure(&mut self, codec: &Codec) {
        if let Some((head, configuration)) = tag::configuration(codec) {
            self.session.media(message(codec.kind()), 0, &head, &configuration);
        }
    }

    fn frame(&mut self, frame: &Frame) {
        let track = match frame.kind {
            Kind::Video => &self.video,
            _ => &self.audio,
        };
        let Some(track) = track else { return };
        let zero = *self.zero.get_or_insert(frame.dts);
        let millis = |micros: i64| (micros.saturating_sub(zero).max(0) + 500) / 1000;
        let at = millis(frame.dts);
        let composition = i32::try_from(millis(frame.pts) - at).unwrap_or_default();
        let head = tag::frame(&track.codec, frame.sync, composition);
        // Timestamps wrap (5.3.1).
        self.session.media(message(frame.kind), at as u32, &head, &frame.data);
    }

    fn collect(&mut self) {
        self.pieces.extend(self.session.take());
    }

    /// Sends and listens. When it is dropped half-way, what was not taken waits.
    pub(super) async fn work(&mut self) -> Result<u64, Failure> {
        loop {
            self.collect();
            let waits = self.pieces.has_remaining();
            let (writer, pieces, flushed) = (&mut self.writer, &mut self.pieces, self.flushed);
            let write = async {
                match (waits, flushed) {
                    (true, _) => writer.write_buf(pieces).await.map(Some),
                    (false, false) => writer.flush().await.map(|()| None),
                    (false, true) => std::future::pending().await,
                }
            };
            tokio::select! {
                read = self.reader.read(&mut self.buffer[..]) => {
                    let read = match read? {
                        0 => return Err(Failure::Closed),
                        read => read,
                    };
                    let events = self.session.input(&self.buffer[..read])?;
                    if events.contains(&Event::Reconnect) {
                        return Err(Failure::Reconnect);
                    }
                    if events.contains(&Event::Started) {
                        return Ok(0);
                    }
                }
                written = write => {
                    let written = written?;
                    self.flushed = written.is_none();
                    return match written {
                        Some(0) => Err(Failure::Closed),
                        written => Ok(written.unwrap_or(0) as u64),
                    };
                }
            }
        }
    }

    pub(super) async fn finish(mut self) {
        self.session.finish();
        self.collect();
        let _ = self.writer.write_all_buf(&mut self.pieces).await;
        let _ = self.writer.shutdown().await;
        // A server that is still reading would lose what it has not read, were it reset.
        while matches!(self.reader.read(&mut self.buffer[..]).await, Ok(1..)) {}
    }
}

fn message(of: Kind) -> u8 {
    match of {
        Kind::Video => kind::VIDEO,
        _ => kind::AUDIO,
    }
}
