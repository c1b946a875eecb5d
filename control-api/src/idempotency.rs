//! A creation that is sent twice is done once: `Idempotency-Key`.
//!
//! The catalog knows what became of a key. Here it is asked first, and told the answer afterwards.

use axum::extract::FromRequestParts;
use catalog::idempotency::{Claim, KEY};
use catalog::{Caller, Catalog, Token};
use http::request::Parts;

use crate::answer::Created;
use crate::problem::{Kind, Problem};

const HEADER: &str = "idempotency-key";
/// When to ask again for what is being worked on, in seconds.
const RUNNING: u64 = 1;

/// The key of a request, and what it is a key to.
#[derive(Debug)]
pub(crate) struct Repeatable {
    key: Option<String>,
    target: String,
}

impl<S: Sync> FromRequestParts<S> for Repeatable {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Repeatable, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => Some(value.to_str().ok().filter(|key| is_legal(key)).ok_or_else(wrong)?),
            _ => return Err(wrong()),
        };
        Ok(Repeatable {
            key: key.map(str::to_owned),
            target: format!("{} {}", parts.method, parts.uri.path()),
        })
    }
}

fn is_legal(key: &str) -> bool {
    !key.trim().is_empty() && key.len() <= KEY
}

fn wrong() -> Problem {
    Problem::invalid_field("Idempotency-Key", format!("is not one text of 1 to {KEY} visible characters"))
}

impl Repeatable {
    /// Does `work` unless it was done. `again` makes the answer anew from the id of what was created, where it was not
    /// kept; an answer that shows a secret for once is never `kept`.
    pub(crate) async fn once<Work, Working, Again, Asking>(
        self,
        catalog: &Catalog,
        token: &Token,
        body: &str,
        kept: bool,
        work: Work,
        again: Again,
    ) -> Result<Created, Problem>
    where
        Work: FnOnce(Caller) -> Working,
        Working: Future<Output = Result<Created, Problem>>,
        Again: FnOnce(String) -> Asking,
        Asking: Future<Output = Result<Created, Problem>>,
    {
        let caller = Caller { request: self.key.clone(), ..token.caller() };
        let Some(key) = self.key else { return work(caller).await };
        let room = catalog.idempotency();
        match room.claim(&token.id, &key, &format!("{} {body}", self.target)).await? {
            Claim::Fresh => {}
            Claim::Replay { answer: Some(answer), .. } => return read(&answer),
            Claim::Replay { subject: Some(subject), .. } => return again(subject).await,
            Claim::Replay { .. } | Claim::Running => return Err(in_progress()),
            Claim::Other => {
                return Err(Problem::new(Kind::KeyReused, "its first request had another body or path"));
            }
        }
        let done = work(caller).await;
        // What was done stands, also where it cannot be noted: the catalog knows by itself what was created.
        let noted = match &done {
            Ok(created) if kept => room.keep(&token.id, &key, &write(created)).await,
            Ok(_) => Ok(()),
            Err(_) => room.release(&token.id, &key).await,
        };
        if let Err(error) = noted {
            tracing::debug!(%error, "idempotency key not noted");
        }
        done
    }
}

fn in_progress() -> Problem {
    Problem::new(Kind::InProgress, "ask again when it is done").after(RUNNING)
}

fn write(created: &Created) -> String {
    serde_json::to_string(created).expect("an answer is JSON already")
}

fn read(answer: &str) -> Result<Created, Problem> {
    serde_json::from_str(answer).map_err(|error| {
        tracing::error!(%error, "a kept answer cannot be read");
        Problem::new(Kind::Broken, "this is a bug of the server; its log says more")
    })
}
