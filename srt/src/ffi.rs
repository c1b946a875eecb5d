//! Calls into libsrt, and its calls into here: all `unsafe` of the crate.
//!
//! A socket is a number that libsrt looks up under locks of its own, from whatever thread; one that is closed is an
//! error and no dangling pointer. So [`Id`] can be copied freely, and what has to be shown here is only that pointers
//! are valid for the time of a call. libsrt keeps one pointer, that of a listener's hook; it is no pointer but the
//! number of a hook in a table.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use socket2::SockAddr;

use crate::error::Error;

mod raw {
    #![allow(non_camel_case_types, non_upper_case_globals, non_snake_case, dead_code, missing_docs)]
    #![allow(clippy::all, unnameable_types, unused_qualifications)]
    include!(concat!(env!("OUT_DIR"), "/libsrt.rs"));
}

pub(crate) use raw::CBytePerfMon as Counters;

/// A socket of libsrt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Id(raw::SRTSOCKET);

/// What sockets are polled with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Epoll(c_int);

/// libsrt's number of what went wrong in a call on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Errno(pub(crate) c_int);

/// What a socket is ready for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) socket: Id,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// Where a socket stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Connecting,
    Connected,
    Over,
}

/// Options that are numbers or yes and no.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Opt {
    Live,
    ReceivesBlocking,
    SendsBlocking,
    Mss,
    FlightWindow,
    ReceiveBuffer,
    UdpReceiveBuffer,
    Payload,
    Latency,
    PeerIdle,
    OldestPeer,
    EnforcedEncryption,
    ConnectTimeout,
    KeyLength,
    /// Read only: bytes that are received and not delivered.
    Received,
    /// Read only: what became of the peer's keys.
    ReceiveKeys,
    /// Read only: what became of the own keys.
    SendKeys,
}

/// Options that are bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    StreamId,
    Passphrase,
}

/// Asked in the handshake whether a caller may come in. It runs in the thread that receives for all connections of the
/// port, so it must not wait long.
pub(crate) trait Hook: Send + Sync {
    /// Whether `socket`, which has only begun, may be connected.
    fn lets_in(&self, socket: Id, peer: SocketAddr, stream_id: &[u8]) -> bool;
}

impl Opt {
    fn raw(self) -> raw::SRT_SOCKOPT {
        match self {
            Opt::Live => raw::SRTO_TRANSTYPE,
            Opt::ReceivesBlocking => raw::SRTO_RCVSYN,
            Opt::SendsBlocking => raw::SRTO_SNDSYN,
            Opt::Mss => raw::SRTO_MSS,
            Opt::FlightWindow => raw::SRTO_FC,
            Opt::ReceiveBuffer => raw::SRTO_RCVBUF,
            Opt::UdpReceiveBuffer => raw::SRTO_UDP_RCVBUF,
            Opt::Payload => raw::SRTO_PAYLOADSIZE,
            Opt::Latency => raw::SRTO_LATENCY,
            Opt::PeerIdle => raw::SRTO_PEERIDLETIMEO,
            Opt::OldestPeer => raw::SRTO_MINVERSION,
            Opt::EnforcedEncryption => raw::SRTO_ENFORCEDENCRYPTION,
            Opt::ConnectTimeout => raw::SRTO_CONNTIMEO,
            Opt::KeyLength => raw::SRTO_PBKEYLEN,
            Opt::Received => raw::SRTO_RCVDATA,
            Opt::ReceiveKeys => raw::SRTO_RCVKMSTATE,
            Opt::SendKeys => raw::SRTO_SNDKMSTATE,
        }
    }
}

impl Text {
    fn raw(self) -> raw::SRT_SOCKOPT {
        match self {
            Text::StreamId => raw::SRTO_STREAMID,
            Text::Passphrase => raw::SRTO_PASSPHRASE,
        }
    }
}

