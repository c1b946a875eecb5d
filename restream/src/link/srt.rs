//! MPEG-TS over SRT: seven packets to a message, at the pace of their times.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use container::ts::{self, Mux, Pictures, Sound};
use media::Kind;
use srt::{ConnectError, Connection, KeyLength, Options, Passphrase, TS_PAYLOAD};
use tokio::time::{Instant, sleep_until};

use crate::Failure;
use crate::connect::Ways;
use crate::destination::Destination;
use crate::follow::{Frame, Item, Track};

/// Where times begin in the stream: the clock runs ahead of what is decoded first.
const FIRST: i64 = 10 * 90_000;
/// What is farther from its time than that goes by a new one.
const APART: Duration = Duration::from_millis(1500);

/// A connection that sends MPEG-TS.
pub(crate) struct Srt {
    connection: Connection,
    mux: Mux,
    video: Option<Pictures>,
    audio: Option<Sound>,
    /// What waits, and when it is due.
    waiting: VecDeque<(Instant, Bytes)>,
    /// What is less than a message yet.
    rest: Vec<u8>,
    zero: Option<i64>,
    /// When a time of the stream was sent.
    anchor: Option<(Instant, i64)>,
}

impl Srt {
    pub(super) async fn open(ways: &Ways, to: &Destination, timeout: Duration) -> Result<Srt, Failure> {
        let passphrase = to.secrets.passphrase.as_ref().map(|it| Passphrase::parse(it.expose()));
        let mut options = Options {
            stream_id: to.key().to_owned(),
            passphrase: passphrase.transpose().map_err(|_| Failure::Passphrase)?,
            key_length: to.key_length.and_then(KeyLength::of_bytes).unwrap_or_default(),
            timeout,
            ..Options::default()
        };
        options.settings.latency = to.latency.unwrap_or(options.settings.latency);
        let mut failed = Failure::Name;
        for address in ways.addresses(to).await? {
            match srt::connect(address, &options).await {
                Ok(connection) => return Ok(Srt::new(connection)),
                Err(ConnectError::Timeout) => failed = Failure::ConnectTimeout(timeout),
                Err(error) => failed = error.into(),
            }
        }
        Err(failed)
    }

    fn new(connection: Connection) -> Srt {
        Srt {
            connection,
            mux: Mux::default(),
            video: None,
            audio: None,
            waiting: VecDeque::new(),
            rest: Vec::new(),
            zero: None,
            anchor: None,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn queue(&mut self, items: Vec<Item>, late: bool) -> Result<(), Failure> {
        for item in &items {
            if let Item::Track(track) = item {
                self.take(track)?;
            }
        }
        self.mux.set_streams(self.video.as_ref(), self.audio.as_ref());
        for item in items {
            if let Item::Frame(frame) = item {
                self.frame(frame, late);
            }
        }
        // What came together is not kept back for what comes next.
        if let Some(due) = self.waiting.back().map(|(due, _)| *due).or(self.anchor.map(|it| it.0))
            && !self.rest.is_empty()
        {
            self.waiting.push_back((due, std::mem::take(&mut self.rest).into()));
        }
        Ok(())
    }

    fn take(&mut self, track: &Track) -> Result<(), Failure> {
        let codec = &track.codec;
        let carried = match codec.kind() {
            Kind::Video => {
                self.video = Pictures::of(codec);
                self.video.is_some()
            }
            Kind::Audio => {
                self.audio = Sound::of(codec);
                self.audio.is_some()
            }
        };
        carried.then_some(()).ok_or_else(|| Failure::Codec { protocol: "MPEG-TS", codec: codec.rfc6381() })
    }

    fn frame(&mut self, frame: Frame, late: bool) {
        let zero = *self.zero.get_or_insert(frame.dts);
        let ticks = |micros: i64| FIRST + micros.saturating_sub(zero).saturating_mul(9) / 100;
        let due = self.due(frame.dts, late);
        let (pts, dts) = (ticks(frame.pts), ticks(frame.dts));
        let unit = ts::Frame { pts, dts, duration: 0, sync: frame.sync, data: frame.data };
        match (frame.kind, &self.video, &self.audio) {
            (Kind::Video, Some(video), _) => self.mux.picture(video, &unit),
            (Kind::Audio, _, Some(sound)) => self.mux.sound(sound, &unit),
            _ => return,
        }
        self.rest.extend_from_slice(&self.mux.take());
        let whole = self.rest.len() / TS_PAYLOAD * TS_PAYLOAD;
        let mut bytes = Bytes::from(self.rest.drain(..whole).collect::<Vec<u8>>());
        while !bytes.is_empty() {
            self.waiting.push_back((due, bytes.split_to(TS_PAYLOAD.min(bytes.len()))));
        }
    }

    /// When a frame is to be sent: as long after the one before as it is decoded after it.
    fn due(&mut self, dts: i64, late: bool) -> Instant {
        let now = Instant::now();
        let (at, time) = *self.anchor.get_or_insert((now, dts));
        let since = Duration::from_micros(u64::try_from(dts.saturating_sub(time)).unwrap_or_default());
        let due = at + since;
        if late || due > now + APART || now > due + APART {
            self.anchor = Some((now, dts));
            return now;
        }
        due
    }

    /// Sends and listens. When it is dropped half-way, what was not taken waits.
    pub(super) async fn work(&mut self) -> Result<u64, Failure> {
        let mut ignored = [0; srt::MAX_PAYLOAD];
        let send = async {
            let Some((due, bytes)) = self.waiting.front() else { return std::future::pending().await };
            sleep_until(*due).await;
            self.connection.send(bytes).await.map(|()| bytes.len() as u64)
        };
        let listen = async {
            loop {
                if let Err(over) = self.connection.recv(&mut ignored).await {
                    return over;
                }
            }
        };
        let sent = tokio::select! {
            sent = send => sent?,
            over = listen => return Err(over.into()),
        };
        self.waiting.pop_front();
        Ok(sent)
    }

    pub(super) async fn finish(self) {
        for (_, bytes) in &self.waiting {
            if self.connection.send(bytes).await.is_err() {
                return;
            }
        }
        // What a peer has and has not given on yet, it may drop with the goodbye: ffmpeg and srt-live-transmit do.
        tokio::time::sleep(self.connection.stats().peer_latency).await;
        self.connection.close().await;
    }
}
