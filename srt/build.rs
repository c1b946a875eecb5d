//! Finds libsrt and writes its declarations, so that structures are laid out as its own header says.

use std::env;
use std::error::Error;
use std::path::PathBuf;

/// The first version with the statistics and rejection codes that are used here.
const OLDEST: &str = "1.5.0";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let library = pkg_config::Config::new().atleast_version(OLDEST).probe("srt").map_err(|error| {
        format!("libsrt {OLDEST} or newer is needed (Debian and Ubuntu: libsrt-openssl-dev): {error}")
    })?;
    let include = library.include_paths.iter().map(|path| format!("-I{}", path.display()));
    let bindings = bindgen::Builder::default()
        .header_contents("libsrt.h", "#include <srt/srt.h>\n#include <srt/access_control.h>\n")
        .clang_args(include)
        .allowlist_function("srt_.*")
        .allowlist_type("SRT_.*|CBytePerfMon|CodeMajor")
        .allowlist_var("SRT_.*|SRTO_.*|SRTS_.*")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .derive_default(true)
        .layout_tests(false)
        .generate()?;
    bindings.write_to_file(PathBuf::from(env::var("OUT_DIR")?).join("libsrt.rs"))?;
    Ok(())
}