impl Errno {
    /// Nothing to be had at the moment, or no room.
    pub(crate) fn is_again(self) -> bool {
        self.0 / 1000 == raw::MJ_AGAIN
    }
}

/// Starts libsrt, once for the process; it is never stopped.
pub(crate) fn start() -> Result<(), Error> {
    static STARTED: OnceLock<c_int> = OnceLock::new();
    let started = *STARTED.get_or_init(|| {
        // SAFETY: no arguments but a number and a function that lives for ever.
        unsafe {
            give_memory_back();
            raw::srt_setloglevel(libc::LOG_CRIT);
            raw::srt_setloghandler(std::ptr::null_mut(), Some(log));
            raw::srt_startup()
        }
    });
    if started < 0 { Err(last_error()) } else { Ok(()) }
}

/// libsrt allocates with the system's allocator, whatever ours is. A connection has a few blocks of some hundred kilobytes;
/// glibc would keep more and more of what many handshakes at once took.
///
/// # Safety
///
/// Numbers only; may be called at any time.
unsafe fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    {
        const BLOCK: c_int = 64 << 10;
        // SAFETY: numbers only.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, BLOCK);
            libc::mallopt(libc::M_TRIM_THRESHOLD, BLOCK);
        }
    }
}

/// Gives back memory that the system's allocator keeps between what is in use: what libsrt took for many at once.
pub(crate) fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: a number only; the allocator locks what it looks at.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Calls `last` when the process exits, before libsrt takes itself down.
pub(crate) fn at_exit(last: extern "C" fn()) {
    // SAFETY: a function that lives for ever.
    unsafe { libc::atexit(last) };
}

/// Only what libsrt calls critical comes here; a peer can bring that about, so it is nothing for an operator.
unsafe extern "C" fn log(
    _: *mut c_void,
    level: c_int,
    _: *const c_char,
    _: c_int,
    _: *const c_char,
    message: *const c_char,
) {
    if message.is_null() {
        return;
    }
    // SAFETY: libsrt passes a text that ends with a NUL and is valid for the time of the call.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    // A panic must not get into libsrt.
    let _ = catch_unwind(|| tracing::debug!(level, "libsrt: {}", text.trim_end()));
}

/// A new socket, neither bound nor connected.
pub(crate) fn create() -> Result<Id, Error> {
    // SAFETY: no arguments.
    let socket = unsafe { raw::srt_create_socket() };
    if socket < 0 { Err(last_error()) } else { Ok(Id(socket)) }
}

pub(crate) fn set(socket: Id, option: Opt, value: i32) -> Result<(), Error> {
    let at: *const i32 = &value;
    // SAFETY: the pointer is valid for the length that is given, and is not kept.
    checked(unsafe { raw::srt_setsockflag(socket.0, option.raw(), at.cast(), size::<i32>()) })
}

pub(crate) fn set_flag(socket: Id, option: Opt, value: bool) -> Result<(), Error> {
    set(socket, option, i32::from(value))
}

pub(crate) fn get(socket: Id, option: Opt) -> Result<i32, Error> {
    let (mut value, mut length) = (0_i32, size::<i32>());
    let at: *mut i32 = &mut value;
    // SAFETY: the pointers are valid; these options write four bytes at most.
    checked(unsafe { raw::srt_getsockflag(socket.0, option.raw(), at.cast(), &mut length) })?;
    Ok(value)
}

pub(crate) fn set_text(socket: Id, option: Text, value: &[u8]) -> Result<(), Error> {
    let length = c_int::try_from(value.len()).unwrap_or(c_int::MAX);
    // SAFETY: the pointer is valid for the length that is given; libsrt refuses what is too long, and copies.
    checked(unsafe { raw::srt_setsockflag(socket.0, option.raw(), value.as_ptr().cast(), length) })
}

