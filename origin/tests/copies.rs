//! Payload bytes leave from where ingest wrote them.

mod common;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use common::shelf::{Builder, Shelf, joined};
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use origin::{Server, Settings, router};
use stream::NoStorage;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const TARGET: &str = "/play/demo/video-1/7.m4s";

/// A segment of two parts, each of two 100 000-byte pieces.
fn big_segment() -> (Arc<Shelf>, Vec<Bytes>) {
    let builder = Builder::new(1).segment("video-1", 7, 200_000);
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![builder.view()]);
    let video = builder.presentation.rendition("video-1").expect("a rendition");
    let pieces = video.segments.get(&7).expect("a segment").pieces().cloned().collect();
    (shelf, pieces)
}

#[tokio::test]
async fn frames_of_a_body_are_the_pieces_of_the_presentation() {
    let (shelf, pieces) = big_segment();
    let request = Request::get(TARGET).body(Body::empty()).expect("a request");
    let response =
        router(&Settings::default(), shelf, Arc::new(NoStorage)).oneshot(request).await.expect("an answer");
    let mut body = response.into_body();
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        frames.push(frame.expect("a frame").into_data().expect("data"));
    }
    let places =
        |pieces: &[Bytes]| pieces.iter().map(|piece| (piece.as_ptr(), piece.len())).collect::<Vec<_>>();
    assert_eq!(places(&frames), places(&pieces));
}

/// Where written bytes came from.
#[derive(Default)]
struct Log {
    slices: Vec<(usize, usize)>,
    writes: usize,
}

impl Log {
    /// Bytes that left straight from `pieces`.
    fn from(&self, pieces: &[Bytes]) -> usize {
        let inside = |start: usize, len: usize| {
            pieces.iter().any(|piece| {
                let first = piece.as_ptr() as usize;
                first <= start && start + len <= first + piece.len()
            })
        };
        self.slices.iter().filter(|&&(start, len)| inside(start, len)).map(|(_, len)| len).sum()
    }

    /// All bytes that left.
    fn total(&self) -> usize {
        self.slices.iter().map(|(_, len)| len).sum()
    }
}

/// A socket that takes vectored writes and remembers the memory of which each byte came.
struct Recorder {
    io: DuplexStream,
    log: Arc<Mutex<Log>>,
}

impl Recorder {
    fn take(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut taken = 0;
        let mut log = self.log.lock().expect("no panic while writing");
        for buf in bufs.iter().filter(|buf| !buf.is_empty()) {
            let count = match Pin::new(&mut self.io).poll_write(cx, buf) {
                Poll::Ready(count) => count?,
                Poll::Pending if taken > 0 => break,
                Poll::Pending => return Poll::Pending,
            };
            log.slices.push((buf.as_ptr() as usize, count));
            taken += count;
            if count < buf.len() {
                break;
            }
        }
        log.writes += 1;
        Poll::Ready(Ok(taken))
    }
}

impl AsyncRead for Recorder {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Recorder {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.take(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.take(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Asks a real connection for the segment, and says where each byte of the answer came from.
async fn measure(version: Version) -> (Log, Vec<Bytes>) {
    let (shelf, pieces) = big_segment();
    let (ours, theirs) = duplex(1 << 20);
    let log = Arc::new(Mutex::new(Log::default()));
    let recorder = Recorder { io: theirs, log: log.clone() };
    let server = Server::new(Settings::default(), shelf, Arc::new(NoStorage));
    let serving = tokio::spawn(server.serve_connection(recorder, CancellationToken::new()));
    let request = Request::get(format!("http://headwater.test{TARGET}"))
        .header("host", "headwater.test")
        .body(Empty::new())
        .expect("a request");
    let response = fetch(ours, version, request).await;
    assert_eq!((response.status().as_u16(), response.version()), (200, version));
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    assert!(body == joined(pieces.iter()), "the bytes are right");
    serving.abort();
    let _ = serving.await;
    let log = Arc::into_inner(log).expect("the connection is gone").into_inner().expect("no panic");
    (log, pieces)
}

async fn fetch(io: DuplexStream, version: Version, request: Request<Empty<Bytes>>) -> Response<Incoming> {
    let io = TokioIo::new(io);
    if version == Version::HTTP_2 {
        let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(1 << 20)
            .handshake(io)
            .await
            .expect("a handshake");
        tokio::spawn(connection);
        return sender.send_request(request).await.expect("an answer");
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.expect("a handshake");
    tokio::spawn(connection);
    sender.send_request(request).await.expect("an answer")
}

#[tokio::test]
async fn http1_copies_no_byte_of_a_segment() {
    let (log, pieces) = measure(Version::HTTP_11).await;
    let len: usize = pieces.iter().map(Bytes::len).sum();
    assert_eq!(log.from(&pieces), len, "each byte left from the allocation that ingest filled");
    assert!(log.total() < len + 1000, "and left once");
    assert!(log.writes <= 8, "{} writes for {} pieces", log.writes, pieces.len());
}

#[tokio::test]
async fn http2_copies_no_byte_more_than_once() {
    let (log, pieces) = measure(Version::HTTP_2).await;
    let len: usize = pieces.iter().map(Bytes::len).sum();
    let copied = len - log.from(&pieces);
    // h2 copies what fits into the first 256 bytes of a DATA frame behind its header, and chains the rest. A
    // frame ends with a piece, or at 16 384 bytes. A small piece fills a frame with the beginning of the next.
    let frames = len.div_ceil(16_384) + pieces.len();
    let small = pieces.iter().filter(|piece| piece.len() < 16_384).count();
    let most = 256 * frames + 16_384 * small;
    assert!(small < pieces.len() && most < len, "what is large is not copied");
    assert!(copied <= most, "{copied} of {len} bytes were copied, in at most {frames} frames");
    let overhead = log.total() - len;
    assert!(overhead < 1000 + 9 * frames, "{overhead} bytes more than the segment: some left twice");
}
