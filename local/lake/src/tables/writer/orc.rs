//! An ORC file while it is written.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use datafusion::arrow::array::Array as _;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use orc_rust::arrow_writer::ArrowWriterBuilder;
use orc_rust::compression::CompressionType;
use orc_rust::error::OrcError;

use super::Compression;
use super::file::external;
use crate::sql::Failure;
use crate::store::BlobWriter;
use crate::tables::caught::caught;

/// Bytes of rows that a stripe holds.
const STRIPE: usize = 64 * 1024 * 1024;

/// The library's writer stays in the thread it is made in: it is lent one of its own, and told what to do.
pub(super) struct Writer {
    commands: Sender<Command>,
    done: Receiver<Result<()>>,
    thread: JoinHandle<Result<BlobWriter>>,
    /// Bytes of the stripe begun.
    buffered: usize,
}

enum Command {
    Write(RecordBatch),
    /// End the stripe begun.
    Flush,
    Finish,
}

fn unwritten(error: OrcError) -> DataFusionError {
    match error {
        OrcError::EncodeTimestamp { .. } => Failure::not_supported(
            "timestamps within the last second before 1970 cannot be written as ORC: \
             the format has no place for them",
        )
        .into(),
        other => external(other),
    }
}

/// What the library's way of packing numbers has no place for: a run most of whose numbers, counted from the least, are as
/// wide as the widest, where that width is between those that ORC has.
fn unpacked() -> DataFusionError {
    Failure::not_supported(
        "a column has a run of numbers or times with one far below the others, which cannot be written as ORC here: \
         write PARQUET, or leave that row out",
    )
    .into()
}

impl Writer {
    pub fn open(blob: BlobWriter, schema: &SchemaRef, compression: Compression) -> Result<Self> {
        let (commands, received) = mpsc::channel();
        let (answers, done) = mpsc::channel();
        let schema = schema.clone();
        let thread = thread::Builder::new()
            .name("orc".to_owned())
            .spawn(move || work(blob, schema, compression, &received, &answers))?;
        Ok(Self { commands, done, thread, buffered: 0 })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.tell(Command::Write(batch.clone()))?;
        for column in batch.columns() {
            self.buffered += column.to_data().get_slice_memory_size()?;
        }
        if self.buffered > STRIPE { self.flush() } else { Ok(()) }
    }

    pub fn buffered(&self) -> usize {
        self.buffered
    }

    /// Ends the stripe begun.
    pub fn flush(&mut self) -> Result<()> {
        if self.buffered > 0 {
            self.buffered = 0;
            self.tell(Command::Flush)?;
        }
        Ok(())
    }

    pub fn finish(self) -> Result<BlobWriter> {
        // A thread that is gone says why.
        let _ = self.commands.send(Command::Finish);
        ended(self.thread.join())
    }

    /// Waits until it is done.
    fn tell(&self, command: Command) -> Result<()> {
        let told = self.commands.send(command).ok().and_then(|()| self.done.recv().ok());
        told.unwrap_or_else(|| Err(DataFusionError::Execution("the ORC writer is gone".to_owned())))
    }
}

fn ended(joined: thread::Result<Result<BlobWriter>>) -> Result<BlobWriter> {
    joined.unwrap_or_else(|_| Err(DataFusionError::Execution("the ORC writer failed".to_owned())))
}

fn work(
    mut blob: BlobWriter,
    schema: SchemaRef,
    compression: Compression,
    commands: &Receiver<Command>,
    answers: &Sender<Result<()>>,
) -> Result<BlobWriter> {
    let builder = ArrowWriterBuilder::new(&mut blob, schema)
        // Stripes end when this room says so.
        .with_stripe_byte_size(usize::MAX);
    let kind = match compression {
        Compression::None => None,
        Compression::Snappy => Some(CompressionType::Snappy),
        Compression::Gzip | Compression::Deflate => Some(CompressionType::Zlib),
        Compression::Zstd(_) => Some(CompressionType::Zstd),
        Compression::Lz4 => Some(CompressionType::Lz4),
    };
    let builder = match kind {
        Some(kind) => builder.with_compression(kind),
        None => builder,
    };
    let mut rows = builder.try_build().map_err(unwritten)?;
    for command in commands {
        // The library stumbles over some runs of numbers, as it packs them; what it has made of a file then is nothing.
        let done = match command {
            Command::Write(batch) => caught(|| rows.write(&batch)),
            Command::Flush => caught(|| rows.flush_stripe()),
            Command::Finish => {
                return match caught(|| rows.close()) {
                    Ok(done) => done.map_err(unwritten).map(|()| blob),
                    Err(_) => Err(unpacked()),
                };
            }
        };
        let stumbled = done.is_err();
        let done = done.map_or_else(|_| Err(unpacked()), |done| done.map_err(unwritten));
        if answers.send(done).is_err() || stumbled {
            break;
        }
    }
    Err(DataFusionError::Execution("the file was given up".to_owned()))
}
