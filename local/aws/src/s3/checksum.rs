//! Checksums: which ones a client gives or wants, and what comes out.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::Checksum;
use s3s::{S3Result, s3_error};

/// By [`Algorithm::name`]: the digest in Base64, of an upload in parts possibly with `-<parts>`.
pub type Checksums = BTreeMap<String, String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub const ALL: [Self; 5] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// What S3 computes of objects that came without any.
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
    pub const DEFAULT: Self = Self::Crc64Nvme;

    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    pub fn from_name(name: &str) -> S3Result<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| s3_error!(InvalidRequest, "{name:?} is no checksum algorithm"))
    }

    pub fn from_header(header: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.header().eq_ignore_ascii_case(header.trim()))
    }

    /// Whether the checksum of a whole can be told from those of its parts, so that an upload may have either kind.
    pub fn is_linear(self) -> bool {
        matches!(self, Self::Crc32 | Self::Crc32c | Self::Crc64Nvme)
    }

    /// The digest of digests, in Base64.
    pub fn of(self, bytes: &[u8]) -> String {
        let mut hasher = hasher([self]);
        hasher.update(bytes);
        to_map(hasher.finalize()).remove(self.name()).expect("the hasher was asked for it")
    }
}

pub fn hasher(algorithms: impl IntoIterator<Item = Algorithm>) -> ChecksumHasher {
    let mut hasher = ChecksumHasher::default();
    for algorithm in algorithms {
        match algorithm {
            Algorithm::Crc32 => hasher.crc32 = Some(Crc32::new()),
            Algorithm::Crc32c => hasher.crc32c = Some(Crc32c::new()),
            Algorithm::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
            Algorithm::Sha1 => hasher.sha1 = Some(Sha1::new()),
            Algorithm::Sha256 => hasher.sha256 = Some(Sha256::new()),
        }
    }
    hasher
}

pub fn to_map(checksum: Checksum) -> Checksums {
    let pairs = [
        (Algorithm::Crc32, checksum.checksum_crc32),
        (Algorithm::Crc32c, checksum.checksum_crc32c),
        (Algorithm::Crc64Nvme, checksum.checksum_crc64nvme),
        (Algorithm::Sha1, checksum.checksum_sha1),
        (Algorithm::Sha256, checksum.checksum_sha256),
    ];
    pairs
        .into_iter()
        .filter_map(|(algorithm, digest)| Some((algorithm.name().to_owned(), digest?)))
        .collect()
}

/// `FULL_OBJECT`, or `COMPOSITE` of a checksum made of the parts' checksums.
pub fn kind(checksums: &Checksums) -> Option<&'static str> {
    let composite = checksums.values().next()?.contains('-');
    Some(if composite { "COMPOSITE" } else { "FULL_OBJECT" })
}

/// Bytes behind Base64, of the right number.
pub fn bytes(base64: &str) -> S3Result<Vec<u8>> {
    BASE64_STANDARD
        .decode(base64)
        .map_err(|_| s3_error!(InvalidRequest, "{base64:?} is no checksum in Base64"))
}

pub fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// `Content-MD5` as an ETag.
pub fn md5(base64: &str) -> S3Result<String> {
    let bytes = BASE64_STANDARD.decode(base64).ok().filter(|bytes| bytes.len() == 16);
    let bytes = bytes
        .ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid."))?;
    Ok(hex(&bytes))
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Sets the five checksum fields that many of S3's shapes have.
macro_rules! set_checksums {
    ($shape:expr, $checksums:expr) => {{
        let checksums: &$crate::s3::checksum::Checksums = $checksums;
        $shape.checksum_crc32 = checksums.get("CRC32").cloned();
        $shape.checksum_crc32c = checksums.get("CRC32C").cloned();
        $shape.checksum_crc64nvme = checksums.get("CRC64NVME").cloned();
        $shape.checksum_sha1 = checksums.get("SHA1").cloned();
        $shape.checksum_sha256 = checksums.get("SHA256").cloned();
    }};
}
pub(super) use set_checksums;
