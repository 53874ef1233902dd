//! Requests: the method, the path, the headers that Ridge reads, and a body that is fetched when a handler asks.
//!
//! Each crossing into JavaScript costs, so headers that nobody reads are left there, and a body of known length comes
//! over in one piece.

use std::{
    cell::OnceCell,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body::Frame;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ReadableStreamDefaultReader;
use worker::send::{SendFuture, SendWrapper};

use super::{
    glue,
    pending::{self, Pending},
    sendable,
};
use crate::{error::ApiError, host::Held};

/// Takes over what Ridge reads of a request.
pub(super) fn convert(js: &web_sys::Request) -> Result<Request<Body>, ApiError> {
    let head = glue::head(js);
    let mut lines = head.split('\n');
    let (method, url) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| ApiError::MethodNotAllowed)?;
    let uri = path_and_query(url).parse::<Uri>().map_err(|_| ApiError::bad_request("The path is malformed"))?;
    let mut request = Request::new(Body::empty());
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        // A header that is left out could be one that narrows what the caller may do.
        let malformed = || ApiError::bad_request("A header is malformed");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        request.headers_mut().insert(name, HeaderValue::from_str(value).map_err(|_| malformed())?);
    }
    if !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
        let has_length = request.headers().contains_key(header::CONTENT_LENGTH);
        let kept = (has_length && uri.path().starts_with("/redis")).then(|| RequestBody::new(js));
        *request.body_mut() = Body::new(HostBody::new(js, has_length, kept.clone()));
        if let Some(kept) = kept {
            request.extensions_mut().insert(Held::new(kept));
        }
    }
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    Ok(request)
}

/// `/path?query` of an absolute URL, as the runtime normalised it.
fn path_and_query(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(after_scheme..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| after_scheme + at);
    let text = url.get(path..).unwrap_or("/");
    text.split('#').next().filter(|text| !text.is_empty()).unwrap_or("/")
}

/// The body of a request on JavaScript's side, where it stays after it was read: so it can be passed on without a copy.
#[derive(Clone)]
pub(super) struct RequestBody(Arc<SendWrapper<(web_sys::Request, OnceCell<JsValue>)>>);

impl RequestBody {
    fn new(js: &web_sys::Request) -> Self {
        Self(Arc::new(SendWrapper::new((Clone::clone(js), OnceCell::new()))))
    }

    fn keep(&self, bytes: &JsValue) {
        let _ = self.0.1.set(bytes.clone());
    }

    /// The bytes that were read, else the request with its body unread.
    pub(super) fn to_pass_on(&self) -> JsValue {
        let (request, bytes) = &**self.0;
        bytes.get().cloned().unwrap_or_else(|| JsValue::from(request))
    }
}

/// A body that is still on JavaScript's side.
enum HostBody {
    /// Its length was announced, and the runtime holds it to that: it comes in one piece.
    Whole { request: SendWrapper<web_sys::Request>, bytes: Option<SendFuture<Pending>>, kept: Option<RequestBody> },
    /// It has no announced length: it comes in pieces, so that it can be bounded.
    Stream { reader: SendWrapper<ReadableStreamDefaultReader>, next: Option<SendFuture<Pending>> },
    /// There is none, or it is over.
    Done,
}

impl HostBody {
    fn new(js: &web_sys::Request, has_length: bool, kept: Option<RequestBody>) -> Self {
        if has_length {
            return Self::Whole { request: SendWrapper::new(Clone::clone(js)), bytes: None, kept };
        }
        let reader = js.body().and_then(|stream| stream.get_reader().dyn_into().ok());
        reader.map_or(Self::Done, |reader| Self::Stream { reader: SendWrapper::new(reader), next: None })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the body was cut off")]
struct CutOff;

impl http_body::Body for HostBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let this = &mut *self;
        let chunk = match this {
            Self::Done => return Poll::Ready(None),
            Self::Whole { request, bytes, kept } => {
                let pending =
                    bytes.get_or_insert_with(|| sendable(Pending::begin(|ticket| glue::body(request, ticket))));
                let bytes = ready!(Pin::new(pending).poll(context));
                if let (Some(kept), Ok(bytes)) = (kept, &bytes) {
                    kept.keep(bytes);
                }
                *this = Self::Done;
                bytes.ok().and_then(|bytes| bytes.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec))
            }
            Self::Stream { reader, next } => {
                let pending = next.get_or_insert_with(|| sendable(Pending::begin(|ticket| glue::read(reader, ticket))));
                let read = ready!(Pin::new(pending).poll(context));
                *next = None;
                match read.ok().map(|read| pending::chunk(&read)) {
                    Some(None) => {
                        *this = Self::Done;
                        return Poll::Ready(None);
                    }
                    Some(Some(chunk)) => Some(chunk),
                    None => {
                        *this = Self::Done;
                        None
                    }
                }
            }
        };
        Poll::Ready(Some(chunk.map(|chunk| Frame::data(Bytes::from(chunk))).ok_or(CutOff)))
    }
}

/// A body that is dropped unread, because it is too long, lets go of its sender.
impl Drop for HostBody {
    fn drop(&mut self) {
        if let Self::Stream { reader, .. } = self {
            let _ = reader.cancel();
        }
    }
}
