//! A response, whose body is still on its way.

use crate::{Error, cancellable, compat::http::HttpError};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
};

/// A response to an [`HttpClient`](crate::compat::http::HttpClient). The head has come; the body comes when it is asked
/// for.
#[derive(Debug)]
pub struct HttpResponse {
    response: Response<Incoming>,
    uri: Uri,
}

impl HttpResponse {
    pub(super) fn new(response: Response<Incoming>, uri: Uri) -> HttpResponse {
        HttpResponse { response, uri }
    }

    /// The status. A status that tells of a failure is not an error here.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The address that has answered. It is another one than asked for after a redirect.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The response as `hyper` has it. Its body knows no cancellation: await it in [`cancellable`].
    pub fn into_inner(self) -> Response<Incoming> {
        self.response
    }

    /// The next piece of the body, or `None` at its end.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing is lost.
    ///
    /// # Errors
    /// If the connection fails.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = cancellable(self.response.body_mut().frame()).await? {
            // Trailers are no part of the body.
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The whole body, if it has at most `limit` bytes.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the connection is closed.
    ///
    /// # Errors
    /// [`HttpError::TooLong`]; if the connection fails.
    pub async fn bytes(mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(data) = self.chunk().await? {
            if data.len() > limit - body.len() {
                return Err(HttpError::TooLong(limit).into());
            }
            body.extend_from_slice(&data);
        }
        Ok(body)
    }

    /// The whole body as text, if it has at most `limit` bytes.
    ///
    /// # Cancellation
    /// As for [`HttpResponse::bytes`].
    ///
    /// # Errors
    /// As for [`HttpResponse::bytes`]; [`HttpError::NotText`] if it is not UTF-8.
    pub async fn text(self, limit: usize) -> Result<String, Error> {
        Ok(String::from_utf8(self.bytes(limit).await?).map_err(|_| HttpError::NotText)?)
    }
}