pub(crate) fn stream_id(socket: Id) -> Result<Vec<u8>, Error> {
    // One more for the NUL that libsrt writes.
    let mut buffer = vec![0_u8; crate::MAX_STREAM_ID + 1];
    let mut length = c_int::try_from(buffer.len()).unwrap_or(0);
    let at = buffer.as_mut_ptr().cast();
    // SAFETY: the buffer is as long as the longest stream id and its NUL, and libsrt is told how long.
    checked(unsafe { raw::srt_getsockflag(socket.0, Text::StreamId.raw(), at, &mut length) })?;
    buffer.truncate(usize::try_from(length).unwrap_or(0));
    Ok(buffer)
}

/// Hands a bound UDP socket over to libsrt, which closes it.
pub(crate) fn acquire(socket: Id, udp: UdpSocket) -> Result<(), Error> {
    // SAFETY: the descriptor is open and of a bound UDP socket.
    checked(unsafe { raw::srt_bind_acquire(socket.0, udp.as_raw_fd()) })?;
    // Now it is libsrt's.
    let _ = udp.into_raw_fd();
    Ok(())
}

/// Listens, and asks `hook` about callers until the socket is [closed](unhook).
pub(crate) fn listen(socket: Id, backlog: u32, hook: Arc<dyn Hook>) -> Result<(), Error> {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    hooks().insert(number, (socket, hook));
    let opaque = std::ptr::without_provenance_mut(number);
    // SAFETY: the function lives for ever, and what it gets back is a number.
    let hooked = checked(unsafe { raw::srt_listen_callback(socket.0, Some(on_handshake), opaque) });
    let backlog = c_int::try_from(backlog).unwrap_or(c_int::MAX);
    // SAFETY: numbers only.
    let listens = hooked.and_then(|()| checked(unsafe { raw::srt_listen(socket.0, backlog) }));
    if listens.is_err() {
        unhook(socket);
    }
    listens
}

/// The next connection, if there is one.
pub(crate) fn accept(socket: Id) -> Result<Option<(Id, SocketAddr)>, Error> {
    // SAFETY: libsrt fills in an address that fits in the storage, as it is told its length.
    let accepted = unsafe {
        SockAddr::try_init(|storage, length| {
            let mut room = size::<libc::sockaddr_in6>();
            let id = raw::srt_accept(socket.0, storage.cast(), &mut room);
            *length = libc::socklen_t::try_from(room).unwrap_or(0);
            if id < 0 { Err(std::io::Error::other("no connection")) } else { Ok(Id(id)) }
        })
    };
    let Ok((id, address)) = accepted else {
        let errno = last_errno();
        return if errno.is_again() { Ok(None) } else { Err(error_of(errno)) };
    };
    Ok(address.as_socket().map(|peer| (id, peer)))
}

/// Begins to connect.
pub(crate) fn connect(socket: Id, peer: SocketAddr) -> Result<(), Error> {
    let address = SockAddr::from(peer);
    let length = c_int::try_from(address.len()).unwrap_or(0);
    // SAFETY: the address is valid for its length.
    checked(unsafe { raw::srt_connect(socket.0, address.as_ptr().cast(), length) })
}

pub(crate) fn receive(socket: Id, buffer: &mut [u8]) -> Result<usize, Errno> {
    let length = c_int::try_from(buffer.len()).unwrap_or(c_int::MAX);
    // SAFETY: the buffer is valid for that length, and nothing else refers to it.
    let received = unsafe { raw::srt_recvmsg(socket.0, buffer.as_mut_ptr().cast(), length) };
    usize::try_from(received).map_err(|_| last_errno())
}

pub(crate) fn send(socket: Id, message: &[u8]) -> Result<usize, Errno> {
    let length = c_int::try_from(message.len()).unwrap_or(c_int::MAX);
    // SAFETY: the message is valid for that length; libsrt copies it.
    let sent = unsafe { raw::srt_send(socket.0, message.as_ptr().cast(), length) };
    usize::try_from(sent).map_err(|_| last_errno())
}

