//! From the end of a stream to the whole of it on demand, under the URLs that were live.
//!
//! The clock runs from before the call of the API until an answer has been read that says that nothing more comes and
//! that has the whole show in it; the viewer asks again at once.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::Instant;

use crate::fleet::one_thread;
use crate::http::{Client, api_request, get_with, request};
use crate::playlist;
use crate::publisher::{Publisher, Writes};
use crate::script::Script;

/// What is not on demand by then never will be.
const PATIENCE: Duration = Duration::from_secs(10);
/// The beginning and the end of a show that a manifest may lack: a GOP at each end.
const EDGES: u32 = 2;

/// A server, and who may do everything there.
pub struct Place {
    /// HOST:PORT of its HTTP listener.
    pub http: String,
    /// HOST:PORT of its RTMP listener.
    pub rtmp: String,
    /// An administrator's.
    pub token: String,
}

/// How long it took until the last of it was there.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// In the media playlist of the video that the multivariant playlist names.
    pub hls: Duration,
    /// In the MPD.
    pub dash: Duration,
}

/// Publishes for so long, and ends it.
pub fn measure(place: &Place, script: &Arc<Script>, show: Duration) -> anyhow::Result<Found> {
    one_thread()?.block_on(async {
        let created = place.call("POST", "/live", Some(r#"{"name": "a show"}"#), 201).await?;
        let id = text(&created, "\"id\":").context("no id")?;
        let keys = created.split_once("\"keys\":").context("no keys")?.1;
        let key = text(keys, "\"primary\":").context("no key")?;
        let publishing = tokio::spawn(publish(place.rtmp.clone(), key.to_owned(), script.clone()));
        tokio::time::sleep(show).await;
        ensure!(!publishing.is_finished(), "the publisher ended: {:?}", publishing.await);
        let begin = Instant::now();
        place.call("POST", &format!("/live/{id}/end"), None, 200).await?;
        let least = show.saturating_sub(script.gop() * EDGES);
        let hls = async {
            let path = format!("/play/{id}/master.m3u8");
            let segments = (least.as_secs_f64() / script.gop().as_secs_f64()) as usize;
            let whole = |body: &str| playlist::segments(body).count() >= segments;
            place.until(&path, begin, |body| body.contains("#EXT-X-ENDLIST") && whole(body)).await
        };
        let dash = async {
            let path = format!("/play/{id}/manifest.mpd");
            let whole = |body: &str| length(body).is_some_and(|length| length >= least);
            place.until(&path, begin, |body| body.contains("type=\"static\"") && whole(body)).await
        };
        let (hls, dash) = tokio::try_join!(hls, dash)?;
        publishing.abort();
        Ok(Found { hls, dash })
    })
}

impl Place {
    async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        status: u16,
    ) -> anyhow::Result<String> {
        let mut client = Client::connect(&self.http).await?;
        let mut answer = Vec::new();
        let request = api_request(&self.http, &self.token, method, path, body);
        let said = client.send(&request, |bytes| answer.extend_from_slice(bytes)).await?;
        let answer = String::from_utf8(answer)?;
        ensure!(said.status == status, "{method} {path}: {} {answer}", said.status);
        Ok(answer)
    }

    async fn until(
        &self,
        path: &str,
        begin: Instant,
        is_so: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Duration> {
        loop {
            let body = self.read(path).await;
            let taken = begin.elapsed();
            if body.as_ref().is_ok_and(|body| is_so(body)) {
                return Ok(taken);
            }
            ensure!(
                taken < PATIENCE,
                "{path} is not on demand after {PATIENCE:?}: {:?}",
                body.map(|it| it.len())
            );
        }
    }
}

impl Place {
    /// A manifest; in place of a multivariant playlist that of the video which it names.
    async fn read(&self, path: &str) -> anyhow::Result<String> {
        let get = async |path: &str| get_with(&self.http, &request(&self.http, path, None)).await;
        let manifest = String::from_utf8(get(path).await?)?;
        let Some(folder) = path.strip_suffix("master.m3u8") else { return Ok(manifest) };
        let video = manifest.lines().find(|line| line.starts_with("video-1.m3u8"));
        let video = video.with_context(|| format!("{path} names no video"))?;
        Ok(String::from_utf8(get(&format!("{folder}{video}")).await?)?)
    }
}

async fn publish(rtmp: String, key: String, script: Arc<Script>) -> anyhow::Result<()> {
    let mut publisher = Publisher::connect(&rtmp, "live", &key, script.clone(), Writes::Message).await?;
    let mut begin = Instant::now();
    loop {
        for (index, message) in script.messages.iter().enumerate() {
            publisher.rest(begin + Duration::from_millis(message.at.into())).await?;
            publisher.send(index).await?;
        }
        begin += Duration::from_millis(script.millis.into());
    }
}

/// The text that follows a name.
fn text<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    json.split_once(name)?.1.split('"').nth(1)
}

/// `mediaPresentationDuration`, which is written in seconds, with minutes and hours before them.
fn length(mpd: &str) -> Option<Duration> {
    let text = mpd.split_once("mediaPresentationDuration=\"PT")?.1.split('"').next()?;
    let mut seconds = 0.0;
    let mut digits = String::new();
    for letter in text.chars() {
        let unit = match letter {
            'H' => 3600.0,
            'M' => 60.0,
            'S' => 1.0,
            digit => {
                digits.push(digit);
                continue;
            }
        };
        seconds += digits.parse::<f64>().ok()? * unit;
        digits.clear();
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_with_and_without_hours() {
        let mpd = |text: &str| format!("<MPD type=\"static\" mediaPresentationDuration=\"{text}\">");
        assert_eq!(length(&mpd("PT12.5S")), Some(Duration::from_millis(12_500)));
        assert_eq!(length(&mpd("PT1H2M3S")), Some(Duration::from_secs(3723)));
        assert_eq!(length("<MPD type=\"dynamic\">"), None);
        assert_eq!(text(r#"{"id": "0_a", "x": 1}"#, "\"id\":"), Some("0_a"));
    }
}
