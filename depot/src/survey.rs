//! What there is to upload of a recording, as its folder says at this moment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive::contents::{Contents, Place};
use archive::files::{Files, Listed};
use archive::layout::MediaName;
use archive::{moved, recover};

use crate::trouble::Trouble;

/// What there is to upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Survey {
    pub files: Vec<Wanted>,
    /// Bytes of what was moved.
    pub moved: u64,
}

/// A file of media.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    pub name: String,
    /// Bytes of it that are final: whole segments, as long as it is written; what is behind may be taken back.
    pub len: u64,
    /// Whether nothing more comes.
    pub closed: bool,
}

/// Where a recording is on this machine.
#[derive(Clone)]
pub(crate) struct Folder {
    pub files: Arc<dyn Files>,
    pub path: PathBuf,
}

impl Folder {
    /// Looks at a recording; `at_rest` where nobody writes to it. What was moved is not looked at again. Blocks.
    pub fn survey(&self, at_rest: bool) -> Result<Survey, Trouble> {
        let contents = self.contents()?;
        let listed = self.list()?;
        let moved = moved::read(&*self.files, &self.path).map_err(|error| self.disk(error))?;
        let here = |name: &str| listed.iter().find(|it| it.name == name);
        let wanted = (0..).zip(&contents.files).filter_map(|(id, file)| {
            let here = here(&file.name).filter(|_| !moved.contains_key(&file.name))?;
            let closed = at_rest || is_followed(&contents, id);
            let end = if at_rest { contents.end_of(id) } else { stored_end(&contents, id) };
            Some(Wanted { name: file.name.clone(), len: end.min(here.len), closed })
        });
        Ok(Survey { files: wanted.filter(|it| it.len > 0).collect(), moved: moved.values().sum() })
    }

    /// Bytes of media that lie in the folder. Blocks.
    pub fn media_bytes(&self) -> Result<u64, Trouble> {
        let listed = self.list()?;
        Ok(listed.iter().filter(|it| MediaName::parse(&it.name).is_some()).map(|it| it.len).sum())
    }

    /// What the recording holds. Blocks.
    pub fn contents(&self) -> Result<Contents, Trouble> {
        Ok(recover::read(&*self.files, &self.path)?)
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn disk(&self, error: std::io::Error) -> Trouble {
        disk(&self.path, error)
    }

    fn list(&self) -> Result<Vec<Listed>, Trouble> {
        self.files.list(&self.path).map_err(|error| self.disk(error))
    }
}

pub(crate) fn disk(path: &Path, error: std::io::Error) -> Trouble {
    Trouble::Disk(path.display().to_string(), error)
}

/// Whether a later file has the same rendition: a recording goes on in the newest file only.
fn is_followed(contents: &Contents, file: u32) -> bool {
    let rendition = contents.rendition_of(file);
    let later = contents.files.iter().skip(file as usize + 1);
    later.into_iter().any(|it| Some(it.rendition) == rendition)
}

/// Where the last segment ends that is whole.
fn stored_end(contents: &Contents, file: u32) -> u64 {
    let rendition = contents.rendition_of(file).and_then(|id| contents.renditions.get(id as usize));
    let mut segments = rendition.into_iter().flat_map(|it| it.segments.iter().rev());
    let end = segments.find_map(|entry| match entry.place {
        Place::Stored { file: of, offset, len, .. } if of == file => Some(offset.saturating_add(len)),
        _ => None,
    });
    // Nothing more of it than its initialization segment is final.
    let init = contents.files.get(file as usize).map_or(0, |file| file.init.len() as u64);
    end.unwrap_or(init)
}
