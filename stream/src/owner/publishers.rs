//! Who publishes to a stream at once: one for each rendition.

use std::task::{Context, Poll};

use packager::FeedId;

use super::publisher::Publisher;
use crate::{Ended, Input};

/// The publishers that are on; never none.
pub(super) struct Publishers {
    all: Vec<Publisher>,
    /// Who is looked at first the next time, so that nobody starves the others.
    turn: usize,
}

impl Publishers {
    pub(super) fn new(first: Publisher) -> Publishers {
        Publishers { all: vec![first], turn: 0 }
    }

    pub(super) fn add(&mut self, publisher: Publisher) {
        self.all.push(publisher);
    }

    /// Lets one go.
    pub(super) fn remove(&mut self, feed: FeedId) -> Option<Publisher> {
        let at = self.all.iter().position(|publisher| publisher.feed == feed)?;
        Some(self.all.remove(at))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Publisher> {
        self.all.iter()
    }

    pub(super) fn get(&mut self, feed: FeedId) -> Option<&mut Publisher> {
        self.all.iter_mut().find(|publisher| publisher.feed == feed)
    }

    /// Who publishes that rendition.
    pub(super) fn of(&self, rendition: Option<&str>) -> Option<&Publisher> {
        self.all.iter().find(|publisher| publisher.rendition.as_deref() == rendition)
    }

    /// Tells all that they have to go.
    pub(super) fn cut(&self, why: &Ended) {
        self.all.iter().for_each(|publisher| publisher.cut(why.clone()));
    }

    /// Tells those that they have to go who would not by themselves.
    pub(super) fn cut_who_stay(&self, why: &Ended) {
        let staying = self.all.iter().filter(|publisher| !publisher.leaves_when_asked());
        staying.for_each(|publisher| publisher.cut(why.clone()));
    }

    /// The next input of any of them; `None` with who is gone.
    pub(super) async fn next(&mut self) -> (FeedId, Option<Input>) {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// An input that is there already.
    pub(super) fn try_next(&mut self) -> Option<(FeedId, Input)> {
        let count = self.all.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let publisher = &mut self.all[at];
            if let Ok(input) = publisher.inputs.try_recv() {
                self.turn = at + 1;
                return Some((publisher.feed, input));
            }
        }
        None
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(FeedId, Option<Input>)> {
        let count = self.all.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let publisher = &mut self.all[at];
            if let Poll::Ready(input) = publisher.inputs.poll_recv(context) {
                self.turn = at + 1;
                return Poll::Ready((publisher.feed, input));
            }
        }
        Poll::Pending
    }
}
