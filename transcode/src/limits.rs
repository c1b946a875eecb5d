//! What this process may use: taken on before the first byte of input is read, and never given up.

use std::io;

use rlimit::Resource;

/// Address space. Libraries alone take a third of it; the largest picture that is decoded needs a hundred megabytes.
pub const MEMORY: u64 = 1 << 30;

/// Seconds of processor time in all. Twenty thousand pictures of 1080p; a fresh worker takes over then.
pub const CPU: u64 = 600;

/// The politeness towards what is live.
const NICENESS: i32 = 10;

/// Bounds this process for good.
pub fn take_on() -> io::Result<()> {
    Resource::AS.set(MEMORY, MEMORY)?;
    Resource::CPU.set(CPU, CPU)?;
    Resource::CORE.set(0, 0)?;
    Resource::FSIZE.set(0, 0)?;
    rustix::process::nice(NICENESS)?;
    Ok(())
}
