//! Where a redirect leads (RFC 9110, section 15.4; RFC 3986, section 5.2).

use crate::compat::http::HttpError;
use hyper::{
    HeaderMap, Method, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION},
};

/// The method of the next request, or `None` if the status is no redirect that is followed. `true` if the body is sent
/// again.
pub(super) fn next_method(status: StatusCode, method: &Method) -> Option<(Method, bool)> {
    match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if *method == Method::POST => {
            Some((Method::GET, false))
        }
        StatusCode::SEE_OTHER if *method != Method::HEAD => Some((Method::GET, false)),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => Some((method.clone(), true)),
        _ => None,
    }
}

/// Takes away what the next server must not see: what describes a body that is not sent, and, for another origin, the
/// credentials.
pub(super) fn clean_headers(headers: &mut HeaderMap, keeps_body: bool, from: &Uri, to: &Uri) {
    if !keeps_body {
        headers.remove(CONTENT_LENGTH);
        headers.remove(CONTENT_TYPE);
    }
    if (from.scheme(), from.authority()) != (to.scheme(), to.authority()) {
        for secret in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
            headers.remove(secret);
        }
    }
}

/// The address that `location` means, seen from `base`.
pub(super) fn resolve(base: &Uri, location: &str) -> Result<Uri, HttpError> {
    let bad = || HttpError::BadRedirect(location.to_owned());
    // A fragment is for who reads the page.
    let reference = location.split('#').next().unwrap_or_default();
    let (Some(scheme), Some(authority)) = (base.scheme_str(), base.authority()) else { return Err(bad()) };
    let has_scheme = reference.find(':').is_some_and(|colon| {
        reference[..colon].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    let text = if has_scheme {
        reference.to_owned()
    } else if reference.starts_with("//") {
        format!("{scheme}:{reference}")
    } else if reference.is_empty() {
        base.to_string()
    } else {
        let path = base.path();
        let (path_part, query) = match reference.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (reference, String::new()),
        };
        let merged = if path_part.is_empty() {
            path.to_owned()
        } else if path_part.starts_with('/') {
            path_part.to_owned()
        } else {
            format!("{}/{path_part}", path.rsplit_once('/').map_or("", |(folder, _)| folder))
        };
        format!("{scheme}://{authority}{}{query}", without_dots(&merged))
    };
    let uri: Uri = text.parse().map_err(|_| bad())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err(bad()),
    }
}

/// A path without the segments `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (number, segment) in segments.iter().enumerate() {
        let is_last = number + 1 == segments.len();
        match *segment {
            "." if is_last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if is_last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3986, section 5.4, as far as they are of HTTP.
    #[test]
    fn references_are_resolved_as_the_rfc_says() {
        let base = "http://a/b/c/d;p?q".parse().unwrap();
        for (reference, target) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("g..", "http://a/b/c/g.."),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("https://other:1/x", "https://other:1/x"),
        ] {
            assert_eq!(resolve(&base, reference).unwrap(), target, "{reference}");
        }
        for bad in ["mailto:somebody", "ftp://a/b", "http://", "http://a b/"] {
            assert_eq!(resolve(&base, bad), Err(HttpError::BadRedirect(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_redirect_keeps_or_changes_the_method() {
        let next = |status: u16, method| next_method(StatusCode::from_u16(status).unwrap(), &method);
        assert_eq!(next(302, Method::POST), Some((Method::GET, false)));
        assert_eq!(next(302, Method::PUT), Some((Method::PUT, true)));
        assert_eq!(next(303, Method::PUT), Some((Method::GET, false)));
        assert_eq!(next(303, Method::HEAD), Some((Method::HEAD, true)));
        assert_eq!(next(308, Method::POST), Some((Method::POST, true)));
        assert_eq!(next(304, Method::GET), None);
    }
}
