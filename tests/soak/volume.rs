//! A small file system of its own under a folder, by `mount`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::statvfs;

/// There until it is dropped.
pub struct Volume(PathBuf);

impl Volume {
    /// An empty one over what the folder shows. `None` where nobody may mount one: a test is skipped then, and says so.
    pub fn over(folder: &Path, options: &str) -> Option<Volume> {
        let mounted = mount(&["-t", "tmpfs", "-o", options, "tmpfs"], folder);
        if !mounted {
            eprintln!("skipped: this user may not mount a file system");
        }
        mounted.then(|| Volume(folder.to_owned()))
    }

    /// Leaves so many bytes free.
    pub fn leave(&self, free: u64) {
        let now = statvfs(&self.0).expect("a file system");
        let size = (now.f_blocks - now.f_bfree) * now.f_frsize + free;
        assert!(mount(&["-o", &format!("remount,size={size}")], &self.0), "{size} bytes");
    }
}

impl Drop for Volume {
    /// What has files open in it keeps them.
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(args: &[&str], folder: &Path) -> bool {
    let done = Command::new("mount").args(args).arg(folder).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}
