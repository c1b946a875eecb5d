//! Looks again when the pages were built, or taken away: `dist` is always there, `dist/pages` only once they are.

fn main() {
    println!("cargo::rerun-if-changed=dist");
}
