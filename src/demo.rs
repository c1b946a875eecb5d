//! `headwater demo`: the server on this machine alone, with a test picture on air.
//!
//! The picture comes from the system's ffmpeg over real RTMP, as from any encoder. Nothing is recorded: the data
//! directory is a temporary one.

mod encoder;

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use config::{Config, RecorderMode};
use stream::{Directory, Found, Source, Viewer};
use tokio_util::sync::CancellationToken;

use crate::data::DataDir;
use crate::serve::{self, Standing};
use crate::tenancy::ADMIN_TOKEN;
use crate::{load, log};
use encoder::Encoder;

const CONFIG: &str = include_str!("demo/demo.toml");
/// The entry with the test picture, and its key.
const ENTRY: &str = "demo";
/// Between looks at whether the picture is there.
const LOOK: Duration = Duration::from_millis(100);

/// Runs until SIGTERM or Ctrl-C.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut config = load::text("demo", CONFIG)?;
    config.recorder.mode = RecorderMode::Off;
    log::start(&config.log)?;
    give_way(&mut config);
    let folder = tempfile::Builder::new().prefix("headwater-demo-").tempdir()?;
    let data = DataDir::open(folder.path())?;
    serve::until_stopped(&config, &data, async |standing, directory, stop| {
        // A server that has nobody to tell where it is still is one.
        let _ = welcome(&standing, &data.path().join(ADMIN_TOKEN));
        stop_or(&stop, picture(&standing, &directory)).await;
    })
}

/// A port that somebody else has is no reason not to show something.
fn give_way(config: &mut Config) {
    let tcp = |address: SocketAddr| TcpListener::bind(address).map(drop);
    let udp = |address: SocketAddr| UdpSocket::bind(address).map(drop);
    for (name, address, bound) in [
        ("HTTP", &mut config.http.listen, tcp as fn(SocketAddr) -> io::Result<()>),
        ("RTMP", &mut config.rtmp.listen, tcp),
        ("SRT", &mut config.srt.listen, udp),
    ] {
        if let Err(error) = bound(*address)
            && error.kind() == ErrorKind::AddrInUse
        {
            say(&format!("  Port {} is in use: {name} gets a free one.", address.port()));
            address.set_port(0);
        }
    }
}

fn welcome(standing: &Standing, token: &Path) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (http, rtmp) = (reachable(standing.http), reachable(standing.rtmp));
    writeln!(out)?;
    writeln!(out, "  Watch    http://{http}/watch/{ENTRY}")?;
    writeln!(out)?;
    writeln!(out, "  Embed    http://{http}/embed/{ENTRY}")?;
    writeln!(out, "  HLS      http://{http}/play/{ENTRY}/master.m3u8")?;
    writeln!(out, "  DASH     http://{http}/play/{ENTRY}/manifest.mpd")?;
    writeln!(out, "  API      http://{http}/api/docs, token in {}", token.display())?;
    writeln!(out, "  Metrics  http://{http}/metrics")?;
    writeln!(out)?;
    writeln!(out, "  Your own encoder: server rtmp://{rtmp}/live, stream key mine, keyframes every 2 s;")?;
    writeln!(out, "  it is then at     http://{http}/watch/mine")?;
    writeln!(out)?;
    writeln!(out, "  Only this machine reaches it. For others: HEADWATER_HTTP__LISTEN=0.0.0.0:8080")?;
    writeln!(out, "  Nothing is recorded. Ctrl-C stops it.")?;
    writeln!(out)
}

/// What a client on this machine calls an address.
fn reachable(address: Option<SocketAddr>) -> String {
    let Some(address) = address else { return "(off)".to_owned() };
    let ip = address.ip();
    let ip = if ip.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { ip };
    SocketAddr::new(ip, address.port()).to_string()
}

/// Publishes, and says when there is something to see.
async fn picture(standing: &Standing, directory: &Directory) {
    say("  Starting the test picture …");
    let encoder = match Encoder::find().await {
        Ok(encoder) => encoder,
        Err(missing) => {
            say(&format!("  No test picture: {missing}. Publish with an encoder of your own."));
            return std::future::pending().await;
        }
    };
    let begun = Instant::now();
    let url = format!("rtmp://{}/live/{ENTRY}", reachable(standing.rtmp));
    let publish = encoder.publish(&url, |words| say(&format!("  ffmpeg ended, starting it again: {words}")));
    let appear = async {
        moving(directory).await;
        let seconds = begun.elapsed().as_secs_f32();
        let http = reachable(standing.http);
        say(&format!("  On air after {seconds:.1} s: open http://{http}/watch/{ENTRY}"));
    };
    tokio::join!(publish, appear);
}

async fn moving(directory: &Directory) {
    while !matches!(directory.find(ENTRY, None, Viewer::Public), Found::View(_)) {
        tokio::time::sleep(LOOK).await;
    }
}

async fn stop_or(stop: &CancellationToken, work: impl Future<Output = ()>) {
    // Stopped or not makes no difference to who waits for it.
    let _ = stop.run_until_cancelled(work).await;
}

fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
