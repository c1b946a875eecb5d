//! Which elementary streams of the program are carried, and as which tracks.

use container::ts::demux::{Coding, Elementary, Other, Program};
use container::ts::elementary::nal::Standard;
use media::{Kind, Language, TrackId};
use stream::metadata::Scheme;

use super::Limits;
use super::audio::Audio;
use super::metadata::Cues;
use super::track::{AudioTrack, Slot, VideoTrack};
use super::video::Video;

/// What is known of the program.
#[derive(Debug)]
pub(super) struct Slots {
    limits: Limits,
    slots: Vec<Carried>,
    here: Vec<TrackId>,
    beside: Vec<Elementary>,
    announced: Option<(bool, bool)>,
}

#[derive(Debug)]
struct Carried {
    stream: Elementary,
    id: Option<TrackId>,
    slot: Slot,
}

impl Slots {
    pub(super) fn new(limits: Limits) -> Slots {
        Slots { limits, slots: Vec::new(), here: Vec::new(), beside: Vec::new(), announced: None }
    }

    pub(super) fn get(&mut self, pid: u16) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|carried| carried.stream.pid == pid).map(|carried| &mut carried.slot)
    }

    /// A stream, and all tracks of the program.
    pub(super) fn with_tracks(&mut self, pid: u16) -> Option<(&mut Slot, &[TrackId])> {
        let carried = self.slots.iter_mut().find(|carried| carried.stream.pid == pid)?;
        Some((&mut carried.slot, &self.here))
    }

    pub(super) fn coding(&self, pid: u16) -> Option<Coding> {
        self.slots.iter().find(|carried| carried.stream.pid == pid).map(|carried| carried.stream.coding)
    }

    /// Tracks of the program.
    pub(super) fn here(&self) -> &[TrackId] {
        &self.here
    }

    pub(super) fn pids(&self) -> Vec<u16> {
        self.slots.iter().map(|carried| carried.stream.pid).collect()
    }

    /// How many streams are not carried.
    pub(super) fn beside(&self) -> usize {
        self.beside.len()
    }

    /// Takes the program as it is now. A stream that is what it was goes on, as the same track; the others are given what is
    /// free in the order of the map. Says which kinds there are, where that is news.
    pub(super) fn assign(&mut self, program: &Program) -> Option<(bool, bool)> {
        let mut before = std::mem::take(&mut self.slots);
        before.retain(|carried| program.streams.contains(&carried.stream));
        self.here = before.iter().filter_map(|carried| carried.id).collect();
        self.beside.clear();
        for stream in &program.streams {
            if let Some(at) = before.iter().position(|carried| carried.stream == *stream) {
                self.slots.push(before.swap_remove(at));
                continue;
            }
            match self.carry(*stream) {
                Some(carried) => {
                    self.here.extend(carried.id);
                    self.slots.push(carried);
                }
                None => self.beside.push(*stream),
            }
        }
        let has = |kind| self.here.iter().any(|id| id.kind == kind);
        let kinds = (has(Kind::Video), has(Kind::Audio));
        let news = self.announced != Some(kinds) && kinds != (false, false);
        self.announced = Some(kinds);
        news.then_some(kinds)
    }

    fn carry(&self, stream: Elementary) -> Option<Carried> {
        let packet = self.limits.packet;
        let cues = |scheme, cells| Some(Slot::Metadata(Cues::new(scheme, cells, packet)));
        let (id, slot) = match stream.coding {
            Coding::Avc => self.video(stream, Standard::Avc)?,
            Coding::Hevc => self.video(stream, Standard::Hevc)?,
            Coding::Scte35 => (None, cues(Scheme::Scte35, false)?),
            Coding::Id3 => (None, cues(Scheme::Id3, false)?),
            Coding::Klv { cells } => (None, cues(Scheme::Klv, cells)?),
            coding => {
                let id = self.free(Kind::Audio, self.limits.audio_tracks)?;
                let frames = Audio::new(coding, packet)?;
                (Some(id), Slot::Audio(Box::new(AudioTrack::new(id, language(stream), frames))))
            }
        };
        Some(Carried { stream, id, slot })
    }

    fn video(&self, stream: Elementary, standard: Standard) -> Option<(Option<TrackId>, Slot)> {
        let id = self.free(Kind::Video, self.limits.video_tracks)?;
        let units = Video::new(standard, self.limits.picture);
        Some((Some(id), Slot::Video(Box::new(VideoTrack::new(id, language(stream), units)))))
    }

    fn free(&self, kind: Kind, most: u8) -> Option<TrackId> {
        (0..most).map(|index| TrackId { kind, index }).find(|id| !self.here.contains(id))
    }

    /// What is not carried, and why.
    pub(super) fn left_out(&self, programs: u64) -> Vec<String> {
        let others = (programs > 0)
            .then(|| format!("of {} programs the first one with pictures or sound is taken", programs + 1));
        let streams = self.beside.iter().map(|stream| {
            format!(
                "PID {:#x}, stream type {:#04x}: {}",
                stream.pid,
                stream.stream_type,
                reason(stream.coding)
            )
        });
        others.into_iter().chain(streams).collect()
    }
}

fn language(stream: Elementary) -> Option<Language> {
    let letters = stream.language?;
    Language::new(std::str::from_utf8(&letters).ok()?)
}

fn reason(coding: Coding) -> &'static str {
    match coding {
        Coding::Other(Other::MpegVideo) => "MPEG-2 video; no browser plays it, send H.264 or HEVC",
        Coding::Other(Other::Teletext) => "DVB teletext is not carried",
        Coding::Other(Other::Subtitles) => "DVB subtitles are not carried",
        Coding::Other(Other::Unknown) => "an unknown stream",
        _ => "more tracks than are carried",
    }
}
