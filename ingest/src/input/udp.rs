//! Datagrams, to an address of this machine or to a multicast group.
//!
//! One sender at a time: who is on air stays until he was silent for a moment, so that two at once do not become one broken
//! stream. All datagrams that are there are taken at each wake-up, into one buffer that is used again and again.

mod socket;

use std::net::SocketAddr;
use std::time::Duration;

use address::input::Udp;
use stream::Protocol;
use tokio::time::{Instant, sleep_until};

use super::board::Datagrams;
use super::feed::Feed;
use super::rtp::{Datagram, SYNC, Sequence};
use super::task::{End, Task};
use socket::{Arrived, Socket};

/// Datagrams taken at one wake-up before others have their turn.
const BATCH: usize = 64;
/// A sender that was silent for so long makes room for another. Shorter than `input.silence`, after which it is gone.
const HANDOVER: Duration = Duration::from_millis(500);

/// Receives until something is wrong.
pub(super) async fn receive(task: &Task, udp: &Udp) -> End {
    let socket = match Socket::open(udp, task.shared.settings.udp_buffer) {
        Ok(socket) => socket,
        Err(error) => return End::Failed(format!("cannot receive on {}: {error}", udp.address)),
    };
    let waits = format!("nothing is received on {}", udp.address);
    task.wait_for(waits.clone());
    let mut receiver = Receiver { task, socket, sender: None, datagrams: Datagrams::default(), waits };
    let end = receiver.run().await;
    if let Some(sender) = receiver.sender {
        sender.feed.finish(false, &end.farewell()).await;
    }
    end
}

struct Receiver<'t> {
    task: &'t Task,
    socket: Socket,
    sender: Option<Sender<'t>>,
    datagrams: Datagrams,
    waits: String,
}

/// Who sends.
struct Sender<'t> {
    from: SocketAddr,
    feed: Feed<'t>,
    sequence: Sequence,
    heard: Instant,
}

impl Receiver<'_> {
    async fn run(&mut self) -> End {
        loop {
            if let Err(end) = self.wait().await {
                return end;
            }
            for _ in 0..BATCH {
                match self.socket.receive() {
                    Ok(None) => break,
                    Ok(Some(arrived)) => {
                        if let Err(end) = self.take(arrived).await {
                            return end;
                        }
                    }
                    Err(error) => return End::Failed(format!("cannot receive: {error}")),
                }
            }
            self.task.board.datagrams(self.datagrams);
        }
    }

    /// Until there are datagrams.
    async fn wait(&mut self) -> Result<(), End> {
        let silence = self.task.shared.settings.silence;
        let Some(sender) = &mut self.sender else {
            return self.socket.readable().await.map_err(|error| End::Failed(error.to_string()));
        };
        let gone = sender.heard + silence;
        tokio::select! {
            biased;
            ended = sender.feed.ended() => return Err(End::Ended(ended)),
            ready = self.socket.readable() => return ready.map_err(|error| End::Failed(error.to_string())),
            () = sleep_until(gone) => {}
        }
        if let Some(sender) = self.sender.take() {
            let (from, on_air) = (sender.from, sender.feed.is_on_air());
            let why = format!("nothing came from {from} for {}", show(silence));
            sender.feed.finish(false, &why).await;
            match on_air {
                true => self.task.lost(why),
                false => self.task.wait_for(self.waits.clone()),
            }
        }
        Ok(())
    }

    async fn take(&mut self, arrived: Arrived) -> Result<(), End> {
        let Arrived { from, length, truncated, dropped } = arrived;
        self.datagrams.received += 1;
        self.datagrams.dropped += dropped;
        self.task.shared.metrics.dropped.inc_by(dropped);
        if truncated {
            self.datagrams.unusable += 1;
            return Ok(());
        }
        if !self.is_heard(from, length).await {
            self.datagrams.foreign += 1;
            return Ok(());
        }
        let Some(sender) = &mut self.sender else { return Ok(()) };
        sender.heard = Instant::now();
        let media = match sender.sequence.open(self.socket.bytes(length)) {
            Datagram::Media(media) => media,
            Datagram::AfterGap(media) => {
                sender.feed.lost();
                media
            }
            Datagram::Late => {
                self.datagrams.unusable += 1;
                return Ok(());
            }
        };
        sender.feed.push(media).await
    }

    /// Whether it is this one's turn to send: he that sends does, and he that begins where nobody is on air.
    async fn is_heard(&mut self, from: SocketAddr, length: usize) -> bool {
        if let Some(sender) = &self.sender {
            if sender.from == from {
                return true;
            }
            let holds = sender.feed.is_on_air() && sender.heard.elapsed() < HANDOVER;
            let begins = matches!(self.socket.bytes(length).first(), Some(&(SYNC | 0x80..=0xBF)));
            if holds || !begins {
                return false;
            }
        }
        if let Some(old) = self.sender.take() {
            old.feed.finish(false, &format!("{from} sends in place of {}", old.from)).await;
        }
        let feed = Feed::new(self.task, Protocol::Udp, from);
        self.sender = Some(Sender { from, feed, sequence: Sequence::default(), heard: Instant::now() });
        true
    }
}

fn show(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}
