//! MCP over HTTP: rmcp's transport, over the connections and with the credentials of a source of ours.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::BoxedSseResponse;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError, StreamableHttpPostResponse,
};

use super::config::Remote;
use crate::action::http::HttpSource;

type Fault = StreamableHttpError<reqwest::Error>;
type Headers = HashMap<HeaderName, HeaderValue>;

/// Sends rmcp's requests with what the source adds to each.
#[derive(Clone)]
pub struct Authorized(Arc<HttpSource>);

/// A transport that is not connected yet.
pub fn transport(remote: &Remote, at_once: usize, max_message: usize) -> StreamableHttpClientTransport<Authorized> {
    let config = StreamableHttpClientTransportConfig::with_uri(remote.url.expose())
        // Beside the calls there is the list of what changed.
        .max_concurrent_requests(at_once.saturating_add(4))
        .max_sse_event_size(max_message);
    StreamableHttpClientTransport::with_client(Authorized(remote.http.clone()), config)
}

impl Authorized {
    async fn headers(&self, mut all: Headers) -> Result<Headers, Fault> {
        for (name, value) in self.0.headers() {
            all.insert(name.clone(), value.clone());
        }
        if let Some(value) = self.0.cookies().and_then(|cookies| HeaderValue::from_str(cookies.expose()).ok()) {
            all.insert(COOKIE, value);
        }
        if let Some(oauth) = self.0.oauth() {
            let token = oauth.authorization().await;
            let token = token.map_err(|why| Fault::UnexpectedServerResponse(Cow::Owned(why.message)))?;
            all.insert(AUTHORIZATION, token);
        }
        Ok(all)
    }

    /// Forgets a token that was refused: the next request fetches another.
    fn learn<T>(&self, used: Option<HeaderValue>, given: Result<T, Fault>) -> Result<T, Fault> {
        if let (Err(Fault::AuthRequired(_)), Some(oauth), Some(used)) = (&given, self.0.oauth(), used) {
            oauth.forget(&used);
        }
        given
    }
}

impl StreamableHttpClient for Authorized {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Fault> {
        let headers = self.headers(headers).await?;
        let used = headers.get(&AUTHORIZATION).cloned();
        let given = self.0.home().post_message(uri, message, session_id, auth, headers).await;
        self.learn(used, given)
    }

    async fn post_message_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
        max: usize,
    ) -> Result<StreamableHttpPostResponse, Fault> {
        let headers = self.headers(headers).await?;
        let used = headers.get(&AUTHORIZATION).cloned();
        let home = self.0.home();
        let given = home.post_message_with_max_sse_event_size(uri, message, session_id, auth, headers, max).await;
        self.learn(used, given)
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<(), Fault> {
        let headers = self.headers(headers).await?;
        self.0.home().delete_session(uri, session_id, auth, headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<BoxedSseResponse, Fault> {
        let headers = self.headers(headers).await?;
        self.0.home().get_stream(uri, session_id, last_event_id, auth, headers).await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth: Option<String>,
        headers: Headers,
        max: usize,
    ) -> Result<BoxedSseResponse, Fault> {
        let headers = self.headers(headers).await?;
        let home = self.0.home();
        home.get_stream_with_max_sse_event_size(uri, session_id, last_event_id, auth, headers, max).await
    }
}
