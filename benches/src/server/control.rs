//! Headwater for its control API: no listener but HTTP, rate limits out of the way, one database or the other, on a
//! real disk.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::http::api_request;

/// Starts PostgreSQL of the distribution in a folder, says so, and stops it when its standard input ends.
const POSTGRES: &str = r#"
"$1/initdb" -D "$2/data" -U headwater -A trust -E UTF8 >"$2/log" 2>&1 || { cat "$2/log"; exit 1; }
"$1/pg_ctl" start -w -s -D "$2/data" -l "$2/log" -o "-k $2 -c listen_addresses=" || { cat "$2/log"; exit 1; }
echo ready
read -r _
"$1/pg_ctl" stop -s -m immediate -D "$2/data"
"#;

/// Which database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Database {
    /// The embedded one.
    Sqlite,
    /// A server of the distribution, with its own settings.
    Postgres,
}

/// A running server; killed when dropped.
pub struct Control {
    child: Child,
    _folder: TempDir,
    _postgres: Option<Postgres>,
    http: String,
    token: String,
}

struct Postgres {
    folder: TempDir,
    keeper: Child,
    life: Option<ChildStdin>,
}

impl Control {
    /// Starts `binary` on an empty database.
    pub fn start(binary: &Path, database: Database) -> anyhow::Result<Control> {
        let folder = tempfile::tempdir()?;
        let postgres = (database == Database::Postgres).then(Postgres::start).transpose()?;
        let mut command = Command::new(fs::canonicalize(binary)?);
        command.current_dir(folder.path()).args(["serve", "--data", "data"]);
        command.env("HEADWATER_HTTP__LISTEN", "127.0.0.1:0").env("HEADWATER_RTMP__ENABLED", "false");
        command.env("HEADWATER_AUTH__RATE", "10000").env("HEADWATER_AUTH__BURST", "100000");
        if let Some(postgres) = &postgres {
            command.env("HEADWATER_DATABASE__URL", postgres.url());
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(folder.path().join("log"))?);
        let mut child = command.spawn().context("cannot run headwater")?;
        let mut ready = String::new();
        BufReader::new(child.stdout.take().context("stdout is piped")?).read_line(&mut ready)?;
        let http = ready.split_whitespace().find_map(|word| word.strip_prefix("http="));
        let Some(http) = http.map(str::to_owned) else {
            bail!("headwater did not start:\n{}", fs::read_to_string(folder.path().join("log"))?);
        };
        let token = fs::read_to_string(folder.path().join("data/admin-token"))?.trim().to_owned();
        Ok(Control { child, _folder: folder, _postgres: postgres, http, token })
    }

    /// HOST:PORT.
    pub fn http(&self) -> &str {
        &self.http
    }

    /// A request as it goes out; with a JSON body where there is one.
    pub fn request(&self, method: &str, path: &str, body: Option<&str>) -> Vec<u8> {
        api_request(&self.http, &self.token, method, path, body)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Postgres {
    fn start() -> anyhow::Result<Postgres> {
        let folder = tempfile::Builder::new().prefix("bench-pg").tempdir()?;
        let mut command = Command::new("sh");
        // It refuses to be root, and root is who runs benchmarks in a container.
        if folder.path().metadata()?.uid() == 0 {
            fs::set_permissions(folder.path(), Permissions::from_mode(0o777))?;
            command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh"]);
        }
        command.args(["-c", POSTGRES, "sh"]).arg(programs()?).arg(folder.path()).current_dir("/");
        let mut keeper =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no PostgreSQL")?;
        let life = keeper.stdin.take();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().context("stdout is piped")?).read_line(&mut line)?;
        anyhow::ensure!(line.trim() == "ready", "PostgreSQL did not start: {line}");
        Ok(Postgres { folder, keeper, life })
    }

    fn url(&self) -> String {
        format!("postgres://headwater@localhost/postgres?host={}", self.folder.path().display())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.life.take());
        let _ = self.keeper.wait();
    }
}

fn programs() -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest =
        versions.max_by_key(|it| it.file_name().to_string_lossy().parse::<u32>().unwrap_or_default());
    newest.map(|it| it.path().join("bin")).context("PostgreSQL is not installed: run scripts/setup --tests")
}
