//! One RTMP connection that publishes a script.
//!
//! rml_rtmp does what comes before the media and answers the server's pings; the media itself are the bytes of the
//! script.

use std::io::ErrorKind;
use std::sync::Arc;

use anyhow::{Context, bail};
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{
    ClientSession, ClientSessionConfig, ClientSessionEvent, ClientSessionResult, PublishRequestType,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::script::{CHUNK_SIZE, Script};

/// How a message is handed to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Writes {
    /// One write per message.
    #[default]
    Message,
    /// One write per header and one per chunk, as ffmpeg and librtmp do.
    Chunk,
}

/// A connection that may send media.
pub struct Publisher {
    socket: TcpStream,
    session: ClientSession,
    script: Arc<Script>,
    writes: Writes,
    buffer: Vec<u8>,
}

impl Publisher {
    /// Connects, and has `APP/KEY` granted.
    pub async fn connect(
        address: &str,
        app: &str,
        key: &str,
        script: Arc<Script>,
        writes: Writes,
    ) -> anyhow::Result<Publisher> {
        let mut socket =
            TcpStream::connect(address).await.with_context(|| format!("no server at {address}"))?;
        socket.set_nodelay(true)?;
        let left = shake(&mut socket).await?;
        let mut config = ClientSessionConfig::new();
        config.chunk_size = CHUNK_SIZE as u32;
        config.tc_url = Some(format!("rtmp://{address}/{app}"));
        let (session, first) = ClientSession::new(config)?;
        let mut publisher = Publisher { socket, session, script, writes, buffer: vec![0; 16 << 10] };
        publisher.act(first).await?;
        publisher.enter(app, key, left).await?;
        let opening = publisher.script.clone();
        publisher.socket.write_all(&opening.opening).await?;
        Ok(publisher)
    }

    /// Sends a message of the round.
    pub async fn send(&mut self, message: usize) -> anyhow::Result<()> {
        let script = self.script.clone();
        let mut rest = &script.bytes[script.messages[message].chunks.clone()];
        if self.writes == Writes::Message {
            return Ok(self.socket.write_all(rest).await?);
        }
        let mut header = FIRST_HEADER;
        while !rest.is_empty() {
            for length in [header, CHUNK_SIZE] {
                let (piece, after) = rest.split_at(length.min(rest.len()));
                self.socket.write_all(piece).await?;
                rest = after;
            }
            header = 1;
        }
        Ok(())
    }

    /// Sends a whole round as fast as the server takes it.
    pub async fn send_round(&mut self) -> anyhow::Result<()> {
        let script = self.script.clone();
        for piece in script.bytes.chunks(FLOOD_WRITE) {
            self.socket.write_all(piece).await?;
            self.drain().await?;
        }
        Ok(())
    }

    /// Listens to the server until `until`.
    pub async fn rest(&mut self, until: Instant) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(until) => return Ok(()),
                read = self.socket.read(&mut self.buffer) => self.hear(read?).await?,
            }
        }
    }

    /// Says that nothing will follow, and waits until the server has read everything and closes.
    pub async fn finish(mut self) -> anyhow::Result<()> {
        self.socket.shutdown().await?;
        while self.socket.read(&mut self.buffer).await? > 0 {}
        Ok(())
    }

    async fn enter(&mut self, app: &str, key: &str, left: Vec<u8>) -> anyhow::Result<()> {
        let results = self.session.handle_input(&left)?;
        self.act(results).await?;
        let connect = self.session.request_connection(app.to_owned())?;
        self.act(vec![connect]).await?;
        self.until(|event| *event == ClientSessionEvent::ConnectionRequestAccepted).await?;
        let publish = self.session.request_publishing(key.to_owned(), PublishRequestType::Live)?;
        self.act(vec![publish]).await?;
        self.until(|event| *event == ClientSessionEvent::PublishRequestAccepted).await
    }

    async fn until(&mut self, wanted: impl Fn(&ClientSessionEvent) -> bool) -> anyhow::Result<()> {
        loop {
            let read = self.socket.read(&mut self.buffer).await?;
            if read == 0 {
                bail!("the server refused the publisher");
            }
            let results = self.session.handle_input(&self.buffer[..read])?;
            if self.act(results).await?.iter().any(&wanted) {
                return Ok(());
            }
        }
    }

    /// Takes what has come without waiting, so that the server's acknowledgements never fill its socket.
    async fn drain(&mut self) -> anyhow::Result<()> {
        match self.socket.try_read(&mut self.buffer) {
            Ok(read) => self.hear(read).await,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn hear(&mut self, read: usize) -> anyhow::Result<()> {
        if read == 0 {
            bail!("the server closed a publisher's connection");
        }
        let results = self.session.handle_input(&self.buffer[..read])?;
        self.act(results).await.map(drop)
    }

    /// Sends what the session wants to send, and returns what it noticed.
    async fn act(&mut self, results: Vec<ClientSessionResult>) -> anyhow::Result<Vec<ClientSessionEvent>> {
        let mut events = Vec::new();
        for result in results {
            match result {
                ClientSessionResult::OutboundResponse(packet) => self.socket.write_all(&packet.bytes).await?,
                ClientSessionResult::RaisedEvent(event) => events.push(event),
                ClientSessionResult::UnhandleableMessageReceived(_) => {}
            }
        }
        Ok(events)
    }
}

/// Basic header and message header of chunk type 1.
const FIRST_HEADER: usize = 8;
/// Bytes per write of a flood.
const FLOOD_WRITE: usize = 256 << 10;

async fn shake(socket: &mut TcpStream) -> anyhow::Result<Vec<u8>> {
    let mut client = Handshake::new(PeerType::Client);
    let hello = client.generate_outbound_p0_and_p1().map_err(|error| anyhow::anyhow!("{error:?}"))?;
    socket.write_all(&hello).await?;
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).await?;
        if read == 0 {
            bail!("the server closed the connection in the handshake");
        }
        match client.process_bytes(&buffer[..read]).map_err(|error| anyhow::anyhow!("{error:?}"))? {
            HandshakeProcessResult::InProgress { response_bytes } => {
                socket.write_all(&response_bytes).await?
            }
            HandshakeProcessResult::Completed { response_bytes, remaining_bytes } => {
                socket.write_all(&response_bytes).await?;
                return Ok(remaining_bytes);
            }
        }
    }
}
