//! Loopback ports chosen by the kernel and kept from everybody else until the cluster ends.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::net::TcpSocket;

/// Bound with `SO_REUSEPORT` but never listening: the server that is told to share the port gets every
/// connection, and the kernel gives the number to nobody else, before the server starts or after.
pub struct HeldPort {
    _socket: TcpSocket,
    address: SocketAddr,
}

impl HeldPort {
    pub fn any() -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        socket
            .bind((Ipv4Addr::LOCALHOST, 0).into())
            .context("no free port on 127.0.0.1")?;
        let address = socket.local_addr()?;
        Ok(Self {
            _socket: socket,
            address,
        })
    }

    pub fn number(&self) -> u16 {
        self.address.port()
    }

    /// `scheme://127.0.0.1:port`
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }
}
