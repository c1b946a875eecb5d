//! A publisher's end of a stream.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use media::{Sample, Timescale, Track, TrackId};
use tokio::sync::{mpsc, watch};

use crate::link::{Board, Link};
use crate::metadata::Scheme;

/// What a publisher sends, in the order of arrival.
#[derive(Clone, Debug)]
pub enum Input {
    /// Which tracks its metadata says will come. The first playlist waits for them a moment.
    Announce {
        /// Whether there will be video.
        video: bool,
        /// Whether there will be audio.
        audio: bool,
    },
    /// What a track is; again whenever that changes. Sending the same again changes nothing.
    Track {
        /// Which track.
        id: TrackId,
        /// What it is; its timescale is the unit of the samples that follow.
        track: Track,
    },
    /// A sample of a track that was described before; timestamps unwrapped, duration not needed.
    Sample {
        /// Which track.
        id: TrackId,
        /// The sample.
        sample: Sample,
    },
    /// Timed metadata.
    Metadata {
        /// What kind it is.
        scheme: Scheme,
        /// To which point of the samples' time it belongs, unwrapped as they are.
        pts: i64,
        /// The unit of `pts`.
        timescale: Timescale,
        /// The bytes as they came.
        data: Bytes,
    },
}

/// Why the server ended a publication.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Ended {
    /// Another publisher took over.
    #[error("another publisher took over")]
    TakenOver,
    /// Somebody who runs the event disconnected it; it may come back.
    #[error("disconnected by the event's staff")]
    Disconnected,
    /// Somebody who runs the event ended the stream.
    #[error("the stream was ended by the event's staff")]
    Finished,
    /// The stream key was replaced or taken away.
    #[error("the stream key is no longer valid")]
    KeyChanged,
    /// The entry's time is over.
    #[error("the scheduled time of this stream is over")]
    TimeOver,
    /// The entry was deleted.
    #[error("the entry was deleted")]
    Deleted,
    /// The server is shutting down.
    #[error("server is shutting down")]
    ShuttingDown,
    /// The stream's owner panicked.
    #[error("this stream failed in the server; connect again")]
    Failed,
}

/// A publisher's end of a stream. Dropping it says that the publisher is gone.
#[derive(Debug)]
pub struct Publication {
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) ended: watch::Receiver<Option<Ended>>,
    pub(crate) farewell: Arc<OnceLock<String>>,
    pub(crate) leaves: Arc<AtomicBool>,
    pub(crate) board: Board,
}

impl Ended {
    /// Whether it is the end of the stream too, and not only of its publisher.
    pub(crate) fn ends_the_stream(&self) -> bool {
        matches!(self, Ended::Finished | Ended::TimeOver | Ended::Deleted)
    }
}

impl Publication {
    /// Lets the stream go and says why, for whoever looks after it.
    pub fn leave(self, why: impl Into<String>) {
        // Said once, and then it is gone.
        let _ = self.farewell.set(why.into());
    }

    /// Says that this publisher leaves by itself when it is asked to: where the server stops, it is not cut at once but left
    /// on air for the time that [`Directory::shutdown`](crate::Directory::shutdown) is given.
    pub fn leaves_when_asked(&self) {
        self.leaves.store(true, Ordering::Release);
    }

    /// Says how the network between the encoder and here does, for whoever looks after the stream.
    pub fn link(&self, link: Link) {
        self.board.write(link);
    }

    /// Hands over one input; waits when the stream's owner is behind.
    pub async fn send(&self, input: Input) -> Result<(), Ended> {
        if let Some(ended) = self.ended.borrow().clone() {
            return Err(ended);
        }
        self.inputs.send(input).await.map_err(|_| self.reason())
    }

    /// Resolves when the server ends this publication.
    pub fn ended(&self) -> impl Future<Output = Ended> + Send + Sync + use<> {
        let mut ended = self.ended.clone();
        async move {
            let reason = ended.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
            reason.unwrap_or(Ended::Failed)
        }
    }

    fn reason(&self) -> Ended {
        self.ended.borrow().clone().unwrap_or(Ended::Failed)
    }
}
