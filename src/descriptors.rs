//! Open files: each connection is one, and the usual limit of a shell is 1024.

use config::Config;

/// What the process needs beside its connections.
const SPARE: u64 = 256;

/// Raises the limit of this process as far as it may, and says so where that is not enough.
pub(crate) fn raise(config: &Config) {
    let connections = config.http.max_connections + config.rtmp.max_connections;
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(SPARE);
    match rlimit::increase_nofile_limit(wanted) {
        Ok(limit) if limit >= wanted => {}
        Ok(limit) => {
            tracing::warn!(limit, wanted, "fewer open files than http and rtmp max_connections may need")
        }
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}
