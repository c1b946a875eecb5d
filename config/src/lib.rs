//! Settings of the server: TOML and environment in, plain structs or every error at once out.
//!
//! [`Config`] holds one struct per section; its `Default` is the documented default, which the reference file
//! `headwater.toml` repeats and a test holds equal. [`Config::parse`] reads a document and the environment over
//! it, and collects everything that is wrong: unknown keys, wrong types, values out of range, and values that do
//! not go together.
//!
//! Not here: files, the process environment, flags. The caller brings the text and the variables. No other crate
//! knows TOML.

mod error;
mod inputs;
mod later;
mod reader;
mod rules;
mod schema;
mod sections;
mod streams;
mod tree;
mod value;

pub use error::{Error, Errors, Place};
pub use reader::Setting;
pub use schema::settings;
pub use sections::{
    Auth, Config, Database, Dvr, Http, Https, Input, InputEntry, KeepFree, KeepLocal, LiveEntry, Log,
    LogFormat, LogLevel, Packager, Recorder, RecorderMode, RecorderSync, Restream, Rtmp, Rtmps, Secret,
    Storage, Stream, StreamKey, Takeover, Tls, Transcode, Vod,
};
pub use streams::split_rendition;
