//! HTTP/2, which the client speaks where a server offers it in the handshake: connections that are taken back, and streams
//! that are reset. The server here writes its frames by hand (RFC 9113), so that it can write wrong ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_engine_operator::domain::remote::FailureClass::{Malformed, Transient, Unknown};
use agent_engine_operator::engine::Client;
use agent_engine_operator::engine::Operation::{Delete, Get, Issue, Update, Verify};
use axum::serve::Listener;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::stub::{self, W1, call, config, failure};
use crate::tls::Tls;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200` of the static table.
const STATUS_200: &[u8] = &[0x88];

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

/// What the server does with a request that is no exchange.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Good,
    /// Takes the connection back: the streams up to this one were worked on.
    GoAway {
        code: u32,
        upto: Upto,
    },
    Reset(u32),
    /// Half an answer first.
    ResetInTheMiddle(u32),
    /// A good answer, and the connection is taken back.
    GoodAndGoAway,
    /// A frame that no stream may have.
    Nonsense,
}

#[derive(Clone, Copy, Debug)]
enum Upto {
    Nothing,
    This,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

fn answer(stream: u32, body: &str) -> Vec<u8> {
    let mut frames = frame(HEADERS, END_HEADERS, stream, STATUS_200);
    frames.extend(frame(DATA, END_STREAM, stream, body.as_bytes()));
    frames
}

fn go_away(upto: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[upto.to_be_bytes(), code.to_be_bytes()].concat())
}

impl Lie {
    fn frames(self, stream: u32) -> Vec<u8> {
        let row = stub::workspace(W1, "tenant").to_string();
        match self {
            Self::Good => answer(stream, &row),
            Self::GoodAndGoAway => [answer(stream, &row), go_away(stream, NO_ERROR)].concat(),
            Self::GoAway {
                code,
                upto: Upto::This,
            } => go_away(stream, code),
            Self::GoAway {
                code,
                upto: Upto::Nothing,
            } => go_away(0, code),
            Self::Reset(code) => frame(RST_STREAM, 0, stream, &code.to_be_bytes()),
            Self::ResetInTheMiddle(code) => [
                frame(HEADERS, END_HEADERS, stream, STATUS_200),
                frame(DATA, 0, stream, &row.as_bytes()[..20]),
                frame(RST_STREAM, 0, stream, &code.to_be_bytes()),
            ]
            .concat(),
            Self::Nonsense => frame(DATA, END_STREAM, 1001, b"?"),
        }
    }

    fn ends_the_connection(self) -> bool {
        matches!(self, Self::GoAway { .. } | Self::GoodAndGoAway | Self::Nonsense)
    }
}

/// The first request of a client is its exchange.
struct Server {
    lie: Lie,
    /// Lies told before all is well.
    lies: usize,
    /// Requests, exchanges included.
    asked: AtomicUsize,
    connections: AtomicUsize,
}

impl Server {
    async fn start(lie: Lie, lies: usize) -> (Client, Arc<Self>) {
        let mut tls = Tls::speaking(&[b"h2"]).await;
        let mut config = config(&tls.url());
        config.ca_bundle = Some(tls.authority.clone());
        let server = Arc::new(Self {
            lie,
            lies,
            asked: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&server);
        tokio::spawn(async move {
            loop {
                let (stream, _) = tls.accept().await;
                let server = Arc::clone(&shared);
                server.connections.fetch_add(1, Ordering::SeqCst);
                // A client that closes in the middle is none of our business.
                tokio::spawn(async move { server.serve(stream).await.ok() });
            }
        });
        (Client::new(&config).unwrap(), server)
    }

    async fn serve(&self, mut stream: TlsStream<TcpStream>) -> std::io::Result<()> {
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        stream.read_exact(&mut [0; 24]).await?; // the preface
        stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let (kind, flags) = (head[3], head[4]);
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let mut payload = vec![0; length as usize];
            stream.read_exact(&mut payload).await?;
            let said = match kind {
                SETTINGS if flags & ACK == 0 => frame(SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 => frame(PING, ACK, 0, &payload),
                HEADERS | DATA if flags & END_STREAM != 0 => {
                    let nth = self.asked.fetch_add(1, Ordering::SeqCst);
                    match nth {
                        0 => answer(id, &stub::application_token(0).to_string()),
                        nth if nth <= self.lies => {
                            stream.write_all(&self.lie.frames(id)).await?;
                            stream.flush().await?;
                            if self.lie.ends_the_connection() {
                                return stream.shutdown().await;
                            }
                            continue;
                        }
                        _ => Lie::Good.frames(id),
                    }
                }
                _ => continue,
            };
            stream.write_all(&said).await?;
            stream.flush().await?;
        }
    }

    /// Requests that are no exchanges.
    fn calls(&self) -> usize {
        self.asked.load(Ordering::SeqCst).saturating_sub(1)
    }
}

#[tokio::test]
async fn the_client_speaks_http2_where_the_server_offers_it() {
    let (engine, server) = Server::start(Lie::Good, 0).await;
    for _ in 0..3 {
        assert!(call(&engine, Get).await.result.is_ok());
    }
    assert_eq!(
        (server.calls(), server.connections.load(Ordering::SeqCst)),
        (3, 1)
    );
}

/// Neither layer below repeats what was reset: a write is sent once, a read once more.
///
/// Promise: hostile.http2: a server or a proxy that restarts: GOAWAY, RST_STREAM, frames that no stream may have: no layer repeats a write; a read is asked once more; the next request has a new connection: nothing, or `ApiUnavailable`
#[tokio::test]
async fn what_is_reset_or_taken_back_is_lost() {
    let mut lies = vec![Lie::Nonsense];
    for code in [
        NO_ERROR,
        INTERNAL_ERROR,
        REFUSED_STREAM,
        CANCEL,
        ENHANCE_YOUR_CALM,
    ] {
        lies.extend([Lie::Reset(code), Lie::ResetInTheMiddle(code)]);
        lies.extend([Upto::Nothing, Upto::This].map(|upto| Lie::GoAway { code, upto }));
    }
    for lie in lies {
        // A reset without an error ends an answer well, so that what is there is read.
        // A deletion that is answered so is asked for by its id.
        let (of_read, reads, deletion) = match lie {
            Lie::ResetInTheMiddle(NO_ERROR) => (Malformed, 1, 2),
            _ => (Transient, 2, 1),
        };
        for (operation, class, sent) in [
            (Get, of_read, reads),
            (Verify, of_read, reads),
            (Issue, Unknown, 1),
            (Update, Unknown, 1),
            (Delete, Unknown, deletion),
        ] {
            let (engine, server) = Server::start(lie, usize::MAX).await;
            engine.authenticate().await.result.unwrap();
            let failure = failure(call(&engine, operation).await);
            assert_eq!(failure.class, class, "{lie:?} to {operation:?}: {failure:?}");
            assert_eq!(server.calls(), sent, "{lie:?} to {operation:?}");
        }
    }
}

/// The next request goes well, over a new connection where the old one was taken back.
///
/// Promise: hostile.http2
#[tokio::test]
async fn a_connection_that_was_taken_back_is_made_again() {
    for (lie, connections) in [
        (Lie::GoodAndGoAway, 2),
        (Lie::Reset(CANCEL), 1),
        (Lie::ResetInTheMiddle(INTERNAL_ERROR), 1),
        (
            Lie::GoAway {
                code: NO_ERROR,
                upto: Upto::Nothing,
            },
            2,
        ),
        (Lie::Nonsense, 2),
    ] {
        let (engine, server) = Server::start(lie, 1).await;
        // A read that is lost is sent once more.
        for _ in 0..2 {
            assert!(call(&engine, Get).await.result.is_ok(), "{lie:?}");
        }
        assert_eq!(server.connections.load(Ordering::SeqCst), connections, "{lie:?}");
    }
}
