//! The catalog's words, as JSON shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Mirrors an enumeration of the catalog.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident of $of:path { $($(#[$variant_doc:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl From<$of> for $name {
            fn from(word: $of) -> $name {
                use $of as Of;
                match word { $(Of::$variant => $name::$variant,)+ }
            }
        }

        impl From<$name> for $of {
            fn from(word: $name) -> $of {
                use $of as Of;
                match word { $($name::$variant => Of::$variant,)+ }
            }
        }
    };
}

mirror! {
    /// Whether an entry is made by publishing or by a file.
    Kind of catalog::Kind {
        /// It is published to.
        Live,
        /// It was uploaded, imported or cut from another.
        Vod,
    }
}

mirror! {
    /// Whether the public may watch a live entry while it is published to.
    Air of catalog::Air {
        /// Its own people only.
        Preview,
        /// Everybody who may watch it at all.
        Live,
    }
}

mirror! {
    /// Whether a playback token is asked for.
    Playback of access::Playback {
        /// No.
        Open,
        /// Yes: `/t/TOKEN/play/…`.
        Signed,
    }
}

mirror! {
    /// What becomes of what was on air.
    Recorder of catalog::entry::Recorder {
        /// It is recorded, behind what was recorded before.
        Append,
        /// Each session is a recording of its own.
        PerSession,
        /// It is not.
        Off,
    }
}

mirror! {
    /// How far behind the encoder players are meant to be.
    Latency of catalog::entry::Latency {
        /// Playlists list parts and requests block for them.
        Low,
        /// Whole segments.
        Standard,
    }
}

mirror! {
    /// Which of the redundant inputs of a stream.
    Leg of catalog::Leg {
        /// The one that is on air when both are well.
        Primary,
        /// The one that takes over.
        Backup,
    }
}

mirror! {
    /// What the holder of a token may do.
    Role of catalog::Role {
        /// Everything within its scope.
        Admin,
        /// Provision and run entries.
        Producer,
        /// Look.
        Viewer,
    }
}

mirror! {
    /// How far a job is.
    JobState of catalog::jobs::JobState {
        /// Waits to be taken up.
        Queued,
        /// Is being done.
        Running,
        /// Was done.
        Done,
        /// Was given up.
        Failed,
        /// Was called off.
        Cancelled,
    }
}

mirror! {
    /// How far a recording is.
    RecordingState of catalog::recordings::RecordingState {
        /// It grows.
        Open,
        /// It ended with its session.
        Finished,
        /// It ended with the server, or with its disk.
        Interrupted,
        /// Its files are not where they were.
        Missing,
    }
}

mirror! {
    /// Where media of a recording was read.
    MediaPlace of crate::archive::Place {
        /// From the disk of the server.
        Disk,
        /// From the object store, because it is there alone.
        ObjectStore,
    }
}

mirror! {
    /// What is done with a recording for the object store, one after the other.
    CopyStage of crate::archive::CopyStage {
        /// It is recorded, and its parts follow.
        Growing,
        /// The rest of it follows, and is verified.
        Uploading,
        /// All of it is there, and on the disk of the server as well.
        Complete,
        /// Its media is there alone.
        Moved,
    }
}

mirror! {
    /// Where an input stands.
    InputState of crate::inputs::InputState {
        /// It does not run.
        Off,
        /// It calls, or opens a port.
        Connecting,
        /// It is on air.
        Running,
        /// It waits: for a sender, for media, for its entry's time.
        Waiting,
        /// A try failed; it is tried again.
        Failed,
    }
}

mirror! {
    /// What a list of entries is ordered by.
    Sort of catalog::entries::list::Sort {
        /// When they were created.
        Created,
        /// When they were changed last.
        Updated,
        /// Their names, without regard to case and accents.
        Name,
    }
}

/// Which end of a list comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// The smallest, the earliest.
    Asc,
    /// The largest, the latest.
    Desc,
}

impl From<Order> for catalog::Order {
    fn from(order: Order) -> catalog::Order {
        match order {
            Order::Asc => catalog::Order::Ascending,
            Order::Desc => catalog::Order::Descending,
        }
    }
}
