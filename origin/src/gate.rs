//! Requests that are refused whatever they ask for.

use http::header::HOST;
use http::{Method, Request, Version};
use http_body::Body;

use crate::problem::Problem;

/// What is wrong with a request, if anything; `max_target` is for path and query, in bytes.
pub(crate) fn refuse<B: Body>(request: &Request<B>, max_target: usize) -> Option<Problem> {
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > max_target) {
        return Some(Problem::TargetTooLong);
    }
    let hosts = request.headers().get_all(HOST).iter().count();
    if hosts > 1 || (request.version() == Version::HTTP_11 && hosts != 1) {
        return Some(Problem::BadHost);
    }
    unwanted_content(request).then_some(Problem::UnwantedContent)
}

/// Content where none has a meaning is the start of smuggling (RFC 9110 §9.3.1). HTTP/2 has frames, nothing can
/// be smuggled there, and a late end of the stream is no content.
fn unwanted_content<B: Body>(request: &Request<B>) -> bool {
    let bare = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    bare && request.version() <= Version::HTTP_11 && !request.body().is_end_stream()
}
