//! What the control API is given.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use catalog::Catalog;
use stream::{Audience, Directory};
use url::Url;

use crate::archive::Archive;
use crate::clipper::Clipper;
use crate::inputs::{InputRules, Inputs};
use crate::metrics::Metrics;
use crate::on_demand::OnDemand;
use crate::recorder::Recorder;
use crate::restreamer::Restreamer;

/// What the control API works on.
#[derive(Clone)]
pub struct Api {
    /// What is stored.
    pub catalog: Catalog,
    /// What is on air.
    pub directory: Directory,
    /// Who watches.
    pub audience: Arc<Audience>,
    /// How it behaves.
    pub settings: Settings,
    /// Which listeners stand.
    pub endpoints: Endpoints,
    /// What it counts in.
    pub metrics: Metrics,
    /// Who records.
    pub recorder: Arc<dyn Recorder>,
    /// Who sends entries on to targets.
    pub restreamer: Arc<dyn Restreamer>,
    /// What finds segments of recordings by time.
    pub clipper: Arc<dyn Clipper>,
    /// What looks after the files of recordings.
    pub archive: Arc<dyn Archive>,
    /// What can be played of what was live.
    pub on_demand: Arc<dyn OnDemand>,
    /// Who runs inputs.
    pub inputs: Arc<dyn Inputs>,
}

/// How the control API behaves, and what a peer may cost it.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// What URLs in answers begin with; a path prefix is kept. Without it, the `Host` of the request.
    pub public_url: Option<Url>,
    /// Requests a second of one token, in the long run.
    pub rate: NonZeroU32,
    /// Requests of one token at once.
    pub burst: NonZeroU32,
    /// Requests a minute, of one address, with tokens that nobody knows.
    pub unknown_tokens: NonZeroU32,
    /// Largest body of a request, in bytes.
    pub max_body: usize,
    /// Who follows events hears something at least so often: that the connection stands, and his token still holds.
    pub heartbeat: Duration,
    /// For a body to arrive.
    pub body_timeout: Duration,
    /// What a live entry gets where its own settings say nothing.
    pub live: LiveDefaults,
    /// What inputs may be.
    pub inputs: InputRules,
}

impl Default for Settings {
    fn default() -> Settings {
        let number = |number| NonZeroU32::new(number).expect("not zero");
        Settings {
            public_url: None,
            rate: number(50),
            burst: number(200),
            unknown_tokens: number(20),
            max_body: 64 << 10,
            heartbeat: Duration::from_secs(15),
            body_timeout: Duration::from_secs(10),
            live: LiveDefaults::default(),
            inputs: InputRules::default(),
        }
    }
}

/// The configured lengths that an entry's own have to go with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LiveDefaults {
    /// `packager.segment`.
    pub segment: Duration,
    /// `packager.part`.
    pub part: Duration,
    /// `packager.window`.
    pub window: Duration,
    /// `dvr.window`.
    pub dvr: Duration,
}

impl Default for LiveDefaults {
    fn default() -> LiveDefaults {
        LiveDefaults {
            segment: Duration::from_secs(2),
            part: Duration::from_millis(500),
            window: Duration::from_secs(30),
            dvr: Duration::from_secs(2 * 3600),
        }
    }
}

/// The listeners that stand, by their ports; what is `None` is off, and its URLs are `null`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Endpoints {
    /// RTMP.
    pub rtmp: Option<u16>,
    /// RTMPS.
    pub rtmps: Option<u16>,
    /// SRT.
    pub srt: Option<u16>,
}
