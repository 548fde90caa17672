//! What can go wrong for a client, beside what `hyper` says.

use std::{error::Error as StdError, fmt};

/// Why an HTTP client gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpError {
    /// The server redirects again and again. The number is the limit.
    TooManyRedirects(usize),
    /// The server redirects to something that is no address of HTTP. The text is what it said.
    BadRedirect(String),
    /// The address has no host, or a scheme other than `http` and `https`. The text is the address.
    BadUri(String),
    /// The address begins with `https`, and the client was made without a configuration of TLS, or the crate without
    /// its feature `tls`.
    NoTls,
    /// The body of the response is longer than the limit, in bytes.
    TooLong(usize),
    /// The body of the response is not text in UTF-8.
    NotText,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpError::TooManyRedirects(limit) => {
                write!(f, "more than {limit} redirects; `ClientOptions::max_redirects` sets the limit")
            }
            HttpError::BadRedirect(location) => {
                write!(f, "the server redirects to `{location}`, which is no address of HTTP")
            }
            HttpError::BadUri(uri) => {
                write!(
                    f,
                    "`{uri}` is no address for a request: it must begin with http:// or https:// and a host"
                )
            }
            HttpError::NoTls => f.write_str("an address with https needs `ClientOptions::tls`"),
            HttpError::TooLong(limit) => write!(f, "the body of the response is longer than {limit} bytes"),
            HttpError::NotText => f.write_str("the body of the response is not text in UTF-8"),
        }
    }
}

impl StdError for HttpError {}