/// Bytes that are sent and not acknowledged.
pub(crate) fn unsent(socket: Id) -> usize {
    let (mut blocks, mut bytes) = (0, 0);
    // SAFETY: both pointers are valid.
    unsafe { raw::srt_getsndbuffer(socket.0, &mut blocks, &mut bytes) };
    bytes
}

/// Closes. May take a moment; afterwards the hook of a listener is not called any more.
pub(crate) fn close(socket: Id) {
    // SAFETY: a number.
    unsafe { raw::srt_close(socket.0) };
    unhook(socket);
}

pub(crate) fn state(socket: Id) -> State {
    // SAFETY: a number.
    match unsafe { raw::srt_getsockstate(socket.0) } {
        raw::SRTS_CONNECTED => State::Connected,
        raw::SRTS_INIT | raw::SRTS_OPENED | raw::SRTS_LISTENING | raw::SRTS_CONNECTING => State::Connecting,
        _ => State::Over,
    }
}

pub(crate) fn reject_reason(socket: Id) -> i32 {
    // SAFETY: a number.
    unsafe { raw::srt_getrejectreason(socket.0) }
}

pub(crate) fn set_reject_reason(socket: Id, code: i32) {
    // SAFETY: numbers.
    unsafe { raw::srt_setrejectreason(socket.0, code) };
}

/// Counters since the beginning; `None` of a connection that is over.
pub(crate) fn counters(socket: Id) -> Option<Box<Counters>> {
    let mut counters = Box::<Counters>::default();
    // SAFETY: the structure is laid out as in the header of the library that is linked.
    let told = unsafe { raw::srt_bistats(socket.0, &mut *counters, 0, 1) };
    (told == 0).then_some(counters)
}

/// Whether what the peer sends, or what is sent to it, is encrypted with keys that both have.
pub(crate) fn is_secured(socket: Id) -> bool {
    let secured = i32::try_from(raw::SRT_KM_S_SECURED).unwrap_or(-1);
    [Opt::ReceiveKeys, Opt::SendKeys].into_iter().any(|keys| get(socket, keys).is_ok_and(|it| it == secured))
}

impl Epoll {
    /// One without sockets; it may be waited for all the same.
    pub(crate) fn new() -> Result<Epoll, Error> {
        // SAFETY: numbers.
        let epoll = unsafe { raw::srt_epoll_create() };
        checked(epoll)?;
        // SAFETY: numbers.
        unsafe { raw::srt_epoll_set(epoll, raw::SRT_EPOLL_ENABLE_EMPTY as i32) };
        Ok(Epoll(epoll))
    }

    /// Tells when the socket becomes ready, once each time.
    pub(crate) fn add(self, socket: Id) -> Result<(), Error> {
        let events = raw::SRT_EPOLL_IN | raw::SRT_EPOLL_OUT | raw::SRT_EPOLL_ERR | raw::SRT_EPOLL_ET;
        let events = events.cast_signed();
        // SAFETY: the pointer is valid for the time of the call.
        checked(unsafe { raw::srt_epoll_add_usock(self.0, socket.0, &events) })
    }

    pub(crate) fn remove(self, socket: Id) {
        // SAFETY: numbers. One that is not there is no harm.
        unsafe { raw::srt_epoll_remove_usock(self.0, socket.0) };
    }

    /// Sockets that became ready, after that time at the latest.
    pub(crate) fn wait(self, at_most: Duration, ready: &mut Vec<Ready>) {
        const BATCH: usize = 256;
        let mut events = [raw::SRT_EPOLL_EVENT { fd: 0, events: 0 }; BATCH];
        let milliseconds = i64::try_from(at_most.as_millis()).unwrap_or(i64::MAX);
        // SAFETY: there are as many places as libsrt is told.
        let count =
            unsafe { raw::srt_epoll_uwait(self.0, events.as_mut_ptr(), length_of(BATCH), milliseconds) };
        let count = usize::try_from(count).unwrap_or(0).min(BATCH);
        ready.extend(events[..count].iter().map(|event| {
            let events = event.events.cast_unsigned();
            let broken = events & raw::SRT_EPOLL_ERR != 0;
            Ready {
                socket: Id(event.fd),
                readable: broken || events & raw::SRT_EPOLL_IN != 0,
                writable: broken || events & raw::SRT_EPOLL_OUT != 0,
            }
        }));
    }
}

