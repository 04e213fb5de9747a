//! Real sockets on loopback: trust, redirects, connections refused and lost.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_engine_operator::domain::remote::FailureClass::{Malformed, Transient, Unknown};
use agent_engine_operator::engine::{Client, ConfigError, Operation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::stub::{self, EXCHANGE, Log, Reply, Seen, call, config, failure, text};
use crate::tls::Tls;

async fn loopback() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn plain(script: impl Fn(&Seen) -> Option<Reply> + Clone + Send + Sync + 'static) -> (Client, Log) {
    let (router, log) = stub::router(script);
    let (listener, address) = loopback().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    (Client::new(&config(&format!("http://{address}"))).unwrap(), log)
}

pub struct Secured {
    pub url: String,
    pub ca: String,
    pub log: Log,
    refused: Arc<AtomicUsize>,
}

/// A stub behind TLS, with a certificate from an authority that only this test knows.
pub async fn secured(script: impl Fn(&Seen) -> Option<Reply> + Clone + Send + Sync + 'static) -> Secured {
    let (router, log) = stub::router(script);
    let tls = Tls::bind().await;
    let secured = Secured {
        url: tls.url(),
        ca: tls.authority.clone(),
        log,
        refused: Arc::clone(&tls.refused),
    };
    tokio::spawn(async move { axum::serve(tls, router).await });
    secured
}

#[tokio::test]
async fn a_private_authority_is_trusted_once_it_is_in_the_bundle() {
    let server = secured(|_| None).await;
    let mut config = config(&server.url);

    let distrusted = failure(call(&Client::new(&config).unwrap(), Operation::Issue).await);
    assert_eq!(distrusted.class, Transient, "{distrusted:?}");
    assert!(
        distrusted.detail.to_lowercase().contains("certificate"),
        "{distrusted:?}"
    );
    assert_eq!(server.log.all().len(), 0, "nothing was sent");
    assert_ne!(server.refused.load(Ordering::SeqCst), 0);

    config.ca_bundle = Some(format!("# our authority\n{}", server.ca));
    let engine = Client::new(&config).unwrap();
    for operation in Operation::ALL {
        let answer = call(&engine, operation).await;
        assert!(answer.result.is_ok(), "{operation:?}: {answer:?}");
    }
}

#[test]
fn a_bundle_without_a_usable_certificate_is_refused_at_once() {
    let mut config = config("https://localhost");
    for bundle in [
        "",
        "certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        config.ca_bundle = Some(bundle.to_owned());
        assert_eq!(
            Client::new(&config).err(),
            Some(ConfigError::InvalidCaBundle),
            "{bundle:?}"
        );
    }
}

/// Promise: hostile.redirect: whoever can redirect: 3xx to another host, with or without a page: no redirect is followed, so no credential and no token goes to another origin: `ApiUnavailable`
#[tokio::test]
async fn a_redirect_is_not_followed_and_carries_no_credentials_away() {
    let (thief, stolen) = loopback().await;
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    tokio::spawn(async move {
        while thief.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    for status in [301, 302, 303, 307, 308] {
        for only_calls in [false, true] {
            let (engine, log) = plain(move |seen| {
                let elsewhere = format!("http://{stolen}{}", seen.path);
                (!only_calls || seen.path != EXCHANGE)
                    .then(|| text(status, "").header("location", &elsewhere))
            })
            .await;
            let failure = failure(call(&engine, Operation::Issue).await);
            assert_eq!((failure.class, failure.status), (Malformed, Some(status)));
            assert_eq!(log.all().len(), 1 + usize::from(only_calls));
        }
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_refused_connection_leaves_no_doubt() {
    let (listener, address) = loopback().await;
    drop(listener);
    let engine = Client::new(&config(&format!("http://{address}"))).unwrap();
    for operation in Operation::ALL {
        let failure = failure(call(&engine, operation).await);
        assert_eq!(
            (failure.class, failure.status),
            (Transient, None),
            "{operation:?}"
        );
        assert!(
            failure.detail.contains("no connection could be made"),
            "{failure:?}"
        );
    }
}

/// Answers exchanges, and closes the connection on everything else once the request has been read.
async fn deserter() -> (SocketAddr, Arc<AtomicUsize>) {
    let (listener, address) = loopback().await;
    let deserted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&deserted);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 65536];
            let read = stream.read(&mut request).await.unwrap_or(0);
            if let Some(answer) = stub::answer_to_exchange(&request[..read]) {
                stream.write_all(answer.as_bytes()).await.unwrap();
            } else if read > 0 {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (address, deserted)
}

/// The write was sent once.
#[tokio::test]
async fn a_lost_answer_to_a_write_is_unknown() {
    for (operation, class, sent) in [
        (Operation::Issue, Unknown, 1),
        (Operation::Update, Unknown, 1),
        (Operation::Delete, Unknown, 1),
        (Operation::Get, Transient, 2),
        (Operation::Verify, Transient, 2),
    ] {
        let (address, deserted) = deserter().await;
        let engine = Client::new(&config(&format!("http://{address}"))).unwrap();
        assert_eq!(
            failure(call(&engine, operation).await).class,
            class,
            "{operation:?}"
        );
        assert_eq!(deserted.load(Ordering::SeqCst), sent, "{operation:?}");
    }
}
