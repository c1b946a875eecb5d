//! `headwater check`.

use std::net::SocketAddr;

use config::Config;

use crate::{cli, load};

/// Prints what a server would do with this configuration, or fails with everything that is wrong with it.
pub(crate) fn run(source: &cli::Source) -> anyhow::Result<()> {
    print!("{}", summary(&load::config(source)?));
    Ok(())
}

fn summary(config: &Config) -> String {
    let listener = |name: &str, enabled: bool, listen: SocketAddr| match enabled {
        true => format!("{name} listens on {listen}\n"),
        false => format!("{name} is off\n"),
    };
    let http = listener("http", config.http.enabled, config.http.listen);
    let rtmp = listener("rtmp", config.rtmp.enabled, config.rtmp.listen);
    let srt = listener("srt", config.srt.enabled, config.srt.listen);
    let data = config.storage.data.display();
    let catalog = match config.database.url {
        Some(_) => "a PostgreSQL database".to_owned(),
        None => config.storage.data.join(catalog::database::FILE).display().to_string(),
    };
    let streams = config.streams.len();
    format!(
        "ok\n{http}{rtmp}{srt}data in {data}\ncatalog in {catalog}\nlive entries of the configuration: {streams}\n"
    )
}
