//! A PostgreSQL server of the distribution, for this process: in a temporary directory, on a socket there, as a user
//! without rights, gone when the process is gone, however it goes.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use catalog::Secret;
use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use sqlx::{Connection, Executor, PgConnection};

/// Who runs the server where root runs the tests: PostgreSQL refuses root.
const NOBODY: u32 = 65534;

/// Starts, says so, and waits until its standard input ends, which it does when the tests' process dies.
const SCRIPT: &str = r#"
"$1/initdb" -D "$2/data" -U headwater -A trust -E UTF8 --no-sync >"$2/log" 2>&1 || { cat "$2/log"; exit 1; }
"$1/pg_ctl" start -w -s -D "$2/data" -l "$2/log" -o "-k $2 -c listen_addresses= -c fsync=off -c max_connections=200" || { cat "$2/log"; exit 1; }
echo ready
read -r _
read -r pid <"$2/data/postmaster.pid" && kill -CONT "$pid" $(cat "/proc/$pid/task/$pid/children")
"$1/pg_ctl" stop -s -m immediate -D "$2/data"
rm -rf "$2"
"#;

/// A running server.
pub struct Server {
    directory: PathBuf,
    _keeper: Child,
    _life: ChildStdin,
}

impl Server {
    /// The one that the suite shares.
    pub fn shared() -> &'static Server {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Server::start)
    }

    /// One for a test that is going to be rude to it.
    pub fn start() -> Server {
        let directory = tempfile::Builder::new().prefix("headwater-pg").tempdir().unwrap().keep();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(programs()).arg(&directory).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        if directory.metadata().unwrap().uid() == 0 {
            chown(&directory, Some(NOBODY), Some(NOBODY)).unwrap();
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut keeper = command.spawn().unwrap();
        let mut output = BufReader::new(keeper.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        if line.trim() != "ready" {
            output.read_to_string(&mut line).unwrap();
            panic!("PostgreSQL did not start:\n{line}");
        }
        let life = keeper.stdin.take().unwrap();
        Server { directory, _keeper: keeper, _life: life }
    }

    /// The URL of a new empty database.
    pub async fn database(&self) -> Secret {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        connection.execute(create).await.unwrap();
        Secret::new(self.url(&name))
    }

    /// Sends a signal to the server and to its children, which serve the connections.
    pub fn signal(&self, signal: Signal) {
        let file = std::fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap();
        let postmaster = file.lines().next().unwrap();
        let children =
            std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap();
        let pids = [postmaster].into_iter().chain(children.split_whitespace());
        for pid in pids.map(|pid| pid.parse().ok().and_then(Pid::from_raw).unwrap()) {
            match rustix::process::kill_process(pid, signal) {
                // A child that ended by itself meanwhile.
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => panic!("{pid:?}: {error}"),
            }
        }
    }

    fn url(&self, name: &str) -> String {
        format!("postgres://headwater@localhost/{name}?host={}", self.directory.display())
    }
}

/// Where the distribution keeps the programs of its newest PostgreSQL.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest =
        versions.max_by_key(|it| it.file_name().to_string_lossy().parse::<u32>().unwrap_or_default());
    let folder = newest.map(|it| it.path().join("bin")).filter(|it| Path::exists(&it.join("initdb")));
    folder.expect("PostgreSQL is not installed: run scripts/setup --tests")
}
