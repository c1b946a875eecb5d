//! `headwater check`.

use std::net::SocketAddr;

use anyhow::bail;
use config::Config;

use crate::{certificate, cli, load};

/// Prints what a server would do with this configuration, or fails with everything that is wrong with it.
pub(crate) fn run(source: &cli::Source) -> anyhow::Result<()> {
    let config = load::config(source)?;
    let wrong = certificate::wrong(&config);
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    print!("{}", summary(&config));
    Ok(())
}

fn summary(config: &Config) -> String {
    let listener = |name: &str, enabled: bool, listen: SocketAddr| match enabled {
        true => format!("{name} listens on {listen}\n"),
        false => format!("{name} is off\n"),
    };
    let http = listener("http", config.http.enabled, config.http.listen);
    let rtmp = listener("rtmp", config.rtmp.enabled, config.rtmp.listen);
    let over_tls = |name, enabled, listen| match config.tls.configured() {
        true => listener(name, enabled, listen),
        false => String::new(),
    };
    let https = over_tls("https", config.https.enabled, config.https.listen);
    let rtmps = over_tls("rtmps", config.rtmps.enabled, config.rtmps.listen);
    let srt = listener("srt", config.srt.enabled, config.srt.listen);
    let data = config.storage.data.display();
    let catalog = match config.database.url {
        Some(_) => "a PostgreSQL database".to_owned(),
        None => config.storage.data.join(catalog::database::FILE).display().to_string(),
    };
    let streams = config.streams.len();
    format!(
        "ok\n{http}{https}{rtmp}{rtmps}{srt}data in {data}\ncatalog in {catalog}\nlive entries of the configuration: {streams}\n"
    )
}
