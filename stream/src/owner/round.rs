//! Who publishes comes, sends and goes: the owner's part of that.

use std::sync::Arc;
use std::time::Duration;

use media::MediaTime;
use packager::FeedId;
use tokio::time::Instant;
use tracing::info;

use super::publisher::Publisher;
use super::publishers::Publishers;
use super::{Owner, Phase, now};
use crate::desk::Seat;
use crate::event::What;
use crate::{Ended, Grant, Input, Peer, Publication, Refusal, Settings, status};

/// Inputs taken before a view is published, when they come faster than that.
const BATCH: usize = 64;
/// After somebody ended a stream, no encoder must have tried for so long before one is let in again: encoders try
/// again by themselves, and the show is over.
const REST: Duration = Duration::from_secs(3);

impl Owner {
    pub(super) async fn publish(&mut self, peer: Peer, grant: Grant) -> Result<Publication, Refusal> {
        self.is_rested()?;
        let Grant { settings, air, leg, pass, rendition, .. } = grant;
        let rendition = rendition_of(rendition)?;
        let pushed = self.make_room(peer, rendition.as_deref(), &settings)?;
        match self.phase {
            Phase::Over { .. } => {
                self.settings = settings;
                self.begin_session(air);
            }
            _ if air != self.shows.air() => {
                self.settings = settings;
                self.switch(air).await;
            }
            _ => self.settings = settings,
        }
        if !matches!(self.phase, Phase::On(_)) {
            self.packager.begin();
        }
        let feed = self.packager.join(rendition.as_deref());
        let seat = Seat { feed, leg, rendition: rendition.clone(), peer };
        let watched = self.desk.enter(seat, pass, self.settings.plan.clone());
        let (publisher, publication) = Publisher::new(feed, rendition.clone(), peer, pushed, watched);
        match &mut self.phase {
            Phase::On(publishers) => publishers.add(publisher),
            _ => self.phase = Phase::On(Publishers::new(publisher)),
        }
        self.hub.tell(Some(&self.entry), What::PublishStarted { leg, rendition, peer });
        self.publish_view().await;
        self.show(None);
        Ok(publication)
    }

    /// Whether a newcomer would be let in now. That it tried is noted, nothing else changes.
    pub(super) fn foresee(&mut self, peer: Peer, grant: Grant) -> Result<(), Refusal> {
        self.is_rested()?;
        let rendition = rendition_of(grant.rendition)?;
        self.has_room(peer, rendition.as_deref(), &grant.settings).map(drop)
    }

    /// Encoders try again by themselves: after somebody ended the stream they are left outside until none tries.
    fn is_rested(&mut self) -> Result<(), Refusal> {
        if self.tried.is_some_and(|tried| tried.elapsed() < REST) {
            self.tried = Some(Instant::now());
            return Err(Refusal::Ended);
        }
        self.tried = None;
        Ok(())
    }

    /// Sends the publisher of a rendition away for a newcomer, or says why not. Says when a healthy one was.
    fn make_room(
        &mut self,
        newcomer: Peer,
        rendition: Option<&str>,
        settings: &Settings,
    ) -> Result<Option<Instant>, Refusal> {
        let Some(publisher) = self.has_room(newcomer, rendition, settings)? else { return Ok(None) };
        let incumbent = publisher.peer.address;
        let (feed, pushed) = (publisher.feed, publisher.is_healthy().then(Instant::now));
        info!(entry = %self.entry, %incumbent, newcomer = %newcomer.address, "publisher takes over");
        publisher.cut(Ended::TakenOver);
        self.without(feed, Ended::TakenOver.to_string());
        Ok(pushed)
    }

    /// Who has to go for a newcomer, if anybody, or why it cannot come.
    fn has_room(
        &self,
        newcomer: Peer,
        rendition: Option<&str>,
        settings: &Settings,
    ) -> Result<Option<&Publisher>, Refusal> {
        let Phase::On(publishers) = &self.phase else { return Ok(None) };
        let Some(publisher) = publishers.of(rendition) else {
            let most = settings.max_renditions;
            return if publishers.len() < most { Ok(None) } else { Err(Refusal::Full { most }) };
        };
        if !publisher.gives_way(newcomer, self.settings.takeover) {
            return Err(Refusal::Busy { incumbent: publisher.peer.address });
        }
        Ok(Some(publisher))
    }

