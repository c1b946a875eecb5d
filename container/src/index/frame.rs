//! Frames: where a record begins and ends in the file, and whether it is what was written.

use std::ops::Range;

use super::{Checksum, Record};

const BEGINNING: &[u8; 8] = b"HWINDEX\x01";
const MARK: u8 = 0xb5;
const HEAD: usize = 8;

/// The longest body of a frame, in bytes. The longest record is the one with an initialization segment.
pub const MAX_BODY: usize = 1 << 20;

/// Behind damage the next frame is looked for; so many bytes are looked through with checksums at most.
const SEARCH: usize = 64 << 20;

/// A record that is longer than [`MAX_BODY`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a record of {0} bytes does not fit an index")]
pub struct TooLong(pub usize);

/// A file that does not begin like an index.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the index of a recording, or one of a later version")]
pub struct NotAnIndex;

/// Writes what a file begins with.
pub fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice(BEGINNING);
}

/// Writes one record behind what is there.
pub fn write(out: &mut Vec<u8>, record: &Record) -> Result<(), TooLong> {
    frame(out, &postcard::to_allocvec(record).expect("a Vec takes every record of ours"))
}

/// Writes the frame of a body behind what is there, whatever that says.
pub fn frame(out: &mut Vec<u8>, body: &[u8]) -> Result<(), TooLong> {
    if body.len() > MAX_BODY {
        return Err(TooLong(body.len()));
    }
    let [a, b, c, _] = (body.len() as u32).to_le_bytes();
    let head = [MARK, a, b, c];
    out.extend_from_slice(&head);
    out.extend_from_slice(&Checksum::of([&head[..], body]).to_le_bytes());
    out.extend_from_slice(body);
    Ok(())
}

/// What a reader comes across.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A record.
    Record(Record),
    /// A whole frame with a kind of record that this version does not know.
    Unknown,
    /// Bytes that are no frame, with whole frames behind them.
    Damage(Range<usize>),
}

/// Reads the records of a file in their order.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    search: usize,
}

impl<'a> Reader<'a> {
    /// Of the whole file.
    pub fn new(bytes: &'a [u8]) -> Result<Reader<'a>, NotAnIndex> {
        if !bytes.starts_with(BEGINNING) {
            return Err(NotAnIndex);
        }
        Ok(Reader { bytes, at: BEGINNING.len(), search: SEARCH })
    }

    /// Where the frame ends that was read last. After the last item that is how much of the file is whole: what follows
    /// was being written when the writer died.
    pub fn position(&self) -> usize {
        self.at
    }

    fn take(&mut self, body: Range<usize>) -> Item {
        self.at = body.end;
        let body = &self.bytes[body];
        match postcard::take_from_bytes(body) {
            Ok((record, _later_fields)) => Item::Record(record),
            Err(_) => Item::Unknown,
        }
    }

    /// The next whole frame behind `from`.
    fn next_frame(&mut self, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            at += self.bytes.get(at..)?.iter().position(|&byte| byte == MARK)?;
            if let Some(len) = length(&self.bytes[at..]) {
                self.search = self.search.checked_sub(len + HEAD)?;
                if body(self.bytes, at).is_some() {
                    return Some(at);
                }
            }
            at += 1;
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if let Some(body) = body(self.bytes, self.at) {
            return Some(self.take(body));
        }
        let next = self.next_frame(self.at + 1)?;
        let damage = self.at..next;
        self.at = next;
        Some(Item::Damage(damage))
    }
}

/// The body of the frame that begins at `at`, if there is a whole one.
fn body(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let frame = bytes.get(at..)?;
    let len = length(frame)?;
    let (head, stored) = (&frame[..4], &frame[4..HEAD]);
    let checksum = Checksum::of([head, &frame[HEAD..HEAD + len]]);
    (checksum.to_le_bytes() == stored).then_some(at + HEAD..at + HEAD + len)
}

/// How long the body of a frame is that begins here, where it can be one.
fn length(frame: &[u8]) -> Option<usize> {
    let &[MARK, a, b, c, ..] = frame else { return None };
    let len = u32::from_le_bytes([a, b, c, 0]) as usize;
    let fits = (1..=MAX_BODY).contains(&len) && frame.len() >= HEAD + len;
    fits.then_some(len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::record::tests::{KINDS, each};

    fn file(records: &[Record]) -> Vec<u8> {
        let mut out = Vec::new();
        begin(&mut out);
        records.iter().for_each(|record| write(&mut out, record).expect("short"));
        out
    }

    fn read(bytes: &[u8]) -> (Vec<Item>, usize) {
        let mut reader = Reader::new(bytes).expect("an index");
        let items = reader.by_ref().collect();
        (items, reader.position())
    }

    #[test]
    fn what_was_written_is_read_back() {
        let records = each();
        let bytes = file(&records);
        let (items, whole) = read(&bytes);
        assert_eq!(items, records.into_iter().map(Item::Record).collect::<Vec<_>>());
        assert_eq!(whole, bytes.len());
    }

    #[test]
    fn a_torn_file_is_whole_up_to_its_last_frame() {
        let records = each();
        let bytes = file(&records);
        let ends: Vec<usize> = (0..=records.len()).map(|count| file(&records[..count]).len()).collect();
        for end in ends[0]..bytes.len() {
            let (items, whole) = read(&bytes[..end]);
            let expected = ends.iter().filter(|&&frame| frame <= end).max().expect("the beginning");
            assert_eq!(whole, *expected, "cut at {end}");
            assert!(items.iter().all(|item| matches!(item, Item::Record(_))));
        }
        for end in 0..ends[0] {
            assert_eq!(Reader::new(&bytes[..end]).err(), Some(NotAnIndex));
        }
    }

    #[test]
    fn damage_inside_costs_the_frames_that_it_touches() {
        let records = each();
        let bytes = file(&records);
        for at in file(&[]).len()..file(&records[..records.len() - 1]).len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x40;
            let (items, whole) = read(&bytes);
            let kept = items.iter().filter(|item| matches!(item, Item::Record(_))).count();
            let damage: Vec<_> = items.iter().filter(|item| matches!(item, Item::Damage(_))).collect();
            assert_eq!((kept, damage.len(), whole), (records.len() - 1, 1, bytes.len()), "byte {at}");
        }
    }

    #[test]
    fn kinds_and_fields_of_a_later_version_do_no_harm() {
        let mut bytes = file(&[]);
        frame(&mut bytes, &[KINDS, 1, 2]).expect("short");
        frame(&mut bytes, &[14, 99, 99]).expect("short");
        assert_eq!(read(&bytes).0, [Item::Unknown, Item::Record(Record::Synced)]);
    }

    #[test]
    fn a_record_too_long_is_refused_and_leaves_nothing() {
        let mut out = file(&[]);
        let record = Record::Fact { rendition: None, name: String::new(), value: vec![0; MAX_BODY] };
        assert!(write(&mut out, &record).is_err());
        assert_eq!(out, file(&[]));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(noise in proptest::collection::vec(any::<u8>(), 0..2000), cut in 0usize..400) {
            let mut bytes = file(&each());
            bytes.truncate(bytes.len().saturating_sub(cut).max(8));
            bytes.extend_from_slice(&noise);
            bytes.extend_from_slice(&file(&[Record::Synced])[8..]);
            let (items, whole) = read(&bytes);
            prop_assert_eq!(items.last(), Some(&Item::Record(Record::Synced)));
            prop_assert_eq!(whole, bytes.len());
        }
    }
}
