//! Who may knock: this endpoint has every key, so only programs of this machine that mean it are let in.
//! A browser page of another site is kept out by its Origin, a rebound DNS name by its Host.
//!
//! A container that shares the host's network knocks as any program does; one that does not cannot reach a loopback
//! listener at all.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Uri};

/// Why a request is turned away before any service sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    ForeignHost,
    ForeignOrigin,
}

/// Accepts Host `127.0.0.1`, `localhost`, `[::1]`, `*.127.0.0.1` (boto3's host prefixes) and `*.localhost`, with any
/// port, and an Origin, if there is one, of the same names. A whole URL in the request's first line must be of them,
/// too. What a page of another site embeds (`<img>`, `<script>`) has no Origin, but browsers say where it comes from.
pub fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let hosts = headers.get_all(HOST).iter().map(HeaderValue::to_str);
    if !hosts.chain(uri.authority().map(|host| Ok(host.as_str()))).all(|h| h.is_ok_and(is_local)) {
        return Err(Refusal::ForeignHost);
    }
    let origins = headers.get_all(ORIGIN).iter().map(HeaderValue::to_str);
    if !origins.into_iter().all(|origin| origin.is_ok_and(is_local_page)) {
        return Err(Refusal::ForeignOrigin);
    }
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|said| said == value);
    if says("sec-fetch-site", "cross-site") && !says("sec-fetch-mode", "navigate") {
        return Err(Refusal::ForeignOrigin);
    }
    Ok(())
}

fn is_local_page(origin: &str) -> bool {
    let pages = ["http://", "https://"];
    pages.iter().any(|scheme| origin.strip_prefix(scheme).is_some_and(is_local))
}

fn is_local(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.to_ascii_lowercase();
    ["127.0.0.1", "localhost", "[::1]"].contains(&host.as_str())
        || [".127.0.0.1", ".localhost"]
            .iter()
            .any(|suffix| host.strip_suffix(suffix).is_some_and(is_name))
}

/// What a host's name is made of, and nothing that ends one.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_let_in() {
        let cases = [
            ("127.0.0.1:4566", None, true),
            ("localhost", Some("http://localhost:4566"), true),
            ("LocalHost:80", Some("https://[::1]:8080"), true),
            ("sync-states.127.0.0.1:4566", None, true),
            ("bucket.localhost:4566", None, true),
            ("my.bucket.s3.us-east-1.localhost:4566", None, true),
            ("[::1]:4566", None, true),
            ("", None, false),
            ("example.com", None, false),
            ("example.com:4566", None, false),
            ("127.0.0.1.example.com:4566", None, false),
            ("localhost.example.com", None, false),
            ("notlocalhost", None, false),
            ("evil.com/.localhost", None, false),
            ("evil.com#.localhost", None, false),
            ("user@x.localhost", None, false),
            (".localhost", None, false),
            ("a..localhost", None, false),
            ("127.0.0.1.", None, false),
            ("0.0.0.0:4566", None, false),
            ("169.254.169.254", None, false),
            ("[::2]:4566", None, false),
            ("localhost:80:evil.com", None, false),
            ("127.0.0.1:4566", Some("https://example.com"), false),
            ("127.0.0.1:4566", Some("https://127.0.0.1.example.com"), false),
            ("127.0.0.1:4566", Some("https://example.com/http://localhost"), false),
            ("127.0.0.1:4566", Some("chrome-extension://localhost"), false),
            ("127.0.0.1:4566", Some("null"), false),
            ("127.0.0.1:4566", Some(""), false),
        ];
        for (host, origin, allowed) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            let uri = Uri::from_static("/");
            assert_eq!(check(&uri, &headers).is_ok(), allowed, "{host} {origin:?}");
        }
    }

    #[test]
    fn every_mark_of_a_stranger_counts() {
        let check = |uri: &'static str, pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, HeaderValue::from_static(value));
            }
            check(&Uri::from_static(uri), &headers)
        };
        let host = ("host", "127.0.0.1");
        assert_eq!(check("/", &[host, ("host", "evil.com")]), Err(Refusal::ForeignHost));
        assert_eq!(check("http://evil.com/b/k", &[host]), Err(Refusal::ForeignHost));
        assert_eq!(check("http://127.0.0.1:80/b/k", &[host]), Ok(()));
        let origins = [host, ("origin", "http://localhost"), ("origin", "http://evil.com")];
        assert_eq!(check("/", &origins), Err(Refusal::ForeignOrigin));
        let embedded = [host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
        assert_eq!(check("/b/k", &embedded), Err(Refusal::ForeignOrigin));
        let clicked = [host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert_eq!(check("/", &clicked), Ok(()));
        let own = [host, ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")];
        assert_eq!(check("/", &own), Ok(()));
    }
}
