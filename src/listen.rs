//! TCP listeners and UDP sockets: dual stack where the machine has IPv6, and errors that name the setting to change.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use anyhow::anyhow;
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 1024;

/// Listens where `setting` says, without blocking; 0 picks a free port. `[::]` takes IPv4 too, and only IPv4 where IPv6 is off.
pub(crate) fn tcp(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    bound(setting, address, bind)
}

/// The same for what comes by UDP.
pub(crate) fn udp(setting: &str, address: SocketAddr) -> anyhow::Result<UdpSocket> {
    bound(setting, address, bind_udp)
}

fn bound<T>(setting: &str, address: SocketAddr, bind: fn(SocketAddr) -> io::Result<T>) -> anyhow::Result<T> {
    let bound = match bind(address) {
        Err(error) if address.is_ipv6() && address.ip().is_unspecified() && lacks_ipv6(&error) => {
            tracing::warn!(setting, "no IPv6 on this machine: listening on IPv4 only");
            bind((Ipv4Addr::UNSPECIFIED, address.port()).into())
        }
        other => other,
    };
    bound.map_err(|error| explained(setting, address, error))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn lacks_ipv6(error: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

fn explained(setting: &str, address: SocketAddr, error: io::Error) -> anyhow::Error {
    let variable = format!("HEADWATER_{}", setting.to_ascii_uppercase().replace('.', "__"));
    let port = address.port();
    match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!(
                "{setting}: port {port} is in use; choose another with {setting} or {variable} (0: any free one)"
            )
        }
        ErrorKind::PermissionDenied => {
            anyhow!(
                "{setting}: this user may not listen on port {port}; choose one above 1023 with {setting}"
            )
        }
        ErrorKind::AddrNotAvailable => {
            anyhow!(
                "{setting}: {} is no address of this machine; change {setting} or {variable}",
                address.ip()
            )
        }
        _ => anyhow!("{setting}: cannot listen on {address}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, TcpStream};

    use super::*;

    #[test]
    fn the_default_address_takes_ipv4() -> anyhow::Result<()> {
        let listener = tcp("http.listen", (Ipv6Addr::UNSPECIFIED, 0).into())?;
        TcpStream::connect((Ipv4Addr::LOCALHOST, listener.local_addr()?.port()))?;
        Ok(())
    }

    #[test]
    fn a_port_in_use_names_the_setting() -> anyhow::Result<()> {
        let first = tcp("http.listen", (Ipv4Addr::LOCALHOST, 0).into())?;
        let error =
            tcp("http.listen", first.local_addr()?).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("in use") && error.contains("HEADWATER_HTTP__LISTEN"), "{error}");
        Ok(())
    }
}
