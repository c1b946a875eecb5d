//! The socket: bound, joined, with room for a burst, and asked how many datagrams it had no room for.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;

use address::input::{Interface, Udp};
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// The largest datagram that is taken: what jumbo frames carry.
const LARGEST: usize = 9216;

/// A socket that datagrams come from.
pub(super) struct Socket {
    socket: UdpSocket,
    buffer: Box<[u8]>,
    control: Vec<u8>,
    /// What the kernel said last of how many it dropped; it goes round.
    dropped: u32,
}

/// A datagram, in the buffer.
pub(super) struct Arrived {
    pub(super) from: SocketAddr,
    pub(super) length: usize,
    /// It was larger than the buffer.
    pub(super) truncated: bool,
    /// How many the kernel had no room for since the one before.
    pub(super) dropped: u64,
}

impl Socket {
    /// Opens it, and joins the group where the address is one.
    pub(super) fn open(udp: &Udp, buffer: usize) -> io::Result<Socket> {
        let address = udp.address;
        let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        if address.ip().is_multicast() {
            // Others on this machine may want the group too.
            socket.set_reuse_address(true)?;
        }
        socket.set_recv_buffer_size(buffer)?;
        socket.set_nonblocking(true)?;
        // Bound to the group itself: what comes to this port for other groups is not ours.
        socket.bind(&scoped(udp)?.into())?;
        join(&socket, udp)?;
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        told_of_room(&socket, udp, buffer);
        Ok(Socket {
            socket: UdpSocket::from_std(socket.into())?,
            buffer: vec![0; LARGEST].into(),
            control: nix::cmsg_space!(u32),
            dropped: 0,
        })
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// The next datagram, if one is there.
    pub(super) fn receive(&mut self) -> io::Result<Option<Arrived>> {
        let Socket { socket, buffer, control, dropped } = self;
        let read = socket.try_io(Interest::READABLE, || {
            let mut pieces = [IoSliceMut::new(buffer)];
            let fd = socket.as_raw_fd();
            let message = recvmsg::<SockaddrStorage>(fd, &mut pieces, Some(control), MsgFlags::MSG_DONTWAIT)?;
            let from = message.address.as_ref().and_then(address).ok_or(Errno::EAFNOSUPPORT)?;
            let all = message.cmsgs()?.find_map(|control| match control {
                ControlMessageOwned::RxqOvfl(all) => Some(all),
                _ => None,
            });
            Ok((from, message.bytes, message.flags.contains(MsgFlags::MSG_TRUNC), all))
        });
        match read {
            Ok((from, length, truncated, all)) => {
                let all = all.unwrap_or(*dropped);
                let new = all.wrapping_sub(std::mem::replace(dropped, all));
                Ok(Some(Arrived { from, length, truncated, dropped: new.into() }))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The first bytes of what was received last.
    pub(super) fn bytes(&self, length: usize) -> &[u8] {
        &self.buffer[..length.min(LARGEST)]
    }
}

fn address(from: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = from.as_sockaddr_in().map(|from| SocketAddrV4::from(*from).into());
    v4.or_else(|| from.as_sockaddr_in6().map(|from| SocketAddrV6::from(*from).into()))
}

/// The address, with the interface in it where the group is of one link or less (RFC 4007 §6).
fn scoped(udp: &Udp) -> io::Result<SocketAddr> {
    match (udp.address, &udp.interface) {
        (SocketAddr::V6(mut address), Some(Interface::Name(name))) => {
            address.set_scope_id(index(name)?);
            Ok(address.into())
        }
        (address, _) => Ok(address),
    }
}

fn join(socket: &socket2::Socket, udp: &Udp) -> io::Result<()> {
    let interface = udp.interface.as_ref();
    match (udp.address.ip(), udp.source) {
        (IpAddr::V4(group), _) if !group.is_multicast() => Ok(()),
        (IpAddr::V4(group), Some(IpAddr::V4(source))) => {
            socket.join_ssm_v4(&source, &group, &interface.map_or(Ok(Ipv4Addr::UNSPECIFIED), v4)?)
        }
        (IpAddr::V4(group), _) => {
            let interface = match interface {
                None => InterfaceIndexOrAddress::Address(Ipv4Addr::UNSPECIFIED),
                Some(Interface::Name(name)) => InterfaceIndexOrAddress::Index(index(name)?),
                Some(interface) => InterfaceIndexOrAddress::Address(v4(interface)?),
            };
            socket.join_multicast_v4_n(&group, &interface)
        }
        (IpAddr::V6(group), _) if group.is_multicast() => {
            let index = match interface {
                Some(Interface::Name(name)) => index(name)?,
                _ => 0,
            };
            socket.join_multicast_v6(&group, index)
        }
        _ => Ok(()),
    }
}

fn index(name: &str) -> io::Result<u32> {
    if_nametoindex(name).map_err(|_| no_interface(name))
}

/// The IPv4 address of an interface.
fn v4(interface: &Interface) -> io::Result<Ipv4Addr> {
    let name = match interface {
        Interface::Address(IpAddr::V4(address)) => return Ok(*address),
        Interface::Address(address) => return Err(no_interface(&address.to_string())),
        Interface::Name(name) => name,
    };
    let own = getifaddrs()?.filter(|it| it.interface_name == *name);
    let addresses = own.filter_map(|it| it.address);
    let mut v4 = addresses.filter_map(|address| address.as_sockaddr_in().map(|it| it.ip()));
    v4.next().ok_or_else(|| no_interface(name))
}

fn no_interface(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no interface {name}"))
}

/// A burst that the kernel has no room for is lost; who runs the machine can give it more.
fn told_of_room(socket: &socket2::Socket, udp: &Udp, wanted: usize) {
    // The kernel shows twice what it gives, for its own accounting.
    let given = socket.recv_buffer_size().unwrap_or(0) / 2;
    if given < wanted {
        tracing::info!(
            address = %udp.address, wanted, given,
            "the kernel holds fewer datagrams than input.udp_buffer asks for: raise net.core.rmem_max"
        );
    }
}
