//! The part of the command line that talks to a running server.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use url::form_urlencoded::Serializer;

#[derive(Args, Debug)]
pub(crate) struct Live {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) command: LiveCommand,
}

#[derive(Args, Debug)]
pub(crate) struct Entry {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) command: EntryCommand,
}

/// Which server, and by which token.
#[derive(Args, Debug)]
pub(crate) struct Server {
    /// The server; HEADWATER_SERVER otherwise, or http://127.0.0.1:8080.
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) server: Option<String>,
    /// A file with an API token in it; HEADWATER_TOKEN otherwise, or admin-token in the data directory.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// The server's data directory, for its admin token.
    #[arg(long, value_name = "DIR", default_value = "data", global = true)]
    pub(crate) data: PathBuf,
    /// The API's own answer, for machines.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum LiveCommand {
    /// Provision a live entry: the answer has everything that is needed to go on air.
    Create(NewLive),
    /// List live entries.
    List(Page),
    /// Show everything that is needed to go on air, again.
    Show { id: EntryId },
    /// Show where it stands and how its encoder does.
    Status { id: EntryId },
    /// Put it before the public.
    GoLive { id: EntryId },
    /// Take it back to preview.
    Preview { id: EntryId },
    /// End the stream now.
    End { id: EntryId },
    /// Cut the encoder; the stream waits for it to come back.
    Disconnect { id: EntryId },
    /// Replace a stream key; a session with the old one is cut.
    RotateKey {
        id: EntryId,
        /// Which one.
        #[arg(long, value_enum, default_value = "primary")]
        leg: Leg,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum EntryCommand {
    /// List entries.
    List(Page),
    /// Show one.
    Show { id: EntryId },
    /// Delete one with all that belongs to it.
    Delete { id: EntryId },
}

#[derive(Args, Debug)]
pub(crate) struct NewLive {
    /// Its name, for people.
    pub(crate) name: String,
    /// A longer text.
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// A tag; may be said several times.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Only its own people can watch until go-live.
    #[arg(long)]
    pub(crate) preview: bool,
    /// Length of a segment, such as 2s.
    #[arg(long, value_name = "TIME")]
    segment: Option<String>,
    /// Length of a part, such as 500ms.
    #[arg(long, value_name = "TIME")]
    part: Option<String>,
    /// Length of the live playlist.
    #[arg(long, value_name = "TIME")]
    window: Option<String>,
    /// How far back a viewer may go.
    #[arg(long, value_name = "TIME")]
    dvr: Option<String>,
    /// How long the stream waits for its encoder to come back.
    #[arg(long, value_name = "TIME")]
    reconnect: Option<String>,
    /// It cannot be published to before; RFC 3339.
    #[arg(long, value_name = "WHEN")]
    starts_at: Option<String>,
    /// Nor from then on.
    #[arg(long, value_name = "WHEN")]
    ends_at: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Page {
    /// With these words in name, description or tags.
    #[arg(short, long, value_name = "WORDS")]
    q: Option<String>,
    /// With this tag.
    #[arg(long)]
    tag: Option<String>,
    /// At most so many, 500 at most.
    #[arg(long)]
    limit: Option<u32>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
pub(crate) enum Leg {
    Primary,
    Backup,
}

/// What may stand for an entry in a path.
#[derive(Clone, Debug)]
pub(crate) struct EntryId(String);

impl NewLive {
    /// Those settings that were said.
    pub(crate) fn settings(&self) -> std::collections::BTreeMap<&'static str, &str> {
        let all = [
            ("segment", &self.segment),
            ("part", &self.part),
            ("window", &self.window),
            ("dvr", &self.dvr),
            ("reconnect", &self.reconnect),
            ("starts_at", &self.starts_at),
            ("ends_at", &self.ends_at),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

impl Page {
    /// As the query of a URL, with its question mark.
    pub(crate) fn query(&self) -> String {
        let limit = self.limit.map(|limit| limit.to_string());
        let all = [("q", &self.q), ("tag", &self.tag), ("limit", &limit)];
        let said = all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        format!("?{}", Serializer::new(String::new()).extend_pairs(said).finish())
    }
}

impl Leg {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Leg::Primary => "primary",
            Leg::Backup => "backup",
        }
    }
}

impl FromStr for EntryId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<EntryId, &'static str> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        match !text.is_empty() && text.len() <= 64 && text.chars().all(legal) {
            true => Ok(EntryId(text.to_owned())),
            false => Err("an entry id is like 0_k3x9p2ab"),
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
