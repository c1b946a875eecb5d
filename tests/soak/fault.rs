//! Calls to the kernel that fail, or take their time, by strace: of a server that runs, for some of its files.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::Server;
use crate::support::wait::within;

/// What makes written bytes safe.
pub const SYNC: &str = "fsync,fdatasync";
/// What puts a file in the place of another.
pub const RENAME: &str = "rename,renameat,renameat2";

/// Calls of a server fail as long as this is there.
pub struct Fault(Child);

impl Fault {
    /// What happens to `calls` (names, by commas) about one of `paths`: `error=EIO`, or `delay_enter=2s`. Every call of
    /// these names, where there is no path.
    ///
    /// `None` where one process may not trace another: a test is skipped then, and says so.
    pub fn inject(server: &Server, calls: &str, what: &str, paths: &[PathBuf]) -> Option<Fault> {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-p", &server.pid().to_string()]);
        paths.iter().for_each(|path| {
            strace.arg("-P").arg(path);
        });
        strace.arg("-e").arg(format!("trace={calls}")).arg("-e").arg(format!("inject={calls}:{what}"));
        strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = strace.spawn().inspect_err(|error| eprintln!("skipped: strace: {error}")).ok()?;
        let stands = within(10, "strace has the server", || match child.try_wait() {
            Ok(None) => is_traced(server).then_some(true),
            _ => Some(false),
        });
        if !stands {
            eprintln!("skipped: strace may not trace a process of its own user");
        }
        stands.then_some(Fault(child))
    }

    /// Calls go through again.
    pub fn over(self) {
        drop(self);
    }
}

impl Drop for Fault {
    /// Asked to end it lets the server go; killed it would leave calls as they are.
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Whether every thread of a server is.
fn is_traced(server: &Server) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{}/task", server.pid())) else { return false };
    tasks.filter_map(Result::ok).all(|task| {
        // A thread may have ended since.
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        !status.contains("TracerPid:\t0\n")
    })
}
