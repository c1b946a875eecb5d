//! The catalog: opened at start, with an API token for whoever set the server up.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use catalog::{Caller, Catalog, Database, NewToken, Paging, Role, Scope, Secret};
use config::Config;

/// The file in the data directory with the first token.
pub(crate) const ADMIN_TOKEN: &str = "admin-token";

/// Opens the database that the configuration names, or the one in the data directory.
pub(crate) async fn open(config: &Config, data: &Path) -> anyhow::Result<Catalog> {
    let database = match &config.database.url {
        Some(url) => Database::postgres(Secret::new(url.expose())),
        None => Database::embedded(data),
    };
    Catalog::open(&database).await.context("database: cannot be opened")
}

/// On the first start: a token that may do everything, in a file that only the server's user can read.
pub(crate) async fn first_token(catalog: &Catalog, data: &Path) -> anyhow::Result<()> {
    let one = Paging { limit: Some(1), cursor: None };
    if !catalog.tokens().list(&Scope::All, &one).await?.items.is_empty() {
        return Ok(());
    }
    let new =
        NewToken { role: Role::Admin, scope: Scope::All, name: "first start".to_owned(), expires: None };
    let (token, secret) = catalog.tokens().create(&Caller::server(), new).await?;
    let file = data.join(ADMIN_TOKEN);
    write(&file, &secret).with_context(|| format!("storage.data: cannot write {}", file.display()))?;
    tracing::info!(file = %file.display(), token = %token.id, "first start: an API token with the role admin is in this file");
    Ok(())
}

/// Whole or not at all, and never readable by others.
fn write(file: &Path, secret: &Secret) -> std::io::Result<()> {
    let draft = file.with_extension("new");
    let mut open = OpenOptions::new();
    let mut out = open.create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    writeln!(out, "{}", secret.expose())?;
    out.sync_all()?;
    fs::rename(draft, file)
}
