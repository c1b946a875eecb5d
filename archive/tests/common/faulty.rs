//! A file system in memory that fails as file systems do.
//!
//! Every call is counted. The process can die within one (part of a write may be there), the power can fail (of what was
//! not synced any blocks may be there and any not, and names of new files too), calls can fail, and room can run out.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use archive::files::{Append, Files, Listed, Space};
use bytes::Bytes;

/// Blocks reach the disk whole.
const BLOCK: usize = 64;

#[derive(Clone, Default)]
pub struct Faulty(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    files: BTreeMap<PathBuf, File>,
    folders: BTreeSet<PathBuf>,
    boot: u32,
    calls: usize,
    /// The call in which the process dies.
    dies_at: Option<usize>,
    /// Calls that fail: a word of what they do, part of the file's name, the error number.
    failing: Option<(&'static str, &'static str, i32)>,
    capacity: Option<u64>,
}

#[derive(Clone, Default)]
struct File {
    data: Vec<u8>,
    synced: Vec<u8>,
    name_synced: bool,
}

impl Faulty {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics with it")
    }

    /// The same as it is now, on its own from here on.
    pub fn copy(&self) -> Faulty {
        Faulty(Arc::new(Mutex::new(self.state().clone())))
    }

    pub fn calls(&self) -> usize {
        self.state().calls
    }

    pub fn die_at(&self, call: usize) {
        self.state().dies_at = Some(call);
    }

    /// Whether the process has not died yet.
    pub fn is_alive(&self) -> bool {
        let state = self.state();
        state.dies_at.is_none_or(|at| state.calls < at)
    }

    /// A new process in the same boot.
    pub fn revive(&self) {
        self.state().dies_at = None;
    }

    pub fn fail(&self, failing: Option<(&'static str, &'static str, i32)>) {
        self.state().failing = failing;
    }

    pub fn limit(&self, capacity: Option<u64>) {
        self.state().capacity = capacity;
    }

    pub fn used(&self) -> u64 {
        self.state().used()
    }

    pub fn remove_file(&self, path: &Path) {
        self.state().files.remove(path);
    }

    /// Changes a byte on the disk.
    pub fn flip(&self, path: &Path, at: usize) {
        let mut state = self.state();
        let file = state.files.get_mut(path).expect("a file");
        file.data[at] ^= 0x10;
        file.synced = file.data.clone();
    }

    /// The power fails, and comes back.
    pub fn cut_power(&self, seed: u64) {
        let mut random = Random(seed | 1);
        let mut state = self.state();
        state.dies_at = None;
        state.boot += 1;
        state.files.retain(|_, file| file.name_synced || random.coin());
        state.files.values_mut().for_each(|file| file.lose(&mut random));
    }
}

impl State {
    /// Journalled, as the names of files.
    fn rename_folder(&mut self, from: &Path, to: &Path) {
        let moved = |path: PathBuf| path.strip_prefix(from).map(|rest| to.join(rest)).unwrap_or(path);
        self.folders = std::mem::take(&mut self.folders).into_iter().map(moved).collect();
        self.files =
            std::mem::take(&mut self.files).into_iter().map(|(path, file)| (moved(path), file)).collect();
    }

    fn used(&self) -> u64 {
        self.files.values().map(|file| file.data.len() as u64).sum()
    }

    /// Counts a call. `Err` where it fails; `Ok(true)` where the process dies in it.
    fn call(&mut self, what: &str, path: &Path) -> io::Result<bool> {
        self.calls += 1;
        if self.dies_at.is_some_and(|at| self.calls > at) {
            return Err(io::Error::other("the process is dead"));
        }
        if let Some((failing, name, error)) = self.failing
            && failing == what
            && path.to_string_lossy().contains(name)
        {
            return Err(io::Error::from_raw_os_error(error));
        }
        Ok(self.dies_at == Some(self.calls))
    }
}

