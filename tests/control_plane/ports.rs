//! Ports chosen by the kernel and kept from everybody else until the cluster ends.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

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
        Self::at(Ipv4Addr::LOCALHOST)
    }

    /// At an address of this machine.
    pub fn at(address: Ipv4Addr) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        socket
            .bind((address, 0).into())
            .with_context(|| format!("no free port on {address}"))?;
        let address = socket.local_addr()?;
        Ok(Self {
            _socket: socket,
            address,
        })
    }

    pub fn number(&self) -> u16 {
        self.address.port()
    }

    pub fn address(&self) -> IpAddr {
        self.address.ip()
    }

    /// `scheme://127.0.0.1:port`
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }
}
