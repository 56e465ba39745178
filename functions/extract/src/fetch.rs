//! Copies one source file to its own place in the raw bucket, whatever its size, in the memory of
//! two parts.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use aws_sdk_s3::operation::head_object::HeadObjectError;
use shared::dataset::{Dataset, DatasetName};
use shared::event::{Manifest, Reason, Source, Unit};
use shared::ledger;
use shared::run::RunKey;
use shared::s3_uri::S3Uri;
use shared::storage::StorageError;

use crate::content::{Content, Inspector};
use crate::download::{Download, Origin, place};
use crate::file_name::FileName;
use crate::plan::certain_path;
use crate::raw_copy::{CopySource, Upload, copy};
use crate::source::{Answer, SourceError};
use crate::{ExtractError, State};

/// For the whole file. The function has 15 minutes (Lambda quotas), and must say why it failed.
const TOTAL_TIMEOUT: Duration = Duration::from_mins(14);
/// Files with a name by content, and uploads under way.
const RAW_FOLDER: &str = "raw";
const INCOMING_FOLDER: &str = "incoming";
/// Digits of the fingerprint that name a folder.
const FOLDER_DIGITS: usize = 16;

/// Fetches the unit's file, or finds it fetched already by an earlier attempt, or live.
pub async fn fetch(
    state: &State,
    unit: &Unit,
    earlier: Option<Manifest>,
) -> Result<Manifest, ExtractError> {
    let contract = Dataset::named(unit.dataset);
    if let Some(manifest) = earlier
        && is_there(state, &manifest).await?
    {
        let unchanged = is_live(state, unit, &contract, &manifest.fingerprint).await?;
        return Ok(Manifest { unchanged, ..manifest });
    }
    let work = transfer(state, unit, &contract);
    tokio::time::timeout(TOTAL_TIMEOUT, work).await.unwrap_or_else(|_| {
        let reason = format!("the file did not come within {} seconds", TOTAL_TIMEOUT.as_secs());
        Err(SourceError::Unavailable { place: place(&unit.source), reason }.into())
    })
}

async fn transfer(
    state: &State,
    unit: &Unit,
    contract: &Dataset,
) -> Result<Manifest, ExtractError> {
    let name = named(state, unit, contract)?;
    let file = unit.source.file_name().to_owned();
    let origin = Origin { site: &state.site, s3: &state.s3 };
    let mut download = match Download::open(origin, &unit.source).await {
        Err(error) => return Err(explain(state, error).await),
        Ok(download) => download,
    };
    let incoming = format!("{INCOMING_FOLDER}/{:016x}-{file}", unique());
    let raw_bucket = &state.config.raw_bucket;
    let mut upload = Upload::new(state.s3.clone(), raw_bucket, incoming);
    let content = match pass(&mut download, &mut upload, name).await {
        Ok(content) => content,
        Err(error) => {
            upload.abort().await;
            return Err(error);
        }
    };
    let source = download.source().clone();
    let folder = format!(
        "{RAW_FOLDER}/{}/month={}/{}/",
        unit.dataset,
        unit.month,
        &content.fingerprint[..FOLDER_DIGITS]
    );
    let key = format!("{folder}{file}");
    let live = is_live(state, unit, contract, &content.fingerprint).await;
    let (unchanged, etag) = match (live, &source) {
        (Err(error), _) => {
            upload.abort().await;
            return Err(error);
        }
        (Ok(true), _) => {
            upload.abort().await;
            (true, source.etag().unwrap_or_default().to_owned())
        }
        (Ok(false), Source::Http { .. }) => (false, upload.finish(&key).await?),
        (Ok(false), Source::S3 { .. }) => (false, copy_object(state, &source, &key).await?),
    };
    tracing::info!(file, bytes = content.bytes, lines = content.lines, unchanged, "fetched");
    Ok(Manifest {
        location: S3Uri::new(raw_bucket.clone(), folder),
        key,
        file,
        bytes: content.bytes,
        fingerprint: content.fingerprint,
        etag,
        format: name.format,
        lines: content.lines,
        unchanged,
        source: Some(source),
    })
}

