//! Files that change under a running server.
//!
//! What is looked at are the contents: a renewal may leave times as they were, or change links and no file. The two
//! files are not replaced at one moment, so that a pair that is broken has another look until somebody is alarmed.

use std::time::Duration;

use tls::{Identity, Pair};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::files::{Contents, Files};
use super::metrics::Metrics;
use super::now;

pub(super) struct Watch {
    files: Files,
    identity: Identity,
    metrics: Metrics,
    state: State,
}

/// What was seen of the files.
struct State {
    /// What is served.
    served: Contents,
    /// What is refused, and whether that was said.
    refused: Option<(Contents, bool)>,
}

/// What comes of a look.
enum Look {
    /// Nothing new.
    Settled,
    /// A new pair.
    Replace(Pair),
    /// A pair that is broken, for now.
    Doubt,
    /// One that stays broken: everything that is wrong with it.
    Refuse(Vec<String>),
}

impl Watch {
    pub(super) fn new(files: Files, served: Contents, identity: Identity, metrics: Metrics) -> Watch {
        Watch { files, identity, metrics, state: State { served, refused: None } }
    }

    /// Looks every `pause` and on SIGHUP.
    pub(super) async fn run(mut self, pause: Duration) {
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => Some(hangup),
            Err(error) => {
                tracing::warn!(%error, "SIGHUP is not heard");
                None
            }
        };
        let mut looks = interval(pause);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            let asked = tokio::select! {
                _ = looks.tick() => false,
                _ = asked => true,
            };
            let files = self.files.clone();
            // A panic while reading would be a bug; the next look is another chance.
            let Ok(contents) = spawn_blocking(move || files.read()).await else { continue };
            let look = self.state.look(&self.files, contents, asked, now());
            self.act(look, asked);
        }
    }

    fn act(&self, look: Look, asked: bool) {
        match look {
            Look::Settled => {
                self.metrics.settled();
                if asked {
                    tracing::info!("TLS certificate: the files have what is served");
                }
            }
            Look::Replace(pair) => {
                self.identity.replace(&pair);
                self.metrics.replaced(&pair);
                tracing::info!(names = pair.names().join(", "), "TLS certificate replaced");
            }
            Look::Doubt => {}
            Look::Refuse(wrong) => {
                self.metrics.refused();
                tracing::error!("TLS certificate not replaced, the old one stays: {}", wrong.join("; "));
            }
        }
    }
}

impl State {
    /// `asked` where somebody says that the files are ready.
    fn look(&mut self, files: &Files, contents: Contents, asked: bool, now: i64) -> Look {
        if contents == self.served {
            self.refused = None;
            return Look::Settled;
        }
        let again = self.refused.take().filter(|(refused, _)| *refused == contents);
        if let Some((_, true)) = again
            && !asked
        {
            self.refused = again;
            return Look::Doubt;
        }
        let judged = files.judge(&contents, now);
        match judged.pair.filter(|_| judged.wrong.is_empty()) {
            Some(pair) => {
                self.served = contents;
                Look::Replace(pair)
            }
            None => {
                let say = asked || again.is_some();
                self.refused = Some((contents, say));
                if say { Look::Refuse(judged.wrong) } else { Look::Doubt }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::self_signed;
    use super::*;

    struct Stage {
        folder: tempfile::TempDir,
        files: Files,
        state: State,
    }

    /// A pair in the files, with which the server began.
    fn stage() -> Stage {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let (certificate, key) = (path("certificate.pem"), path("key.pem"));
        write(folder.path(), "a", &["certificate.pem", "key.pem"]);
        let config = config::Tls { certificate: Some(certificate), key: Some(key), ..config::Tls::default() };
        let files = Files::of(&config).expect("both are set");
        let state = State { served: files.read(), refused: None };
        Stage { folder, files, state }
    }

    fn write(folder: &Path, name: &str, which: &[&str]) {
        let (certificate, key) = self_signed::made(&[name.to_owned()], now()).expect("a pair");
        for (file, text) in [("certificate.pem", certificate), ("key.pem", key)] {
            if which.contains(&file) {
                fs::write(folder.join(file), text).expect("a file");
            }
        }
    }

    impl Stage {
        fn look(&mut self, asked: bool) -> &'static str {
            self.look_at(asked, now())
        }

        fn look_at(&mut self, asked: bool, now: i64) -> &'static str {
            match self.state.look(&self.files, self.files.read(), asked, now) {
                Look::Settled => "settled",
                Look::Replace(_) => "replace",
                Look::Doubt => "doubt",
                Look::Refuse(_) => "refuse",
            }
        }
    }

    #[test]
    fn a_new_pair_is_taken_up_and_one_half_of_it_waited_for() {
        let mut stage = stage();
        assert_eq!(stage.look(false), "settled");
        write(stage.folder.path(), "b", &["certificate.pem", "key.pem"]);
        assert_eq!([stage.look(false), stage.look(false)], ["replace", "settled"]);
        write(stage.folder.path(), "c", &["certificate.pem"]);
        assert_eq!(stage.look(false), "doubt", "the key may come");
        write(stage.folder.path(), "c", &["certificate.pem", "key.pem"]);
        assert_eq!(stage.look(false), "replace");
    }

    #[test]
    fn a_pair_that_stays_broken_is_refused_once() {
        let mut stage = stage();
        fs::remove_file(stage.folder.path().join("key.pem")).expect("it was there");
        assert_eq!([(); 4].map(|()| stage.look(false)), ["doubt", "refuse", "doubt", "doubt"]);
        assert_eq!(stage.look(true), "refuse", "whoever asks is told again");
        write(stage.folder.path(), "d", &["certificate.pem", "key.pem"]);
        assert_eq!(stage.look(false), "replace");
        fs::write(stage.folder.path().join("certificate.pem"), "no PEM").expect("a file");
        assert_eq!(stage.look(true), "refuse", "asked for, there is nothing to wait for");
    }

    #[test]
    fn a_pair_whose_time_is_over_does_not_replace_one_whose_time_it_is() {
        let mut stage = stage();
        write(stage.folder.path(), "b", &["certificate.pem", "key.pem"]);
        assert_eq!(stage.look_at(true, now() + 10 * 366 * 86_400), "refuse");
        assert_eq!(stage.look(true), "replace");
    }
}
