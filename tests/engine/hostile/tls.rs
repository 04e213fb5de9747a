//! Connections that end in the middle, under TLS.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_engine_operator::domain::remote::FailureClass::{Transient, Unknown};
use agent_engine_operator::engine::{Client, Operation};
use axum::serve::Listener;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{READS, WRITES};
use crate::stub::{self, call, config, failure};
use crate::tls::Tls;

/// Answers exchanges, and everything else by these bytes, after which the connection is gone without a word of TLS.
async fn breaking_off(bytes: &'static str) -> (Client, Arc<AtomicUsize>) {
    let mut tls = Tls::bind().await;
    let mut config = config(&tls.url());
    config.ca_bundle = Some(tls.authority.clone());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = tls.accept().await;
            let mut request = vec![0; 65536];
            let read = stream.read(&mut request).await.unwrap_or(0);
            if let Some(answer) = stub::answer_to_exchange(&request[..read]) {
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.ok();
            } else if read > 0 {
                count.fetch_add(1, Ordering::SeqCst);
                stream.write_all(bytes.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                // TCP ends, TLS does not: anybody on the way can do that.
                let (mut socket, _) = stream.into_inner();
                socket.shutdown().await.ok();
            }
        }
    });
    (Client::new(&config).unwrap(), asked)
}

/// Promise: hostile.tls: somebody on the network: a handshake or an answer that is cut off, also after a whole body of no length: an answer that TLS does not end is lost, whatever it says; a handshake that fails leaves no doubt: `ApiUnavailable`, or `CreationInFlight` after an issue
#[tokio::test]
async fn an_answer_that_tls_does_not_end_is_lost() {
    let row = r#"{"id":"7e6f0000-0000-4000-8000-000000000001","name":"tenant","token":"t","workspace_id":"7e6f0000-0000-4000-8000-000000000001","data":[]}"#;
    let whole: &'static str = Box::leak(format!("HTTP/1.1 200 OK\r\n\r\n{row}").into_boxed_str());
    let cases = [
        ("before the head", ""),
        ("in the head", "HTTP/1.1 200 OK\r\ncontent-le"),
        (
            "in the body",
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"token\":",
        ),
        (
            "in a chunk",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\n{\"token\":",
        ),
        // The body reads as a whole one, and only the end of TLS would tell that it is.
        ("after a body of no length", whole),
        ("after a head of no length", "HTTP/1.1 200 OK\r\n\r\n"),
    ];
    for (what, bytes) in cases {
        for (operations, class, most) in [(READS, Transient, 2), (WRITES, Unknown, 1)] {
            for operation in operations {
                let (engine, asked) = breaking_off(bytes).await;
                let failure = failure(call(&engine, operation).await);
                assert_eq!(failure.class, class, "{what}, {operation:?}: {failure:?}");
                assert_eq!(asked.load(Ordering::SeqCst), most, "{what}, {operation:?}");
            }
        }
    }
}

/// Nothing was sent yet, so nothing is in doubt.
///
/// Promise: hostile.tls
#[tokio::test]
async fn a_handshake_that_ends_in_the_middle_leaves_no_doubt() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let visits = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let nth = visits.fetch_add(1, Ordering::SeqCst);
            let mut hello = vec![0; 65536];
            let _length = stream.read(&mut hello).await.unwrap_or(0);
            // Half a record of a handshake, an answer in plain HTTP, or nothing.
            let said: &[u8] = match nth % 3 {
                0 => &[0x16, 0x03, 0x03, 0x40, 0x00, 0x02, 0x00],
                1 => b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
                _ => b"",
            };
            stream.write_all(said).await.ok();
        }
    });
    let engine = Client::new(&config(&format!("https://localhost:{port}"))).unwrap();
    for operation in Operation::ALL {
        let before = count.load(Ordering::SeqCst);
        let failure = failure(call(&engine, operation).await);
        assert_eq!(
            (failure.class, failure.status),
            (Transient, None),
            "{operation:?}: {failure:?}"
        );
        assert!(
            failure.detail.contains("no connection could be made"),
            "{failure:?}"
        );
        assert_eq!(
            count.load(Ordering::SeqCst) - before,
            2,
            "{operation:?}: once, and once more"
        );
    }
}
