//! `States.Hash` and `$hash`.

use std::fmt::Write as _;

use sha2::Digest as _;

/// The digest in lower-case hexadecimals; `None` for an unknown algorithm.
pub(crate) fn hex(algorithm: &str, bytes: &[u8]) -> Option<String> {
    Some(match algorithm {
        "MD5" => text(&md5::Md5::digest(bytes)),
        "SHA-1" => text(&sha1::Sha1::digest(bytes)),
        "SHA-256" => text(&sha2::Sha256::digest(bytes)),
        "SHA-384" => text(&sha2::Sha384::digest(bytes)),
        "SHA-512" => text(&sha2::Sha512::digest(bytes)),
        _ => return None,
    })
}

fn text(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all that is written to it");
        text
    })
}
