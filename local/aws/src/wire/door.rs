//! Who may knock: this endpoint has every key, so only programs of this machine that mean it are let in.
//! A browser page of another site is kept out by its Origin, a rebound DNS name by its Host.

use http::HeaderMap;

/// Why a request is turned away before any service sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    ForeignHost,
    ForeignOrigin,
}

/// Accepts Host `127.0.0.1`, `localhost`, `[::1]`, `*.127.0.0.1` (boto3's host prefixes) and `*.localhost`,
/// and an Origin, if there is one, of the same names.
pub fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    if let Some(host) = headers.get(http::header::HOST)
        && !host.to_str().is_ok_and(is_local)
    {
        return Err(Refusal::ForeignHost);
    }
    if let Some(origin) = headers.get(http::header::ORIGIN) {
        let local = origin
            .to_str()
            .ok()
            .and_then(|origin| origin.split_once("://"))
            .is_some_and(|(_, host)| is_local(host));
        if !local {
            return Err(Refusal::ForeignOrigin);
        }
    }
    Ok(())
}

fn is_local(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
        || host.ends_with(".127.0.0.1")
        || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_this_machine_is_let_in() {
        let cases = [
            ("127.0.0.1:4566", None, true),
            ("localhost", Some("http://localhost:4566"), true),
            ("sync-states.127.0.0.1:4566", None, true),
            ("bucket.localhost:4566", None, true),
            ("[::1]:4566", None, true),
            ("example.com", None, false),
            ("127.0.0.1.example.com:4566", None, false),
            ("127.0.0.1:4566", Some("https://example.com"), false),
            ("127.0.0.1:4566", Some("null"), false),
        ];
        for (host, origin, allowed) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(http::header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(check(&headers).is_ok(), allowed, "{host} {origin:?}");
        }
    }
}
