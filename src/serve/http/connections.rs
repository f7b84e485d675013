//! The connections of an HTTP server: at most so many at a time, and none that keeps its place without asking.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    extract::ConnectInfo,
    response::Response,
};
use futures_util::future::BoxFuture;
use http::Request;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::Layer;
use tower_http::compression::{
    CompressionLayer, Predicate,
    predicate::{NotForContentType, SizeAbove},
};

use super::{
    direct::Direct,
    listen::{Listener, Stream},
    routes::Routes,
    tls::Tls,
};

/// How often a client of HTTP/2 is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);
/// The most requests at a time on one connection of HTTP/2.
const MAX_STREAMS: u32 = 128;

/// Answers longer than this are compressed where the client takes it, in bytes.
const COMPRESSED: u16 = 8 * 1024;

/// What every connection is served with.
pub(super) struct Connections<H> {
    routes: Arc<Routes<H>>,
    tls: Option<Tls>,
    head_timeout: Duration,
    builder: Arc<Builder<TokioExecutor>>,
    closing: CancellationToken,
}

impl<H> Clone for Connections<H> {
    fn clone(&self) -> Self {
        let Connections { routes, tls, head_timeout, builder, closing } = self;
        Connections {
            routes: routes.clone(),
            tls: tls.clone(),
            head_timeout: *head_timeout,
            builder: builder.clone(),
            closing: closing.clone(),
        }
    }
}

impl<H: Direct> Connections<H> {
    pub(super) fn new(routes: Routes<H>, tls: Option<Tls>, head_timeout: Duration, closing: CancellationToken) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(head_timeout);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(MAX_STREAMS);
        Connections { routes: Arc::new(routes), tls, head_timeout, builder: Arc::new(builder), closing }
    }

    /// Accepts connections until `closing`, then waits until those that are open have answered what was asked.
    /// While `max` are open, the system lets more wait. Dropping the future ends all of them.
    pub(super) async fn serve(self, listener: Listener, max: usize) {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled() => break,
                Some(_) = open.join_next() => {}
                stream = listener.accept(), if open.len() < max.max(1) => {
                    let connections = self.clone();
                    open.spawn(async move {
                        match stream {
                            Stream::Tcp(stream, peer) => connections.secure(stream, Some(peer)).await,
                            Stream::Unix(stream) => connections.secure(stream, None).await,
                        }
                    });
                }
            }
        }
        drop(listener);
        while open.join_next().await.is_some() {}
    }

    async fn secure<S>(self, stream: S, peer: Option<SocketAddr>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        match self.tls.clone() {
            None => self.drive(stream, peer).await,
            Some(tls) => {
                if let Some(stream) = tls.accept(stream).await {
                    self.drive(stream, peer).await;
                }
            }
        }
    }

    async fn drive<S>(self, stream: S, peer: Option<SocketAddr>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let asked = CancellationToken::new();
        let door = Door { routes: self.routes, peer, asked: asked.clone() };
        let door = CompressionLayer::new().compress_when(is_worth_it()).layer(door);
        let connection = self.builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(door));
        let mut connection = std::pin::pin!(connection);
        // Until the first request is there, HTTP itself does not look at the time: it does not know its version yet.
        let silent = async {
            if timeout(self.head_timeout, asked.cancelled()).await.is_ok() {
                std::future::pending::<()>().await;
            }
        };
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = silent => return,
            () = self.closing.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(fault) = outcome {
            tracing::debug!(%fault, "a connection broke off");
        }
    }
}

/// Large answers, except event streams: an event must leave at once.
fn is_worth_it() -> impl Predicate {
    SizeAbove::new(COMPRESSED).and(NotForContentType::SSE)
}

/// The routes as one connection sees them.
struct Door<H> {
    routes: Arc<Routes<H>>,
    peer: Option<SocketAddr>,
    /// Cancelled by the first request.
    asked: CancellationToken,
}

impl<H> Clone for Door<H> {
    fn clone(&self) -> Self {
        Door { routes: self.routes.clone(), peer: self.peer, asked: self.asked.clone() }
    }
}

impl<H, B> tower::Service<Request<B>> for Door<H>
where
    H: Direct,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.asked.cancel();
        let mut request = request.map(Body::new);
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let routes = self.routes.clone();
        Box::pin(async move { Ok(routes.answer(request).await) })
    }
}
