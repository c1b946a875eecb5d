//! Bodies for HTTP/2, where each piece of a body costs a DATA frame of its own (RFC 9113 §6.1) and over TLS a record:
//! small pieces are put together, large ones go as they are.
//!
//! What a body has is never held back for more to come: a body that grows goes out as it grows.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

/// What fills a DATA frame of the size that every peer takes (RFC 9113 §4.2).
const FULL: usize = 16_384;

/// A body whose pieces are of 16 KiB at least, as far as there is more.
pub(crate) struct Gathered<B: Body> {
    body: B,
    /// Pieces put together, less than [`FULL`].
    gathered: BytesMut,
    /// What comes behind them and was taken from the body already.
    behind: Option<Result<Frame<Bytes>, B::Error>>,
    ended: bool,
}

impl<B> Gathered<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Unpin,
{
    pub(crate) fn new(body: B) -> Gathered<B> {
        Gathered { body, gathered: BytesMut::new(), behind: None, ended: false }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(behind) = self.behind.take() {
            return Poll::Ready(Some(behind));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let next = Pin::new(&mut self.body).poll_frame(cx);
        self.ended = matches!(next, Poll::Ready(None));
        next
    }

    /// Puts as much as fits to what was gathered; the rest comes behind it.
    fn gather(&mut self, mut data: Bytes) {
        let fits = data.split_to(data.len().min(FULL - self.gathered.len()));
        if self.gathered.is_empty() {
            self.gathered.reserve(FULL.min(fits.len() + data.len() + self.remaining()));
        }
        self.gathered.extend_from_slice(&fits);
        self.behind = data.has_remaining().then(|| Ok(Frame::data(data)));
    }

    /// What the body says that it still has; a guess is good enough.
    fn remaining(&self) -> usize {
        usize::try_from(self.body.size_hint().lower()).unwrap_or(FULL)
    }

    fn flush(&mut self) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Poll::Ready(Some(Ok(Frame::data(self.gathered.split().freeze()))))
    }
}

impl<B> Body for Gathered<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        loop {
            let next = match self.poll_next(cx) {
                Poll::Ready(Some(Ok(frame))) => frame.into_data().map_err(Ok),
                Poll::Ready(Some(Err(error))) => Err(Err(error)),
                end if self.gathered.is_empty() => return end,
                _ => return self.flush(),
            };
            match next {
                Ok(data) if self.gathered.is_empty() && data.len() >= FULL => {
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Ok(data) => self.gather(data),
                Err(other) if self.gathered.is_empty() => return Poll::Ready(Some(other)),
                Err(other) => {
                    self.behind = Some(other);
                    return self.flush();
                }
            }
            if self.gathered.len() == FULL {
                return self.flush();
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let empty = self.gathered.is_empty() && self.behind.is_none();
        empty && (self.ended || self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let behind = self.behind.as_ref().and_then(|it| it.as_ref().ok()?.data_ref().map(Bytes::len));
        let here = (self.gathered.len() + behind.unwrap_or(0)) as u64;
        let mut hint = self.body.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + here);
        }
        hint.set_lower(hint.lower() + here);
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// What a body does next.
    #[derive(Clone)]
    enum Next {
        Data(usize),
        Wait,
        Fail,
    }

    struct Script(VecDeque<Next>);

    impl Body for Script {
        type Data = Bytes;
        type Error = &'static str;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            match self.0.pop_front() {
                None => Poll::Ready(None),
                Some(Next::Wait) => Poll::Pending,
                Some(Next::Fail) => Poll::Ready(Some(Err("broken off"))),
                Some(Next::Data(len)) => {
                    Poll::Ready(Some(Ok(Frame::data((0..len).map(|at| at as u8).collect()))))
                }
            }
        }

        fn size_hint(&self) -> SizeHint {
            let len = |next: &Next| if let Next::Data(len) = next { *len as u64 } else { 0 };
            SizeHint::with_exact(self.0.iter().map(len).sum())
        }
    }

    /// What comes of a body, a line for each poll.
    fn polls(script: &[Next]) -> Vec<String> {
        let mut body = Gathered::new(Script(script.to_vec().into()));
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut polls = Vec::new();
        let (mut left, mut all) = (body.size_hint().exact().expect("exact"), Vec::new());
        loop {
            match Pin::new(&mut body).poll_frame(&mut context) {
                Poll::Ready(None) => break,
                Poll::Pending => polls.push("wait".to_owned()),
                Poll::Ready(Some(Err(error))) => polls.push(error.to_owned()),
                Poll::Ready(Some(Ok(frame))) => {
                    let data = frame.into_data().expect("data");
                    left -= data.len() as u64;
                    polls.push(data.len().to_string());
                    all.extend_from_slice(&data);
                }
            }
            assert_eq!(body.size_hint().exact(), Some(left));
        }
        assert!(body.is_end_stream() && left == 0);
        let expected = script.iter().flat_map(|next| if let Next::Data(len) = next { 0..*len } else { 0..0 });
        assert!(all.iter().copied().eq(expected.map(|at| at as u8)), "other bytes");
        polls
    }

    #[test]
    fn small_pieces_are_put_together_and_large_ones_go_as_they_are() {
        use Next::Data;
        assert_eq!(polls(&[]), [""; 0]);
        assert_eq!(polls(&[Data(10), Data(20)]), ["30"]);
        assert_eq!(polls(&[Data(100_000), Data(16_384)]), ["100000", "16384"]);
        assert_eq!(polls(&[Data(500), Data(100_000), Data(500)]), ["16384", "84116", "500"]);
        assert_eq!(polls(&[Data(500), Data(20_000), Data(500), Data(0)]), ["16384", "4616"]);
        assert_eq!(polls(&[Data(8192), Data(8192), Data(1)]), ["16384", "1"]);
    }

    #[test]
    fn what_there_is_is_never_held_back() {
        use Next::{Data, Fail, Wait};
        assert_eq!(polls(&[Data(500), Wait, Data(700), Wait]), ["500", "700"]);
        assert_eq!(polls(&[Data(500), Fail]), ["500", "broken off"]);
        assert_eq!(polls(&[Wait, Fail]), ["wait", "broken off"]);
    }
}
