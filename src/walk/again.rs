//! walk/again: what files say, read into memory that is used again and again, and texts that were let go read once more.
//!
//! A text that comes back is the one that was looked at before, by its digest, or it does not come back.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::{NOT_REGULAR, Walked, plain, sort_gaps};
use crate::finding::Gap;
use crate::source::{Source, TOO_LONG, slashed};

/// A file is not any more what it was when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed;

/// The sources with their texts.
///
/// # Errors
/// When one of the files does not say any more what it said.
pub fn whole(sources: &[Arc<Source>]) -> Result<Vec<Arc<Source>>, Changed> {
    let whole = |source: &Arc<Source>| match source.origin() {
        None => Ok(Arc::clone(source)),
        Some(origin) => {
            let read = read(source, origin).map_err(|_| Changed)?;
            if read.digest() == source.digest() { Ok(read) } else { Err(Changed) }
        }
    };
    sources.par_iter().map(whole).collect()
}

/// The files of a run with their texts as they are now. What cannot be read any more is a gap.
pub fn anew(walked: &Walked) -> Walked {
    let now = |source: &Arc<Source>| match source.origin() {
        None => Ok(Arc::clone(source)),
        Some(origin) => read(source, origin),
    };
    let read: Vec<Result<Arc<Source>, Gap>> = walked.sources.par_iter().map(now).collect();
    let mut walked = Walked { sources: Vec::with_capacity(read.len()), ..walked.clone() };
    for result in read {
        match result {
            Ok(source) => walked.sources.push(source),
            Err(gap) => walked.gaps.push(gap),
        }
    }
    sort_gaps(&mut walked.gaps);
    walked
}

fn read(source: &Source, origin: &Path) -> Result<Arc<Source>, Gap> {
    let gap = |line, reason| Gap { path: slashed(&source.path), line, reason };
    let decoded = with_bytes(origin, |bytes| Source::decode(source.path.clone(), source.language, bytes));
    match decoded {
        Ok(Ok(source)) => Ok(Arc::new(source)),
        Ok(Err(fault)) => Err(gap(fault.line, fault.reason)),
        Err(reason) => Err(gap(None, reason)),
    }
}

/// A buffer that has become longer than this is given back: few files are that long.
const LONG: usize = 4 << 20;

/// Does something with the bytes of a file, which are gone afterwards. Fresh memory for each file would cost more than
/// to read it.
pub(super) fn with_bytes<T>(path: &Path, work: impl FnOnce(&[u8]) -> T) -> Result<T, String> {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let file = open(path).map_err(|fault| match fs::metadata(path) {
        Ok(kind) if !kind.is_file() => NOT_REGULAR.to_owned(),
        _ => plain(&fault),
    })?;
    let kind = file.metadata().map_err(|fault| plain(&fault))?;
    if !kind.is_file() {
        return Err(NOT_REGULAR.to_owned());
    }
    if kind.len() >= u64::from(u32::MAX) {
        return Err(TOO_LONG.to_owned());
    }
    let mut file = file.take(u64::from(u32::MAX));
    let expected = usize::try_from(kind.len()).unwrap_or(0);
    let mut buffer = BUFFER.take();
    let mut length = 0;
    loop {
        // One byte more than there should be, so that what has grown meanwhile is told from what is read whole.
        let room = buffer.len().max(expected + 1);
        let room = if length == room { 2 * room } else { room };
        buffer.resize(room, 0);
        match file.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(plain(&fault)),
        }
        // Files of the system say that they have no bytes, and have some.
        if length == expected && expected > 0 {
            break;
        }
    }
    let done = work(&buffer[..length]);
    if buffer.len() > LONG {
        buffer = Vec::new();
    }
    BUFFER.set(buffer);
    Ok(done)
}

/// Opens a file to read it. A pipe that took its place meanwhile would never be opened by who waits for a writer.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

/// Opens a file to read it.
#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Language;

    fn seen(path: &Path) -> Arc<Source> {
        let seen = |bytes: &[u8]| Source::seen("a.py".into(), Language::Python, bytes, path.to_owned());
        Arc::new(with_bytes(path, seen).expect("it can be read").expect("text"))
    }

    #[test]
    fn a_text_comes_back_as_it_was_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.py");
        fs::write(&path, "a = 1\n").expect("a file");
        let source = seen(&path);
        assert!(!source.has_text());
        let back = whole(&[Arc::clone(&source)]).expect("it is as it was");
        assert_eq!((back[0].text.as_str(), back[0].digest()), ("a = 1\n", source.digest()));
        fs::write(&path, "a = 2\n").expect("a file");
        assert_eq!(whole(&[Arc::clone(&source)]).err(), Some(Changed));
        let walked = Walked { sources: vec![source], ..Walked::default() };
        assert_eq!(anew(&walked).sources[0].text.as_str(), "a = 2\n");
        fs::remove_file(&path).expect("it was there");
        assert_eq!(whole(&walked.sources).err(), Some(Changed));
        let gone = anew(&walked);
        assert_eq!((gone.sources.len(), gone.gaps[0].path.as_str()), (0, "a.py"));
    }

    #[test]
    fn long_and_short_files_come_whole_one_after_the_other() {
        let folder = tempfile::tempdir().expect("a folder");
        for length in [0, 10, 2 * LONG, 7, 100_000, 1] {
            let path = folder.path().join(length.to_string());
            fs::write(&path, vec![b'x'; length]).expect("a file");
            assert_eq!(with_bytes(&path, |bytes| bytes == vec![b'x'; length]), Ok(true));
        }
    }
    #[cfg(unix)]
    #[test]
    fn what_is_no_file_any_more_is_neither_read_nor_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("socket");
        let _listens = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        for path in [folder.path(), &socket] {
            assert_eq!(with_bytes(path, <[u8]>::len), Err(NOT_REGULAR.to_owned()));
        }
    }
}
