//! The skin on a real socket.
