//! `headwater-worker`: takes on limits, says hello, answers requests on its standard input until that ends.

use std::io::{BufWriter, stdin, stdout};
use std::process::ExitCode;

use transcode::limits;

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headwater-worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> std::io::Result<()> {
    // Nobody reads what would be written of a picture that could not be made.
    std::panic::set_hook(Box::new(|_| {}));
    limits::take_on()?;
    let hello = transcode::start().map_err(std::io::Error::other)?;
    transcode::serve(&hello, &mut stdin().lock(), &mut BufWriter::new(stdout().lock()))
}
