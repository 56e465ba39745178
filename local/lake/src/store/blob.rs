//! The bytes of objects: immutable files `objects/<2 hex>/<uuid>`.
//!
//! A blob is written under `objects/tmp/`, renamed when it is whole, and becomes an
//! object when a row of the state file names it. Nobody ever writes to a named blob,
//! so a reader sees all of it or none of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use md5::{Digest, Md5};
use uuid::Uuid;

/// A blob without a row that is older than this was left by a killed process: no
/// write takes a day.
const ORPHANED_AFTER: Duration = Duration::from_hours(24);

/// Bytes handed over at once by [`BlobReader::stream`].
const READ_CHUNK: u64 = 256 * 1024;

/// The folder of blobs.
#[derive(Clone, Debug)]
pub(super) struct Blobs {
    root: Arc<PathBuf>,
}

/// A blob being written. Dropped unfinished, it is removed.
#[derive(Debug)]
pub struct BlobWriter {
    blobs: Blobs,
    id: String,
    file: File,
    temporary: Unfinished,
    size: u64,
    md5: Md5,
}

/// A whole blob that no object names yet. Dropped in that state, it is removed.
#[derive(Debug)]
pub struct Blob {
    pub(super) id: String,
    size: u64,
    etag: String,
    pub(super) parts: Vec<u64>,
    file: Unfinished,
}

/// The open bytes of one object version. They stay readable while it is open, even
/// when the object is overwritten or deleted meanwhile.
#[derive(Debug)]
pub struct BlobReader {
    file: File,
}

impl Blobs {
    pub fn open(root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(root.join("tmp"))?;
        Ok(Self { root: Arc::new(root) })
    }

    pub fn create(&self) -> io::Result<BlobWriter> {
        let id = Uuid::new_v4().simple().to_string();
        let path = self.root.join("tmp").join(&id);
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok(BlobWriter {
            blobs: self.clone(),
            id,
            file,
            temporary: Unfinished(Some(path)),
            size: 0,
            md5: Md5::new(),
        })
    }

    /// A blob whose bytes are those of a file outside, which is read where it lies and must not change meanwhile.
    pub fn lend(&self, file: &Path) -> io::Result<Blob> {
        let (file, about) = (file.canonicalize()?, file.metadata()?);
        let id = Uuid::new_v4().simple().to_string();
        let path = self.path(&id);
        fs::create_dir_all(path.parent().expect("a blob stands in a folder"))?;
        std::os::unix::fs::symlink(&file, &path)?;
        // An ETag tells contents apart, and need not be made of all bytes.
        let said = format!("{} {} {:?}", file.display(), about.len(), about.modified()?);
        let etag = hex(&Md5::digest(said));
        Ok(Blob { id, size: about.len(), etag, parts: Vec::new(), file: Unfinished(Some(path)) })
    }

    pub fn read(&self, id: &str) -> io::Result<BlobReader> {
        Ok(BlobReader { file: File::open(self.path(id))? })
    }

    /// Removes a blob that no row names any more. One that is gone already is fine.
    pub fn remove(&self, id: &str) {
        remove_file(&self.path(id));
    }

