//! Ready-made settings for encoders: what is pasted works.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

/// Frames a second of the test pictures.
const FPS: u64 = 30;
/// Video bitrate of the test pictures and of what is recommended, in kilobits a second.
const KILOBITS: u64 = 2500;

/// Ready-made settings for encoders. They have the stream key in them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Encoders {
    /// OBS Studio.
    obs: Obs,
    /// A command that sends a test picture and a tone, to be pasted into a shell.
    ffmpeg: String,
    /// A command that sends a file with H.264 and AAC in it as it is; put its name for INPUT.
    ffmpeg_file: String,
    /// A command that sends a test picture and a tone, to be pasted into a shell.
    gstreamer: String,
}

/// Settings for OBS Studio.
#[derive(Serialize, ToSchema)]
struct Obs {
    /// What `service.json` of an OBS profile has in it.
    service: ObsService,
    /// What to choose in Settings, Output.
    output: ObsOutput,
}

/// `service.json` of an OBS profile.
#[derive(Serialize, ToSchema)]
struct ObsService {
    /// Always `rtmp_custom`.
    r#type: &'static str,
    /// Where to, and with which key.
    settings: ObsServer,
}

/// Where OBS sends to.
#[derive(Serialize, ToSchema)]
struct ObsServer {
    /// Server.
    server: String,
    /// Stream key.
    key: String,
    /// Whether to ignore that the service has bandwidth tests: no.
    bwtest: bool,
    /// Whether to log in: no, the key is enough.
    use_auth: bool,
}

/// Settings, Output of OBS, in the words of its configuration.
#[derive(Serialize, ToSchema)]
struct ObsOutput {
    /// Keyframe interval in seconds; it divides the segments.
    keyint_sec: u64,
    /// Rate control.
    rate_control: &'static str,
    /// Video bitrate, in kilobits a second.
    bitrate: u64,
    /// Profile of H.264.
    profile: &'static str,
    /// Audio bitrate, in kilobits a second.
    audio_bitrate: u64,
}

impl Encoders {
    /// For a server like `rtmp://example.org:1935/live`, a key, and the length of segments.
    pub(crate) fn new(server: &str, key: &str, segment: Duration) -> Encoders {
        let url = format!("{server}/{key}");
        let keyint = keyframe_interval(segment);
        Encoders {
            obs: Obs::new(server, key, keyint),
            ffmpeg: ffmpeg(&url, keyint),
            ffmpeg_file: format!("ffmpeg -re -i INPUT -c copy -f flv '{url}'"),
            gstreamer: gstreamer(&url, keyint),
        }
    }
}

impl Obs {
    fn new(server: &str, key: &str, keyint_sec: u64) -> Obs {
        let settings =
            ObsServer { server: server.to_owned(), key: key.to_owned(), bwtest: false, use_auth: false };
        Obs {
            service: ObsService { r#type: "rtmp_custom", settings },
            output: ObsOutput {
                keyint_sec,
                rate_control: "CBR",
                bitrate: KILOBITS,
                profile: "high",
                audio_bitrate: 128,
            },
        }
    }
}

/// The longest of one and two seconds that divides the segments.
fn keyframe_interval(segment: Duration) -> u64 {
    if segment.as_millis().is_multiple_of(2000) { 2 } else { 1 }
}

// Keys and hosts are made of letters, digits and -_.:[] alone, so that quotes are enough for a shell.
fn ffmpeg(url: &str, keyint: u64) -> String {
    let frames = keyint * FPS;
    format!(
        "ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate={FPS} -f lavfi -i sine=frequency=440:sample_rate=48000 \
         -c:v libx264 -preset veryfast -pix_fmt yuv420p -g {frames} -keyint_min {frames} -sc_threshold 0 \
         -b:v {KILOBITS}k -maxrate {KILOBITS}k -bufsize {KILOBITS}k -c:a aac -b:a 128k -ac 2 -f flv '{url}'"
    )
}

// Without a format videotestsrc and x264enc agree on 4:4:4, which no browser plays.
fn gstreamer(url: &str, keyint: u64) -> String {
    let frames = keyint * FPS;
    format!(
        "gst-launch-1.0 flvmux name=mux streamable=true ! rtmp2sink location='{url}' \
         videotestsrc is-live=true ! video/x-raw,format=I420,width=1280,height=720,framerate={FPS}/1 ! \
         x264enc bitrate={KILOBITS} key-int-max={frames} bframes=2 speed-preset=veryfast ! h264parse ! queue ! mux. \
         audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! avenc_aac bitrate=128000 ! \
         aacparse ! queue ! mux."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyframes_divide_segments() {
        let of = |millis| keyframe_interval(Duration::from_millis(millis));
        assert_eq!([of(1000), of(2000), of(3000), of(4000), of(2500)], [1, 2, 1, 2, 1]);
    }

    #[test]
    fn every_command_sends_to_the_key() {
        let encoders = Encoders::new("rtmp://example.org:1935/live", "k", Duration::from_secs(2));
        for command in [&encoders.ffmpeg, &encoders.ffmpeg_file, &encoders.gstreamer] {
            assert!(command.contains("'rtmp://example.org:1935/live/k'"), "{command}");
        }
        assert_eq!(encoders.obs.service.settings.server, "rtmp://example.org:1935/live");
    }
}
