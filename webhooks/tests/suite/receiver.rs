//! Somebody's server, who answers as a test tells him and tells the test who called.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// How long a test waits for something that is going to happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Calls that a test has not looked at; further ones are not answered.
const CALLS: usize = 1000;

/// What somebody was sent.
#[derive(Debug)]
pub struct Call {
    pub line: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

/// What he answers.
#[derive(Clone)]
pub enum Reply {
    /// A status with fields and a body.
    Status(u16, &'static str, &'static str),
    /// These bytes, and then nothing, with the connection left open.
    Raw(Vec<u8>),
    /// This again and again.
    Endless(&'static str, &'static str),
    /// Nothing, ever.
    Nothing,
}

pub struct Receiver {
    pub address: SocketAddr,
    calls: mpsc::Receiver<Call>,
    connections: Arc<AtomicUsize>,
}

impl Receiver {
    /// Answers each call with what `reply` says of its number, from zero.
    pub async fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Receiver {
        Receiver::serve(None, reply).await
    }

    pub async fn serve(
        tls: Option<TlsAcceptor>,
        reply: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, calls) = mpsc::channel(CALLS);
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, reply) = (connections.clone(), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let (tell, reply, tls) = (tell.clone(), reply.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => match tls.accept(socket).await {
                            Ok(socket) => answer(socket, tell, reply(number)).await,
                            Err(_) => None,
                        },
                        None => answer(socket, tell, reply(number)).await,
                    }
                });
            }
        });
        Receiver { address, calls, connections }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub async fn next(&mut self) -> Call {
        tokio::time::timeout(PATIENCE, self.calls.recv()).await.expect("a call in time").unwrap()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn answer<S>(mut socket: S, tell: mpsc::Sender<Call>, reply: Reply) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let call = read(&mut socket).await?;
    tell.try_send(call).ok()?;
    match reply {
        Reply::Status(status, fields, body) => {
            let length = body.len();
            let text = format!("HTTP/1.1 {status} Word\r\ncontent-length: {length}\r\n{fields}\r\n{body}");
            socket.write_all(text.as_bytes()).await.ok()?;
            socket.shutdown().await.ok()
        }
        Reply::Raw(bytes) => {
            socket.write_all(&bytes).await.ok()?;
            std::future::pending().await
        }
        Reply::Endless(first, more) => {
            socket.write_all(first.as_bytes()).await.ok()?;
            loop {
                socket.write_all(more.as_bytes()).await.ok()?;
            }
        }
        Reply::Nothing => std::future::pending().await,
    }
}

async fn read(socket: &mut (impl AsyncRead + Unpin)) -> Option<Call> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let line = lines.next()?.to_owned();
    let fields = lines.filter_map(|line| line.split_once(": "));
    let headers: HashMap<_, _> =
        fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let mut body = bytes[head + 4..].to_vec();
    let length: usize = headers["content-length"].parse().unwrap();
    while body.len() < length {
        socket.read_buf(&mut body).await.ok()?;
    }
    Some(Call { line, headers, body: String::from_utf8(body).unwrap() })
}
