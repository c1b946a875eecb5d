//! Why a connection was cut, in a word, from what hyper and our own patience say.

use std::error::Error;
use std::io;

use crate::timeout::GivenUp;

/// A short word where the peer was cut for what it did; `None` where it left, or rested for too long.
pub(crate) fn reason(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(given_up) = causes(error).find_map(given_up) {
        return match given_up {
            GivenUp::Header => Some("slow-request"),
            GivenUp::Reader => Some("slow-reader"),
            GivenUp::Idle => None,
        };
    }
    if let Some(failed) = error.downcast_ref::<tls::Failed>() {
        return failed.word();
    }
    let http = causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>())?;
    // An answer that breaks off is our own doing.
    let ours = http.is_user();
    let left = http.is_closed() || http.is_canceled() || http.is_incomplete_message() || ours;
    let lost = causes(error).any(|cause| cause.is::<io::Error>());
    match http.is_parse() {
        true => Some("malformed"),
        false => (!left && !lost).then_some("protocol"),
    }
}

/// The error at the bottom, which says it in the plainest words.
pub(crate) fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let last = causes(error).last().unwrap_or(error);
    // An I/O error does not count what it wraps among its causes.
    match given_up(last) {
        Some(given_up) => given_up,
        None => last,
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (**error).source())
}

fn given_up<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a GivenUp> {
    let own = error.downcast_ref::<GivenUp>();
    own.or_else(|| error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref())
}
