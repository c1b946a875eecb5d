//! SeaweedFS, a real S3-compatible server, in a folder and on ports of its own. It can be killed and started again.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Master, volume, filer and S3, each with a port for HTTP and one for gRPC.
const PORTS: usize = 8;
/// Until the server answers.
const START: Duration = Duration::from_secs(90);

pub struct Weed {
    folder: tempfile::TempDir,
    ports: Vec<u16>,
    server: Option<Child>,
}

impl Weed {
    pub fn start() -> Weed {
        let folder = tempfile::tempdir().expect("a folder");
        let identities = r#"{"identities":[{"name":"t","actions":["Admin","Read","List","Write"],
            "credentials":[{"accessKey":"key","secretKey":"sesame"}]}]}"#;
        std::fs::write(folder.path().join("s3.json"), identities).expect("written");
        let taken: Vec<TcpListener> =
            (0..PORTS).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
        let ports = taken.iter().map(|it| it.local_addr().expect("bound").port()).collect();
        drop(taken);
        let mut weed = Weed { folder, ports, server: None };
        weed.resume();
        // A bucket is a folder below this one.
        assert!(weed.asks(4, "POST /buckets/shows/").is_some_and(|it| it.contains(" 201 ")), "no bucket");
        weed
    }

    /// Starts it with what it had.
    pub fn resume(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("written");
        let mut command = Command::new(binary());
        command.current_dir(self.folder.path()).arg("server").args(self.arguments());
        let server = command.stdout(Stdio::null()).stderr(log).spawn();
        self.server = Some(server.expect("SeaweedFS starts: scripts/setup --tests installs it"));
        let start = Instant::now();
        // The gateway refuses who has no key, when it can look them up.
        while self.asks(6, "GET /").is_none_or(|it| !it.contains(" 403 ")) {
            assert!(start.elapsed() < START, "it did not start: {}", self.log());
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    /// As the power of its machine would go.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Where S3 answers. The bucket is `shows`, the key `key`, the secret `sesame`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[6])
    }

    /// Whether the bucket has an object, or did not say that it has none.
    #[allow(dead_code)]
    pub fn has(&self, object: &str) -> bool {
        let answer = self.asks(4, &format!("HEAD /buckets/shows/{object}"));
        answer.is_none_or(|it| !it.contains(" 404 "))
    }

    /// Loses an object.
    #[allow(dead_code)]
    pub fn lose(&self, object: &str) {
        let answer = self.asks(4, &format!("DELETE /buckets/shows/{object}"));
        assert!(
            answer.is_some_and(|it| it.contains(" 204 ")) && !self.has(object),
            "{object} is still there"
        );
    }

    fn arguments(&self) -> Vec<String> {
        let names = ["master", "volume", "filer", "s3"];
        let ports = names.iter().zip(self.ports.chunks(2)).flat_map(|(name, ports)| {
            [format!("-{name}.port={}", ports[0]), format!("-{name}.port.grpc={}", ports[1])]
        });
        let fixed = "-dir=. -ip=127.0.0.1 -ip.bind=127.0.0.1 -filer -s3 -s3.config=s3.json -s3.port.iceberg=0 \
            -s3.port.lance=0 -iam=false -master.telemetry=false -master.volumeSizeLimitMB=64 -volume.max=30 \
            -volume.minFreeSpace=16MiB -volume.preStopSeconds=0";
        fixed.split_whitespace().map(str::to_owned).chain(ports).collect()
    }

    /// The first line of an answer.
    fn asks(&self, port: usize, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports[port])).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let head = format!(
            "{request} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.lines().next().map(str::to_owned)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What scripts/setup installs.
fn binary() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    std::env::var_os("HEADWATER_WEED")
        .map_or_else(|| cache.join("headwater/seaweedfs/bin/weed"), PathBuf::from)
}