    /// Removes what killed processes left behind: old files for which `is_named` is
    /// false.
    pub fn sweep<E: From<io::Error>>(
        &self,
        mut is_named: impl FnMut(&str) -> Result<bool, E>,
    ) -> Result<usize, E> {
        let mut removed = 0;
        for folder in fs::read_dir(&*self.root)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for entry in fs::read_dir(folder.path())? {
                let entry = entry?;
                let name = entry.file_name();
                let Some(id) = name.to_str() else { continue };
                if is_old(&entry) && !is_named(id)? {
                    remove_file(&entry.path());
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn path(&self, id: &str) -> PathBuf {
        self.root.join(&id[..2]).join(id)
    }
}

impl BlobWriter {
    /// Appends a whole other blob, without its bytes passing through this program
    /// where the system can do that. Leaves [`Blob::etag`] without meaning.
    pub(super) fn append(&mut self, mut other: BlobReader) -> io::Result<()> {
        self.size += io::copy(&mut other.file, &mut self.file)?;
        Ok(())
    }

    /// Where to write at an offset, past this writer: for parts that arrive in any
    /// order. [`BlobWriter::finish_parts`] ends such a blob.
    pub(super) fn temporary_path(&self) -> PathBuf {
        self.temporary.0.clone().expect("an unfinished blob has its temporary file")
    }

    pub(super) fn finish_parts(
        mut self,
        size: u64,
        etag: String,
        parts: Vec<u64>,
    ) -> io::Result<Blob> {
        self.size = size;
        self.name(etag, parts)
    }

    /// All bytes are written.
    pub fn finish(mut self) -> io::Result<Blob> {
        let etag = hex(&self.md5.finalize_reset());
        self.name(etag, Vec::new())
    }

    fn name(mut self, etag: String, parts: Vec<u64>) -> io::Result<Blob> {
        let path = self.blobs.path(&self.id);
        fs::create_dir_all(path.parent().expect("a blob stands in a folder"))?;
        fs::rename(self.temporary_path(), &path)?;
        self.temporary.0 = None;
        Ok(Blob { id: self.id, size: self.size, etag, parts, file: Unfinished(Some(path)) })
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.md5.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Blob {
    pub fn size(&self) -> u64 {
        self.size
    }

    /// MD5 of its bytes in hex, or what stands for it of bytes that came in parts.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// A committed row names it now.
    pub(super) fn keep(mut self) {
        self.file.0 = None;
    }
}

impl BlobReader {
    /// Reads the bytes of `range`, which must be inside the object.
    pub fn read(&mut self, range: Range<u64>) -> io::Result<Bytes> {
        self.file.seek(SeekFrom::Start(range.start))?;
        let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        // Not zeroed first: column chunks are many megabytes.
        let mut bytes = Vec::with_capacity(length);
        (&self.file).take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes.into())
    }

    /// Reads bytes from `start` on, as many as come at once; 0 at the end.
    pub fn read_some(&mut self, start: u64, out: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read(out)
    }

    /// Streams the bytes of `range`, which must be inside the object, holding one
    /// piece of 256 KiB at a time.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::try_unfold((self, range), |(mut reader, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let end = range.end.min(range.start + READ_CHUNK);
            let piece = range.start..end;
            let (reader, bytes) = blocking(move || {
                let bytes = reader.read(piece)?;
                Ok((reader, bytes))
            })
            .await?;
            Ok(Some((bytes, (reader, end..range.end))))
        })
    }
}

/// Writes a stream to a blob, in constant memory. An error of the stream is handed
/// back as it came.
pub(super) async fn receive<E: From<io::Error>>(
    writer: BlobWriter,
    body: impl Stream<Item = Result<Bytes, E>> + Send,
) -> Result<Blob, E> {
    let pieces =
        body.ready_chunks(64).map(|chunks| chunks.into_iter().collect::<Result<Vec<_>, E>>());
    let writer = pieces
        .try_fold(writer, |mut writer, pieces| async move {
            blocking(move || {
                for piece in pieces {
                    writer.write_all(&piece)?;
                }
                Ok(writer)
            })
            .await
            .map_err(E::from)
        })
        .await?;
    Ok(writer.finish()?)
}

/// Runs file work where it may block. On a runtime of one thread that is here: nothing runs beside it then, so that
/// a simulation does everything in the same order each time.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    if is_single_threaded() {
        return work();
    }
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

pub(crate) fn is_single_threaded() -> bool {
    tokio::runtime::Handle::try_current().is_ok_and(|runtime| {
        runtime.runtime_flavor() == tokio::runtime::RuntimeFlavor::CurrentThread
    })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The ETag of an object made of parts: the MD5 of their MD5s, and their number.
pub(super) fn parts_etag<'a>(etags: impl Iterator<Item = &'a str>) -> String {
    let mut md5 = Md5::new();
    let mut count = 0_usize;
    for etag in etags {
        md5.update(from_hex(etag).expect("a part's ETag is its MD5 in hex"));
        count += 1;
    }
    format!("{}-{count}", hex(&md5.finalize()))
}

/// A file that is removed unless somebody takes it over.
#[derive(Debug)]
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            remove_file(path);
        }
    }
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| {
        SystemTime::now().duration_since(modified).is_ok_and(|age| age > ORPHANED_AFTER)
    })
}

/// What cannot be removed now is an orphan, and the next sweep's work.
fn remove_file(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a blob could not be removed");
    }
}
