//! `headwater token create`.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use catalog::{AccountId, Caller, Catalog, NewToken, Role, Scope};
use config::Config;

use crate::{cli, load, tenancy};

/// Prints a new API token. It goes to the database itself, so it works beside a running server and without one.
pub(crate) fn create(flags: &cli::CreateToken) -> anyhow::Result<()> {
    let mut config = load::config(&flags.source)?;
    if let Some(data) = &flags.data {
        config.storage.data.clone_from(data);
    }
    is_there(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let catalog = tenancy::open(&config, &config.storage.data).await?;
        println!("{}", token(&catalog, flags).await?);
        Ok(())
    })
}

/// A token for a database that no server uses would help nobody.
fn is_there(config: &Config) -> anyhow::Result<()> {
    let data: &Path = &config.storage.data;
    if config.database.url.is_none() && !data.join(catalog::database::FILE).exists() {
        bail!(
            "storage.data: there is no catalog in {}: start the server once, or say --data",
            data.display()
        );
    }
    Ok(())
}

async fn token(catalog: &Catalog, flags: &cli::CreateToken) -> anyhow::Result<String> {
    let (role, scope) = (role(flags.role), scope(catalog, flags.account.as_deref()).await?);
    let new = NewToken { role, scope, name: flags.name.clone(), expires: None };
    let (_, secret) = catalog.tokens().create(&Caller::server(), new).await?;
    Ok(secret.expose().to_owned())
}

async fn scope(catalog: &Catalog, account: Option<&str>) -> anyhow::Result<Scope> {
    let Some(account) = account else { return Ok(Scope::All) };
    let id =
        AccountId::parse(account).ok_or_else(|| anyhow!("--account: {account:?} is not an account id"))?;
    catalog.accounts().get(&Scope::All, &id).await.context("--account")?;
    Ok(Scope::Account(id))
}

fn role(role: cli::Role) -> Role {
    match role {
        cli::Role::Admin => Role::Admin,
        cli::Role::Producer => Role::Producer,
        cli::Role::Viewer => Role::Viewer,
    }
}