    /// One publisher is gone; others go on, or the next one takes its place. Says whether nobody is on any more.
    fn without(&mut self, feed: FeedId, reason: String) -> bool {
        let Phase::On(publishers) = &mut self.phase else { return false };
        if publishers.remove(feed).is_none() {
            return false;
        }
        let empty = publishers.is_empty();
        if empty {
            self.wait();
        }
        self.packager.leave(feed, now());
        self.left(feed, reason);
        empty
    }

    /// Says whether there was anything to cut, or to end. What ends the stream ends it for all.
    pub(super) async fn cut(&mut self, only: Option<FeedId>, why: Ended) -> bool {
        let only = only.filter(|_| !why.ends_the_stream());
        let goes = |publisher: &&Publisher| only.is_none_or(|only| publisher.feed == only);
        let feeds: Vec<FeedId> = match &self.phase {
            Phase::On(publishers) => {
                let going = publishers.iter().filter(goes);
                going
                    .inspect(|publisher| publisher.cut(why.clone()))
                    .map(|publisher| publisher.feed)
                    .collect()
            }
            _ => Vec::new(),
        };
        let on = !feeds.is_empty();
        feeds.into_iter().for_each(|feed| self.lose(feed, why.to_string()));
        let ends = why.ends_the_stream() && matches!(self.phase, Phase::Waiting { .. });
        if ends {
            self.tried = (why == Ended::Finished).then(Instant::now);
            self.end().await;
        }
        self.publish_view().await;
        self.show(None);
        on || ends
    }

    /// One input, and whatever else is there already; `None` when that publisher is gone.
    pub(super) async fn take(&mut self, (feed, input): (FeedId, Option<Input>)) {
        self.settle();
        match input {
            Some(input) => {
                self.package(feed, input);
                self.take_more();
                self.publish_view().await;
            }
            None => {
                let farewell = match &mut self.phase {
                    Phase::On(publishers) => publishers.get(feed).map(|publisher| publisher.farewell()),
                    _ => None,
                };
                self.lose(feed, farewell.unwrap_or_default());
                self.publish_view().await;
                self.show(None);
            }
        }
    }

    /// The rest of a batch, as far as it is there. What does not fit stays in the channel.
    fn take_more(&mut self) {
        for _ in 1..BATCH {
            let Phase::On(publishers) = &mut self.phase else {
                return;
            };
            let Some((feed, input)) = publishers.try_next() else {
                return;
            };
            self.package(feed, input);
        }
    }

    fn package(&mut self, feed: FeedId, input: Input) {
        if let Phase::On(publishers) = &mut self.phase
            && let Some(publisher) = publishers.get(feed)
        {
            publisher.note(&input);
        }
        match input {
            Input::Announce { video, audio } => self.packager.announce_of(feed, video, audio),
            Input::Track { id, track } => self.packager.track_of(feed, id, track),
            Input::Sample { id, sample } => {
                self.desk.meter.sample(&sample);
                self.packager.push_of(feed, id, sample, now());
            }
            Input::Metadata { scheme, pts, timescale, data } => {
                let place = self.packager.locate(feed, MediaTime::new(pts, timescale));
                self.desk.metadata(scheme, place, data);
            }
        }
    }

    /// Writes down that a publisher is gone.
    fn left(&self, feed: FeedId, reason: String) {
        if let Some(Seat { leg, rendition, peer, .. }) = self.desk.leave(feed, reason.clone()) {
            self.hub.tell(Some(&self.entry), What::PublishStopped { leg, rendition, peer, reason });
        }
    }

    fn lose(&mut self, feed: FeedId, reason: String) {
        if self.without(feed, reason) {
            self.desk.stand(status::State::Waiting);
            info!(entry = %self.entry, reconnect = ?self.settings.reconnect, "publisher is gone");
        }
    }

    fn wait(&mut self) {
        let until = Instant::now() + self.settings.reconnect;
        self.phase = Phase::Waiting { until };
    }

    pub(super) fn note_alignment(&self) {
        let Phase::On(publishers) = &self.phase else { return };
        for publisher in publishers.iter() {
            self.desk.align(publisher.feed, self.packager.is_misaligned(publisher.feed));
        }
    }
}

/// The rendition that a publisher names: `1` is the one that has no name, as in `video-1`.
fn rendition_of(named: Option<String>) -> Result<Option<Arc<str>>, Refusal> {
    const LONGEST: usize = 24;
    let named = named.filter(|name| name != "1");
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    match named {
        Some(name) if name.len() > LONGEST || !name.chars().all(legal) => Err(Refusal::Unsupported(format!(
            "the name of a rendition has 1 to {LONGEST} of a-z 0-9, as in KEY_720p"
        ))),
        named => Ok(named.map(Arc::from)),
    }
}