/// Looks at every byte, and sends those of the site on to the raw bucket; an object of S3 is
/// copied by S3 itself once it is known.
async fn pass(
    download: &mut Download<'_>,
    upload: &mut Upload,
    name: FileName,
) -> Result<Content, ExtractError> {
    let file = download.source().file_name().to_owned();
    let ours = |source| ExtractError::Content { file: file.clone(), source };
    let uploads = matches!(download.source(), Source::Http { .. });
    let mut inspector = Inspector::new(name.format);
    while let Some(chunk) = download.chunk().await? {
        inspector.update(&chunk).map_err(ours)?;
        if uploads {
            upload.push(chunk).await?;
        }
    }
    inspector.finish().map_err(ours)
}

/// The unit's source is one that a plan can name, and its file is of the unit's month.
fn named(state: &State, unit: &Unit, contract: &Dataset) -> Result<FileName, ExtractError> {
    let refused = |reason: String| SourceError::Refused { place: place(&unit.source), reason };
    if let Source::S3 { bucket, .. } = &unit.source
        && *bucket != state.config.raw_bucket
    {
        return Err(refused(format!("objects come from {} alone", state.config.raw_bucket)).into());
    }
    FileName::parse(unit.source.file_name(), std::slice::from_ref(contract))
        .filter(|name| name.month == unit.month)
        .ok_or_else(|| {
            refused(format!("expected a file of {} {}", unit.dataset, unit.month)).into()
        })
}

/// A 403 to a file that was there when it was planned: if the lookup is refused too, it is us.
async fn explain(state: &State, error: ExtractError) -> ExtractError {
    let ExtractError::Source(SourceError::NotPublished { place, status: 403 }) = error else {
        return error;
    };
    let contracts: Vec<_> = DatasetName::all().map(Dataset::named).collect();
    let answer = match certain_path(&contracts) {
        Some(path) => state.site.head(&path).await,
        None => Ok(Answer::Missing),
    };
    match answer {
        Ok(Answer::Published(_) | Answer::Missing) => {
            SourceError::NotPublished { place, status: 403 }.into()
        }
        Ok(Answer::Forbidden) | Err(_) => SourceError::Throttled { place, status: 403 }.into(),
    }
}

async fn copy_object(state: &State, source: &Source, key: &str) -> Result<String, ExtractError> {
    let Source::S3 { bucket, key: from, version_id, etag, .. } = source else {
        unreachable!("only objects are copied");
    };
    let from =
        CopySource { bucket, key: from, version_id: version_id.as_deref(), etag: etag.as_deref() };
    Ok(copy(&state.s3, from, &state.config.raw_bucket, key).await?)
}

/// Is an earlier attempt's copy still there, as it was?
async fn is_there(state: &State, manifest: &Manifest) -> Result<bool, ExtractError> {
    let bucket = &state.config.raw_bucket;
    let head = state.s3.head_object().bucket(bucket).key(&manifest.key).send().await;
    match head {
        Ok(head) => {
            let bytes = head.content_length().and_then(|length| u64::try_from(length).ok());
            Ok(bytes == Some(manifest.bytes))
        }
        Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
            Ok(false)
        }
        Err(error) => {
            let place = format!("s3://{bucket}/{}", manifest.key);
            Err(StorageError::of(&place, error).into())
        }
    }
}

/// Is the month's live run of this very content, under the present contract?
async fn is_live(
    state: &State,
    unit: &Unit,
    contract: &Dataset,
    fingerprint: &str,
) -> Result<bool, ExtractError> {
    if unit.reason == Reason::Forced {
        return Ok(false);
    }
    let key = RunKey::new(unit.dataset, unit.month, fingerprint, &contract.version);
    let head = ledger::head(&state.s3, &state.config.lake_bucket, unit.dataset, None).await?;
    let live = head.as_ref().and_then(|head| head.live.get(&unit.month));
    Ok(live.is_some_and(|live| live.run_key == key))
}

/// Digits that no other upload has.
fn unique() -> u64 {
    RandomState::new().build_hasher().finish()
}
