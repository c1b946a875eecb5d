//! Groups of sounds (RFC 8216bis §4.4.6.1.1): one for each codec, so that what a variant says of its codecs is true.

use std::fmt::{self, Write};
use std::sync::Arc;

use media::Codec;

use crate::presentation::Rendition;

/// Sounds of one codec.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) id: String,
    codec: String,
    /// In the order of their names.
    sounds: Vec<&'a Arc<Rendition>>,
}

/// The groups of these sounds, AAC first: it is what every player has.
pub(super) fn of<'a>(sounds: impl Iterator<Item = &'a Arc<Rendition>>) -> Vec<Group<'a>> {
    // Which of them had its first segment first says nothing.
    let mut sounds: Vec<&Arc<Rendition>> = sounds.collect();
    sounds.sort_by_key(|sound| (sound.name.len(), sound.name.clone()));
    let mut groups: Vec<Group<'_>> = Vec::new();
    for sound in sounds {
        let codec = codec(sound).map(Codec::rfc6381).unwrap_or_default();
        match groups.iter_mut().find(|group| group.codec == codec) {
            Some(group) => group.sounds.push(sound),
            None => groups.push(Group { id: format!("audio-{codec}"), codec, sounds: vec![sound] }),
        }
    }
    groups.sort_by_key(|group| !group.codec.starts_with("mp4a.40"));
    if let [only] = &mut groups[..] {
        only.id = "audio".into();
    }
    groups
}

fn codec(sound: &Rendition) -> Option<&Codec> {
    sound.init().map(|init| &init.track.codec)
}

impl<'a> Group<'a> {
    /// Its sounds, each with a name that no other of the group has.
    pub(super) fn named(&self) -> impl Iterator<Item = (&Group<'a>, String, &'a Arc<Rendition>)> {
        self.sounds.iter().map(move |sound| {
            let others = self.sounds.iter().filter(|other| language(other) == language(sound)).count();
            let name = match language(sound) {
                Some(language) if others == 1 => language.to_owned(),
                Some(language) => format!("{language} ({})", sound.name),
                None => sound.name.to_string(),
            };
            (self, name, *sound)
        })
    }

    /// A variant is as heavy as its heaviest sound.
    pub(super) fn heaviest(&self) -> Option<&'a Arc<Rendition>> {
        self.sounds.iter().copied().max_by_key(|sound| sound.bitrate.peak)
    }

    /// EXT-X-MEDIA, but for its URI.
    pub(super) fn write_media(&self, out: &mut String, name: String, sound: &Arc<Rendition>) -> fmt::Result {
        let first = self.sounds.first().is_some_and(|first| Arc::ptr_eq(first, sound));
        write!(out, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{}\",NAME=\"{name}\",", self.id)?;
        if let Some(language) = language(sound) {
            write!(out, "LANGUAGE=\"{language}\",")?;
        }
        write!(out, "DEFAULT={},AUTOSELECT=YES", if first { "YES" } else { "NO" })?;
        if let Some(sound) = codec(sound).and_then(Codec::sound) {
            write!(out, ",CHANNELS=\"{}\"", sound.channels)?;
        }
        Ok(())
    }
}

fn language(sound: &Rendition) -> Option<&str> {
    sound.init().and_then(|init| init.track.language.as_ref()).map(|language| language.as_str())
}