type Hooks = HashMap<usize, (Id, Arc<dyn Hook>)>;

fn hooks() -> MutexGuard<'static, Hooks> {
    static HOOKS: OnceLock<Mutex<Hooks>> = OnceLock::new();
    HOOKS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

fn unhook(socket: Id) {
    hooks().retain(|_, (of, _)| *of != socket);
}

/// Called in libsrt's receiving thread for each handshake that has a valid cookie.
unsafe extern "C" fn on_handshake(
    opaque: *mut c_void,
    socket: raw::SRTSOCKET,
    _version: c_int,
    peer: *const raw::sockaddr,
    stream_id: *const c_char,
) -> c_int {
    // SAFETY: libsrt passes the address of the peer, valid for the time of the call, and its family says its length.
    let peer = unsafe { address(peer.cast()) };
    let stream_id = if stream_id.is_null() {
        &[]
    } else {
        // SAFETY: libsrt passes a text that ends with a NUL and is valid for the time of the call.
        unsafe { CStr::from_ptr(stream_id) }.to_bytes()
    };
    let hook = hooks().get(&opaque.addr()).map(|(_, hook)| hook.clone());
    let (Some(peer), Some(hook)) = (peer, hook) else { return -1 };
    // A panic must not get into libsrt. Who panics has reported it.
    let lets_in = catch_unwind(AssertUnwindSafe(|| hook.lets_in(Id(socket), peer, stream_id)));
    match lets_in {
        Ok(true) => 0,
        Ok(false) => -1,
        Err(_) => {
            set_reject_reason(Id(socket), crate::Rejection::INTERNAL.code());
            -1
        }
    }
}

/// # Safety
///
/// Points to an address that is as long as its family says, or is null.
unsafe fn address(at: *const libc::sockaddr) -> Option<SocketAddr> {
    if at.is_null() {
        return None;
    }
    // SAFETY: not null, so there is a family at least.
    let length = match c_int::from(unsafe { (*at).sa_family }) {
        libc::AF_INET => size_of::<libc::sockaddr_in>(),
        libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
        _ => return None,
    };
    // SAFETY: the address is that long, and the storage is longer than any address.
    let copied = unsafe {
        SockAddr::try_init(|storage, written| {
            std::ptr::copy_nonoverlapping(at.cast::<u8>(), storage.cast::<u8>(), length);
            *written = libc::socklen_t::try_from(length).unwrap_or(0);
            Ok(())
        })
    };
    copied.ok()?.1.as_socket()
}

fn size<T>() -> c_int {
    length_of(size_of::<T>())
}

fn length_of(length: usize) -> c_int {
    c_int::try_from(length).unwrap_or(c_int::MAX)
}

fn checked(result: c_int) -> Result<(), Error> {
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

fn last_errno() -> Errno {
    // SAFETY: libsrt takes null for "not wanted".
    Errno(unsafe { raw::srt_getlasterror(std::ptr::null_mut()) })
}

fn last_error() -> Error {
    error_of(last_errno())
}

fn error_of(errno: Errno) -> Error {
    // SAFETY: libsrt returns a text that ends with a NUL and is valid until the thread's next call.
    let text = unsafe { CStr::from_ptr(raw::srt_getlasterror_str()) }.to_string_lossy();
    Error::Library { code: errno.0, text: text.trim_end().to_owned() }
}
