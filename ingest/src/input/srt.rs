//! SRT listeners that are called.

use std::time::Duration;

use address::input::Srt;
use srt::{ConnectError, Connection, Disconnected, KeyLength, Options, Passphrase};
use stream::{Ended, Protocol};
use tokio::time::{Instant, interval, sleep_until};

use super::connect::addresses;
use super::feed::Feed;
use super::task::{End, Task};
use crate::srt::link;

/// How often statistics are read.
const MEASURE: Duration = Duration::from_secs(1);
/// The least that a connection is tried for, however long others took before it.
const LEAST: Duration = Duration::from_millis(500);

/// Calls, and takes what comes until it ends.
pub(super) async fn call(task: &Task, srt: &Srt) -> End {
    let until = Instant::now() + task.shared.settings.connect_timeout;
    let addresses = match addresses(task, &srt.host, until).await {
        Ok(addresses) => addresses,
        Err(why) => return End::Failed(why),
    };
    let mut why = String::new();
    for address in addresses {
        let left = until.saturating_duration_since(Instant::now()).max(LEAST);
        let options = match options(srt, left) {
            Ok(options) => options,
            Err(why) => return End::Failed(why),
        };
        match srt::connect(address, &options).await {
            Ok(connection) => return take(task, connection).await,
            Err(error @ ConnectError::Rejected(_)) => return End::Failed(format!("{address}: {error}")),
            Err(error) => why = format!("{address}: {error}"),
        }
        if Instant::now() >= until {
            break;
        }
    }
    End::Failed(why)
}

fn options(srt: &Srt, timeout: Duration) -> Result<Options, String> {
    let passphrase = srt.passphrase.as_deref().map(Passphrase::parse).transpose();
    let mut options = Options {
        stream_id: srt.stream_id.clone().unwrap_or_default(),
        passphrase: passphrase.map_err(|error| format!("the passphrase cannot be used: {error}"))?,
        timeout,
        ..Options::default()
    };
    let length = srt.key_length.and_then(|bytes| KeyLength::of_bytes(u8::try_from(bytes).ok()?));
    options.key_length = length.unwrap_or_default();
    options.settings.latency = srt.latency.unwrap_or(options.settings.latency);
    Ok(options)
}

/// What happens next on a connection.
enum Next {
    Message(Result<usize, Disconnected>),
    Ended(Ended),
    Measure,
    Silent,
}

async fn take(task: &Task, connection: Connection) -> End {
    let (peer, idle) = (connection.peer(), task.shared.settings.idle);
    task.wait_for(format!("connected to {peer}, which sends nothing yet"));
    let mut feed = Feed::new(task, Protocol::Srt, peer);
    let mut buffer = [0; srt::MAX_PAYLOAD];
    let mut measure = interval(MEASURE);
    let mut heard = Instant::now();
    let (end, whole) = loop {
        let next = tokio::select! {
            biased;
            ended = feed.ended() => Next::Ended(ended),
            message = connection.recv(&mut buffer) => Next::Message(message),
            _ = measure.tick() => Next::Measure,
            () = sleep_until(heard + idle) => Next::Silent,
        };
        match next {
            Next::Message(Ok(length)) => {
                heard = Instant::now();
                if let Err(end) = feed.push(&buffer[..length]).await {
                    break (end, false);
                }
            }
            Next::Message(Err(over)) => {
                break (End::Failed(over.to_string()), over == Disconnected::ByPeer);
            }
            Next::Ended(ended) => break (End::Ended(ended), false),
            Next::Measure => feed.measured(link(&connection.stats())),
            Next::Silent => {
                break (End::Failed(format!("nothing came from {peer} for {} s", idle.as_secs_f64())), false);
            }
        }
    };
    feed.measured(link(&connection.stats()));
    feed.finish(whole, &end.farewell()).await;
    connection.close().await;
    end
}