impl File {
    /// Of what was not synced, some blocks are on the disk; others are as they were, or zeros.
    fn lose(&mut self, random: &mut Random) {
        let (short, long) = (self.data.len().min(self.synced.len()), self.data.len().max(self.synced.len()));
        let len = short + random.below(long - short + 1);
        let mut left = vec![0; len];
        for at in (0..len).step_by(BLOCK) {
            let source = if random.coin() { &self.data } else { &self.synced };
            for (at, byte) in left.iter_mut().enumerate().skip(at).take(BLOCK) {
                *byte = source.get(at).copied().unwrap_or(0);
            }
        }
        *self = File { data: left.clone(), synced: left, name_synced: true };
    }
}

impl Files for Faulty {
    fn boot(&self) -> Option<String> {
        Some(self.state().boot.to_string())
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.state().folders.extend(folder.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>> {
        let state = self.state();
        let inside = state.files.iter().filter(|(path, _)| path.parent() == Some(folder));
        Ok(inside
            .map(|(path, file)| Listed {
                name: path.file_name().expect("a name").to_string_lossy().into_owned(),
                len: file.data.len() as u64,
                modified: 1_795_309_500_000_000,
            })
            .collect())
    }

    fn folders(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let inside = state.folders.iter().filter(|path| path.parent() == Some(folder));
        Ok(inside.map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect())
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Append>> {
        let mut state = self.state();
        state.call("open", path)?;
        state.files.entry(path.to_owned()).or_default();
        Ok(Box::new(Handle { files: self.clone(), path: path.to_owned() }))
    }

    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Bytes> {
        let state = self.state();
        let file = state.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        let from = (offset as usize).min(file.data.len());
        Ok(Bytes::copy_from_slice(&file.data[from..file.data.len().min(from.saturating_add(len))]))
    }

    fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.call("cut", path)?;
        let file = state.files.get_mut(path).ok_or(io::ErrorKind::NotFound)?;
        file.data.resize(len as usize, 0);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call("rename", from)?;
        if state.folders.contains(from) {
            state.rename_folder(from, to);
            return Ok(());
        }
        let mut file = state.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        // Whichever of the two a power cut leaves: this model has the new one, as journalling file systems do.
        file.name_synced = true;
        state.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call("remove", path)?;
        state.files.remove(path).map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call("remove", folder)?;
        let inside = state.files.keys().chain(&state.folders).any(|path| path.parent() == Some(folder));
        if inside {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        if state.folders.remove(folder) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call("sync", folder)?;
        state.files.values_mut().for_each(|file| file.name_synced = true);
        Ok(())
    }

    fn space(&self, folder: &Path) -> io::Result<Space> {
        let mut state = self.state();
        if matches!(state.failing, Some(("space", ..))) {
            state.call("space", folder)?;
        }
        let total = state.capacity.unwrap_or(1 << 40);
        Ok(Space { free: total.saturating_sub(state.used()), total })
    }
}

struct Handle {
    files: Faulty,
    path: PathBuf,
}

impl Append for Handle {
    fn append(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        let mut bytes = pieces.concat();
        let mut state = self.files.state();
        let dies = state.call("write", &self.path)?;
        let room =
            state.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(state.used()) as usize);
        let full = bytes.len() > room;
        if dies || full {
            bytes.truncate(if dies { bytes.len() * (state.calls % 5) / 4 } else { room });
        }
        let file = state.files.get_mut(&self.path).ok_or(io::ErrorKind::NotFound)?;
        file.data.extend_from_slice(&bytes);
        match (dies, full) {
            (true, _) => Err(io::Error::other("the process died")),
            (_, true) => Err(io::Error::from_raw_os_error(28)),
            _ => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.files.state();
        if state.call("sync", &self.path)? {
            return Err(io::Error::other("the process died"));
        }
        let file = state.files.get_mut(&self.path).ok_or(io::ErrorKind::NotFound)?;
        file.synced = file.data.clone();
        Ok(())
    }
}

/// xorshift64*: the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}
