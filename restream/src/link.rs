//! A connection to a target: items in, bytes out, at the pace of the target.

mod pieces;
mod rtmp;
mod srt;

use std::time::Duration;

use catalog::targets::Protocol;

use crate::Failure;
use crate::connect::Ways;
use crate::destination::Destination;
use crate::follow::Item;

/// A connection to a target.
pub(crate) enum Link {
    Rtmp(Box<rtmp::Rtmp>),
    Srt(Box<srt::Srt>),
}

impl Link {
    /// Connects, until media may be sent. `four_cc` are the codecs that need Enhanced RTMP.
    pub(crate) async fn open(
        ways: &Ways,
        to: &Destination,
        four_cc: Vec<&'static str>,
        timeout: Duration,
    ) -> Result<Link, Failure> {
        let open = async {
            Ok(match to.protocol {
                Protocol::Rtmp | Protocol::Rtmps => {
                    Link::Rtmp(Box::new(rtmp::Rtmp::open(ways, to, four_cc).await?))
                }
                Protocol::Srt => Link::Srt(Box::new(srt::Srt::open(ways, to, timeout).await?)),
            })
        };
        tokio::time::timeout(timeout, open).await.map_err(|_| Failure::ConnectTimeout(timeout))?
    }

    /// Takes what is to be sent. `late`: it is behind what there is, and goes out as fast as the target takes it.
    pub(crate) fn queue(&mut self, items: Vec<Item>, late: bool) -> Result<(), Failure> {
        match self {
            Link::Rtmp(link) => link.queue(items),
            Link::Srt(link) => link.queue(items, late),
        }
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_idle(&self) -> bool {
        match self {
            Link::Rtmp(link) => link.is_idle(),
            Link::Srt(link) => link.is_idle(),
        }
    }

    /// Sends and listens until so many bytes were taken, or it is over. Nothing is lost when it is dropped before.
    pub(crate) async fn work(&mut self) -> Result<u64, Failure> {
        match self {
            Link::Rtmp(link) => link.work().await,
            Link::Srt(link) => link.work().await,
        }
    }

    /// Says goodbye, as far as the target listens that long.
    pub(crate) async fn finish(self, patience: Duration) {
        let finish = async {
            match self {
                Link::Rtmp(link) => link.finish().await,
                Link::Srt(link) => link.finish().await,
            }
        };
        let _ = tokio::time::timeout(patience, finish).await;
    }
}
