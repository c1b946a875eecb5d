//! An HTTP/1.1 client that costs little: one connection, one request at a time, bodies thrown away or kept.

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is kept alive.
pub struct Client {
    socket: TcpStream,
    buffer: Vec<u8>,
    /// What of the buffer was read and not yet used.
    from: usize,
    to: usize,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Bytes of the body as sent.
    pub length: u64,
}

/// A request as it goes out. `encoding` is an Accept-Encoding.
pub fn request(host: &str, path: &str, encoding: Option<&str>) -> Vec<u8> {
    let accept = encoding.map(|it| format!("Accept-Encoding: {it}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{accept}\r\n").into_bytes()
}

/// A request to the control API as it goes out; with a JSON body where there is one.
pub fn api_request(host: &str, token: &str, method: &str, path: &str, body: Option<&str>) -> Vec<u8> {
    let head =
        format!("{method} /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n");
    let content = body.map(|body| {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    });
    let nothing = if method == "POST" { "Content-Length: 0\r\n\r\n" } else { "\r\n" };
    (head + content.as_deref().unwrap_or(nothing)).into_bytes()
}

/// The body of one GET that must be answered 200.
pub async fn get(host: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    get_with(host, &request(host, path, None)).await.with_context(|| format!("{host}{path}"))
}

/// The same, of a request as it goes out.
pub async fn get_with(host: &str, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut client = Client::connect(host).await?;
    let answer = client.send(request, |bytes| body.extend_from_slice(bytes)).await?;
    ensure!(answer.status == 200, "answered {}", answer.status);
    Ok(body)
}

impl Client {
    /// Connects to HOST:PORT.
    pub async fn connect(host: &str) -> anyhow::Result<Client> {
        let socket = TcpStream::connect(host).await.with_context(|| format!("no server at {host}"))?;
        socket.set_nodelay(true)?;
        Ok(Client { socket, buffer: vec![0; 256 << 10], from: 0, to: 0 })
    }

    /// Sends a request, and hands its body to `sink` as it comes.
    pub async fn send(&mut self, request: &[u8], sink: impl FnMut(&[u8])) -> anyhow::Result<Answer> {
        self.socket.write_all(request).await?;
        let (status, framing) = self.head().await?;
        let length = match framing {
            Framing::Length(length) => self.body(length, sink).await?,
            Framing::Chunked => self.chunks(sink).await?,
        };
        Ok(Answer { status, length })
    }

    async fn head(&mut self) -> anyhow::Result<(u16, Framing)> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut response = httparse::Response::new(&mut headers);
            let parsed = response.parse(&self.buffer[self.from..self.to])?;
            if let httparse::Status::Complete(length) = parsed {
                let status = response.code.context("no status")?;
                let framing = framing(response.headers)?;
                self.from += length;
                return Ok((status, framing));
            }
            self.more().await?;
        }
    }

    async fn body(&mut self, length: u64, mut sink: impl FnMut(&[u8])) -> anyhow::Result<u64> {
        let mut left = length;
        while left > 0 {
            if self.from == self.to {
                self.more().await?;
            }
            let take = left.min((self.to - self.from) as u64) as usize;
            sink(&self.buffer[self.from..self.from + take]);
            self.from += take;
            left -= take as u64;
        }
        Ok(length)
    }

    async fn chunks(&mut self, mut sink: impl FnMut(&[u8])) -> anyhow::Result<u64> {
        let mut total = 0;
        loop {
            let (header, length) = match httparse::parse_chunk_size(&self.buffer[self.from..self.to]) {
                Ok(httparse::Status::Complete(parsed)) => parsed,
                Ok(httparse::Status::Partial) => {
                    self.more().await?;
                    continue;
                }
                Err(_) => bail!("a chunk without a size"),
            };
            self.from += header;
            total += self.body(length, &mut sink).await?;
            self.body(CRLF, |_| ()).await?;
            if length == 0 {
                return Ok(total);
            }
        }
    }

    /// Reads once. What is unused moves to the front first.
    async fn more(&mut self) -> anyhow::Result<()> {
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        ensure!(self.to < self.buffer.len(), "an answer without an end of its head");
        let read = self.socket.read(&mut self.buffer[self.to..]).await?;
        ensure!(read > 0, "the server closed the connection in an answer");
        self.to += read;
        Ok(())
    }
}

const CRLF: u64 = 2;

enum Framing {
    Length(u64),
    Chunked,
}

fn framing(headers: &[httparse::Header<'_>]) -> anyhow::Result<Framing> {
    let value = |name: &str| headers.iter().find(|it| it.name.eq_ignore_ascii_case(name)).map(|it| it.value);
    if let Some(length) = value("content-length") {
        return Ok(Framing::Length(std::str::from_utf8(length)?.parse()?));
    }
    ensure!(value("transfer-encoding") == Some(b"chunked"), "an answer of unknown length");
    Ok(Framing::Chunked)
}
