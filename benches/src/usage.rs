//! What processes have used.

use std::fs;
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// A process and its children, for as long as none of them ends or begins.
#[derive(PartialEq, Eq)]
pub struct Family(Vec<u32>);

impl Family {
    /// The process `id` and its children as they are now.
    pub fn of(id: u32) -> anyhow::Result<Family> {
        let mut children = Vec::new();
        for entry in fs::read_dir("/proc")?.filter_map(Result::ok) {
            let other = entry.file_name().to_str().and_then(|name| name.parse().ok());
            children.extend(other.filter(|other| parent(*other) == Some(id)));
        }
        children.sort_unstable();
        children.insert(0, id);
        Ok(Family(children))
    }

    /// How many processes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// CPU time of all threads, those that ended too: user and system.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        self.check()?;
        self.0.iter().map(|id| cpu(*id)).sum()
    }

    /// Resident bytes, what is shared with other processes in proportion (PSS).
    pub fn memory(&self) -> anyhow::Result<u64> {
        self.check()?;
        self.0.iter().map(|id| memory(*id)).sum()
    }

    /// A process that is not known would work for nothing, and no figure would show it.
    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            *self == Family::of(self.0[0])?,
            "the processes of a server are not those that it began with"
        );
        Ok(())
    }
}

/// The kernel's own count in nanoseconds; /proc/PID/stat has it in hundredths of a second only.
fn cpu(id: u32) -> anyhow::Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(id.cast_signed())).context("a server has ended")?;
    Ok(clock_gettime(clock)?.into())
}

fn memory(id: u32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).context("a server has ended")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss in smaps_rollup")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().context("Pss is no number")?;
    Ok(kilobytes << 10)
}

/// The fourth field of /proc/PID/stat, counted after the name, which may hold anything.
fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::process::{Child, Command};

    #[test]
    fn a_process_that_began_unnoticed_is_an_error_and_not_a_zero() {
        let family = Family::of(std::process::id()).expect("this process");
        assert!(family.cpu().expect("as it was") > Duration::ZERO && family.memory().expect("as it was") > 0);
        let child = Guard(Command::new("sleep").arg("60").spawn().expect("sleep runs"));
        assert!(family.cpu().is_err() && family.memory().is_err());
        let both = Family::of(std::process::id()).expect("this process");
        assert!(both.len() == family.len() + 1 && both.cpu().is_ok());
        drop(child);
        assert!(both.cpu().is_err());
    }

    struct Guard(Child);

    impl Drop for Guard {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
