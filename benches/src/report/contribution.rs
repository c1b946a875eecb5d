//! What a stream costs by the protocol that brings it, pushed by ffmpeg as an encoder would push it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::{Bench, WINDOW, median, say};
use crate::fleet::one_thread;
use crate::http::get;
use crate::input;
use crate::server::{Headwater, NOT_RECORDED, Server};
use crate::table::Table;

/// Streams at once.
const STREAMS: usize = 5;
/// Until all are on air and their windows are full.
const WARM_UP: Duration = Duration::from_secs(20);

/// How a stream comes in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rtmp,
    Srt,
}

impl By {
    const ALL: [By; 2] = [By::Rtmp, By::Srt];

    fn name(self) -> &'static str {
        match self {
            By::Rtmp => "RTMP",
            By::Srt => "SRT, MPEG-TS",
        }
    }
}

/// An encoder; killed when dropped.
struct Encoder(Child);

impl Drop for Encoder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    let mut costs = By::ALL.map(|_| Vec::new());
    for round in 1..=bench.plan.rounds {
        for (by, costs) in By::ALL.into_iter().zip(&mut costs) {
            let cost = cost(bench, by)?;
            say(format!("contribution, round {round}: {}: {cost:.3} CPU s per stream-minute", by.name()));
            costs.push(cost);
        }
    }
    let title = format!("{STREAMS} streams pushed by ffmpeg, packaged for HLS and DASH");
    let mut table = Table::new(title, &["protocol", "CPU s per stream-minute", "of RTMP"]);
    let of = |costs: &Vec<f64>| median(costs.iter().copied());
    let rtmp = of(&costs[0]);
    for (by, costs) in By::ALL.into_iter().zip(&costs) {
        let cost = of(costs);
        let ratio = format!("{:.0} %", cost / rtmp * 100.0);
        table.row(vec![by.name().to_owned(), format!("{cost:.3}"), ratio]);
    }
    Ok(vec![table])
}

/// CPU seconds per stream and minute. All streams have to be on air, or the figure would be of nothing.
fn cost(bench: &Bench, by: By) -> anyhow::Result<f64> {
    let settings = format!("packager.window = \"{WINDOW}\"\n{NOT_RECORDED}");
    let server =
        Headwater::set_up(&bench.binary, STREAMS, by.name().to_owned(), &settings, Path::new("/dev/shm"))?;
    let encoders: Vec<Encoder> =
        (0..STREAMS).map(|stream| push(&server, by, stream)).collect::<anyhow::Result<_>>()?;
    rest(WARM_UP)?;
    let (before, begin) = (server.family().cpu()?, std::time::Instant::now());
    rest(bench.plan.streams)?;
    let (cpu, minutes) = (server.family().cpu()? - before, begin.elapsed().as_secs_f64() / 60.0);
    for stream in 0..STREAMS {
        let body = one_thread()?.block_on(get(&server.http(), &server.playlist(stream)))?;
        let text = String::from_utf8_lossy(&body);
        ensure!(text.contains("#EXTINF"), "stream {stream} is not on air by {}", by.name());
    }
    drop(encoders);
    Ok(cpu.as_secs_f64() / minutes / STREAMS as f64)
}

fn rest(time: Duration) -> anyhow::Result<()> {
    one_thread()?.block_on(async { tokio::time::sleep(time).await });
    Ok(())
}

fn push(server: &Headwater, by: By, stream: usize) -> anyhow::Result<Encoder> {
    let key = format!("s{stream}");
    let (format, url) = match by {
        By::Rtmp => ("flv", format!("rtmp://{}/live/{key}", server.target().address)),
        By::Srt => ("mpegts", format!("srt://{}?streamid=publish:{key}&pkt_size=1316", server.srt())),
    };
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i"]);
    command.arg(input::file()?).args(["-c", "copy", "-f", format, &url]).stdin(Stdio::null());
    Ok(Encoder(command.spawn().context("cannot run ffmpeg")?))
}
