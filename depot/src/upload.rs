//! Getting the media of one recording into the store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object_store::Error;
use object_store::path::Path;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::book::Line;
use crate::bucket::Bucket;
use crate::journal::{Journal, Step, Way};
use crate::part;
use crate::survey::{Folder, Survey, Wanted};
use crate::trouble::Trouble;

/// A recording on its way.
#[derive(Clone)]
pub(crate) struct Recording {
    /// `ENTRY/RECORDING`.
    pub store: Arc<str>,
    pub folder: Folder,
    pub bucket: Bucket,
    pub journal: Arc<Mutex<Journal>>,
    /// So many parts are in memory at once.
    pub gate: Arc<Semaphore>,
    /// Where its progress is told.
    pub line: Line,
}

impl Recording {
    /// Uploads what is final of each file. What the store has not taken is tried again by the caller; what is wrong
    /// with one file keeps no other one from going.
    pub async fn upload(&self, at_rest: bool) -> Result<Survey, Trouble> {
        let survey = self.blocking(move |folder| folder.survey(at_rest)).await?;
        self.tell(&survey);
        let mut wrong = None;
        for wanted in &survey.files {
            match self.file(wanted).await {
                Ok(()) => {}
                Err(error @ (Trouble::Store(_) | Trouble::Late)) => return Err(error),
                Err(error) => wrong = Some(error),
            }
        }
        wrong.map_or(Ok(survey), Err)
    }

    async fn file(&self, wanted: &Wanted) -> Result<(), Trouble> {
        let way = self.way(&wanted.name);
        match way {
            Way::Put { len } | Way::Verified { len } if len >= wanted.len => return Ok(()),
            Way::Put { .. } | Way::Verified { .. } => self.again(&wanted.name).await?,
            // It was cut meanwhile, after a power cut: what is up there is not what is here.
            Way::Begun { .. } if way.uploaded() > wanted.len => self.again(&wanted.name).await?,
            Way::Begun { .. } | Way::Ahead => {}
        }
        let at = self.at(&wanted.name);
        if self.way(&wanted.name) == Way::Ahead && wanted.closed && wanted.len <= part::SIZE {
            return self.at_once(wanted, &at).await;
        }
        self.in_parts(wanted, &at).await
    }

    async fn at_once(&self, wanted: &Wanted, at: &Path) -> Result<(), Trouble> {
        let _permit = self.gate.acquire().await;
        let bytes = self.read(&wanted.name, 0, wanted.len).await?;
        self.bucket.put(at, bytes).await?;
        self.note(Step::Put { file: wanted.name.clone(), len: wanted.len }).await?;
        self.line.sent(wanted.len);
        Ok(())
    }

    async fn in_parts(&self, wanted: &Wanted, at: &Path) -> Result<(), Trouble> {
        loop {
            let (upload, tags) = match self.way(&wanted.name) {
                Way::Begun { upload, tags } => (Some(upload), tags),
                _ => (None, Vec::new()),
            };
            let k = tags.len();
            let next = part::bytes(k as u64);
            let next = match next {
                Some(next) if next.start < wanted.len => next,
                None if !wanted.closed || part::of(wanted.len).count() > k => {
                    return Err(Trouble::TooLong(wanted.name.clone()));
                }
                _ if wanted.closed => return self.finish_parts(wanted, at, upload, &tags).await,
                _ => return Ok(()),
            };
            if next.end > wanted.len && !wanted.closed {
                return Ok(());
            }
            let upload = match upload {
                Some(upload) => upload,
                None => self.begin(wanted, at).await?,
            };
            self.one_part(wanted, at, &upload, k, next.start..next.end.min(wanted.len)).await?;
        }
    }

    async fn begin(&self, wanted: &Wanted, at: &Path) -> Result<String, Trouble> {
        let upload = self.bucket.begin(at).await?;
        self.note(Step::Begun { file: wanted.name.clone(), upload: upload.clone() }).await?;
        Ok(upload)
    }

    async fn one_part(
        &self,
        wanted: &Wanted,
        at: &Path,
        upload: &str,
        k: usize,
        range: std::ops::Range<u64>,
    ) -> Result<(), Trouble> {
        let _permit = self.gate.acquire().await;
        let len = range.end - range.start;
        let bytes = self.read(&wanted.name, range.start, len).await?;
        match self.bucket.part(at, upload, k, bytes).await {
            Ok(tag) => self.note(Step::Part { file: wanted.name.clone(), tag }).await?,
            Err(error) => return self.forgotten(&wanted.name, error).await,
        }
        self.line.sent(len);
        Ok(())
    }

    async fn finish_parts(
        &self,
        wanted: &Wanted,
        at: &Path,
        upload: Option<String>,
        tags: &[String],
    ) -> Result<(), Trouble> {
        let Some(upload) = upload else { return Ok(()) };
        if let Err(error) = self.bucket.finish(at, &upload, tags).await {
            // An answer that was lost: the object may be there all the same.
            let there = self.bucket.head(at).await?.is_some_and(|meta| meta.size == wanted.len);
            if !there {
                return self.forgotten(&wanted.name, error).await;
            }
        }
        self.note(Step::Put { file: wanted.name.clone(), len: wanted.len }).await
    }

    /// An upload that the store does not know any more is begun anew.
    async fn forgotten(&self, file: &str, error: Trouble) -> Result<(), Trouble> {
        if let Trouble::Store(Error::NotFound { .. }) = error {
            self.note(Step::Again { file: file.to_owned() }).await?;
        }
        Err(error)
    }

    /// Begins a file anew.
    pub async fn again(&self, file: &str) -> Result<(), Trouble> {
        if let Way::Begun { upload, .. } = self.way(file) {
            self.bucket.abort(&self.at(file), &upload).await?;
        }
        self.note(Step::Again { file: file.to_owned() }).await
    }

    /// How far a file is.
    pub fn way(&self, file: &str) -> Way {
        self.journal().way(file)
    }

    /// Its name in the store.
    pub fn at(&self, file: &str) -> Path {
        self.bucket.at(&self.store, file)
    }

    /// Writes a step down.
    pub async fn note(&self, step: Step) -> Result<(), Trouble> {
        let (journal, folder) = (self.journal.clone(), self.folder.clone());
        let noted = spawn_blocking(move || lock(&journal).note(step).map_err(|error| folder.disk(error)));
        noted.await?
    }

    /// Something with the folder, on a thread that may block.
    pub async fn blocking<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Folder) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let folder = self.folder.clone();
        spawn_blocking(move || task(&folder)).await?
    }

    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    async fn read(&self, name: &str, at: u64, len: u64) -> Result<bytes::Bytes, Trouble> {
        let name = name.to_owned();
        let read = self.blocking(move |folder| {
            let bytes = folder.files.read(&folder.at(&name), at, len as usize);
            bytes.map_err(|error| folder.disk(error))
        });
        let bytes = read.await?;
        if (bytes.len() as u64) < len {
            return Err(self.folder.disk(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }

    /// Tells how much there is, and how much of it is in the store.
    pub fn tell(&self, survey: &Survey) {
        let journal = self.journal();
        let uploaded = |it: &Wanted| journal.way(&it.name).uploaded().min(it.len);
        let (here, there) = (survey.files.iter().map(|it| it.len), survey.files.iter().map(uploaded));
        self.line.wants(survey.moved + here.sum::<u64>(), survey.moved + there.sum::<u64>());
    }
}

/// Steps are folded one by one and whole: a panic elsewhere cannot have broken them.
fn lock(journal: &Mutex<Journal>) -> MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}
