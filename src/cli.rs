//! The command line.

mod client;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use client::{Entry, EntryCommand, EntryId, Live, LiveCommand, NewLive, Server};

/// Self-hosted live streaming media server.
#[derive(Parser, Debug)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run the server.
    Serve(Serve),
    /// Run the server on this machine alone, with a live test picture on air.
    Demo,
    /// Say everything that is wrong with the configuration, or what a server would do with it.
    Check(Source),
    /// Print the description of the control API (OpenAPI 3.1).
    Openapi,
    /// Be the worker of a server, which starts it by itself: what decodes pictures, with FFmpeg's libraries.
    Worker,
    /// API tokens.
    Token(Token),
    /// Live entries of a running server: provision, watch over, run.
    Live(Live),
    /// Entries of a running server.
    Entry(Entry),
}

#[derive(Args, Debug)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum TokenCommand {
    /// Print a new API token, once. The server may be running.
    Create(CreateToken),
}

#[derive(Args, Debug)]
pub(crate) struct CreateToken {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Data directory; wins over `storage.data`.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// What its holder may do.
    #[arg(long, value_enum)]
    pub(crate) role: Role,
    /// Its name, for people.
    #[arg(long, default_value = "command line")]
    pub(crate) name: String,
    /// The account that it is for; all of the server without it.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
pub(crate) enum Role {
    /// Everything.
    Admin,
    /// Provision and run entries.
    Producer,
    /// Look.
    Viewer,
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Data directory; wins over `storage.data`.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// How log lines are written; wins over `log.format`.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// HTTPS and RTMPS with a certificate that the server makes for itself, for development: `tls.self_signed`.
    #[arg(long)]
    pub(crate) tls_self_signed: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Source {
    /// Configuration file. Without it the defaults hold; no file is read unasked.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
