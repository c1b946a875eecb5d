//! The file system of the machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};

use super::{Append, Files, Listed, Space};

/// Changes with every boot of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn boot(&self) -> Option<String> {
        fs::read_to_string(BOOT_ID).ok().map(|id| id.trim().to_owned())
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let about = entry.metadata()?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned).filter(|_| about.is_file()) else {
                continue;
            };
            files.push(Listed { name, len: about.len(), modified: micros(about.modified()?) });
        }
        Ok(files)
    }

    fn folders(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut folders = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_str().map(str::to_owned);
            folders.extend(name.filter(|_| entry.file_type().is_ok_and(|it| it.is_dir())));
        }
        Ok(folders)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Append>> {
        Ok(Box::new(OpenOptions::new().append(true).create(true).open(path)?))
    }

    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Bytes> {
        let file = File::open(path)?;
        let there = file.metadata()?.len().saturating_sub(offset);
        let len = usize::try_from(there).unwrap_or(usize::MAX).min(len);
        // Memory that is written next need not be cleared.
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let at = offset + bytes.len() as u64;
            match pread(&file, spare_capacity(&mut bytes), at) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        bytes.truncate(len);
        Ok(bytes.into())
    }

    fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.set_len(len)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        fs::remove_dir(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn space(&self, folder: &Path) -> io::Result<Space> {
        let about = rustix::fs::statvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(about.f_frsize);
        Ok(Space { free: bytes(about.f_bavail), total: bytes(about.f_blocks) })
    }
}

impl Append for File {
    fn append(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> =
            pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| IoSlice::new(piece)).collect();
        let mut left = &mut slices[..];
        while !left.is_empty() {
            match self.write_vectored(left) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut left, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

fn micros(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_read_and_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let pieces: Vec<Vec<u8>> = (0..3000u32).map(|at| at.to_be_bytes().to_vec()).collect();
        let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        Disk.append(&path).expect("created").append(&slices).expect("written");
        let mut again = Disk.append(&path).expect("opened");
        again.append(&[b"end", b""]).and_then(|()| again.sync()).expect("written");
        let whole = [pieces.concat(), b"end".to_vec()].concat();
        assert_eq!(Disk.read(&path, 0, usize::MAX).expect("read"), whole);
        assert_eq!(Disk.read(&path, 12_000, 100).expect("read"), &b"end"[..]);
        assert_eq!(Disk.read(&path, 99_999, 100).expect("read"), &b""[..]);
        Disk.cut(&path, 4).expect("cut");
        assert_eq!(Disk.list(folder.path()).expect("listed")[0].len, 4);
        let space = Disk.space(folder.path()).expect("known");
        assert!(space.free > 0 && space.free <= space.total);
    }
}
