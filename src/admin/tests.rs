use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::domain::reason::Reason;

/// Status line and body of an answer, over a real connection.
fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[test]
fn ready_means_every_gate_is_open_and_closed_ones_are_named() {
    let state = AdminState::default();
    let (stores, organizations) = (
        state.readiness.gate("stores"),
        state.readiness.gate("organizations"),
    );
    let listener = start(loopback(), state).unwrap();
    let ready = || get(listener.address(), "/readyz");

    assert_eq!(
        ready(),
        (
            "HTTP/1.1 503 Service Unavailable".into(),
            "not ready: stores, organizations\n".into()
        )
    );
    stores.open();
    assert_eq!(ready().1, "not ready: organizations\n");
    organizations.open();
    assert_eq!(ready(), ("HTTP/1.1 200 OK".into(), "ok\n".into()));
    stores.close("a watch is deaf");
    assert_eq!(ready().1, "not ready: stores (a watch is deaf)\n");
}

#[test]
fn a_verbose_probe_tells_of_every_gate_and_note() {
    let state = AdminState::default();
    let (stores, lease) = (state.readiness.gate("stores"), state.readiness.gate("lease"));
    let readiness = state.readiness.clone();
    let listener = start(loopback(), state).unwrap();
    let ready = || get(listener.address(), "/readyz?verbose");
    stores.open();
    lease.close("no answer");
    readiness.note(vec!["all is left to another".to_owned()]);
    let told =
        "[+]stores ok\n[-]lease: no answer\nnote: all is left to another\nnot ready: lease (no answer)\n";
    assert_eq!(ready(), ("HTTP/1.1 503 Service Unavailable".into(), told.into()));
    lease.open();
    readiness.note(Vec::new());
    assert_eq!(
        ready(),
        ("HTTP/1.1 200 OK".into(), "[+]stores ok\n[+]lease ok\nok\n".into())
    );
}

#[test]
fn liveness_does_not_wait_for_readiness() {
    let state = AdminState::default();
    let _closed = state.readiness.gate("stores");
    let listener = start(loopback(), state).unwrap();
    assert_eq!(get(listener.address(), "/livez").0, "HTTP/1.1 200 OK");
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind(loopback()).unwrap();
    let address = taken.local_addr().unwrap();
    let error = start(address, AdminState::default()).unwrap_err().to_string();
    assert!(
        error.contains(&address.to_string()) && error.contains("--listen"),
        "{error}"
    );
}

#[test]
fn an_open_connection_does_not_hold_up_the_end() {
    let listener = start(loopback(), AdminState::default()).unwrap();
    let _idle = TcpStream::connect(listener.address()).unwrap();
    let address = listener.address();
    drop(listener);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn probes_answer_while_the_main_runtime_is_blocked() {
    let main = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    main.block_on(async {
        let listener = start(loopback(), AdminState::default()).unwrap();
        // A blocking read inside the only thread of the main runtime: state by another thread or not at all.
        assert_eq!(get(listener.address(), "/livez").0, "HTTP/1.1 200 OK");
    });
}

#[test]
fn what_is_counted_can_be_scraped() {
    let state = AdminState::default();
    let count = Arc::clone(&state.metrics);
    let listener = start(loopback(), state).unwrap();
    count.watch_failed("secrets");
    count.watch_failed("secrets");

    let (status, body) = get(listener.address(), "/metrics");
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(
        body.contains("\nagent_engine_operator_watch_errors_total{resource=\"secrets\"} 2\n"),
        "{body}"
    );
    assert!(body.ends_with("# EOF\n"), "{body}");
}

#[test]
fn a_reason_that_no_workspace_has_any_more_counts_none() {
    let metrics = Metrics::default();
    metrics.set_workspaces(&[(Reason::AsDeclared, 2), (Reason::AlreadyExists, 1)].into());
    metrics.set_workspaces(&[(Reason::AsDeclared, 3)].into());
    let text = metrics.encode().unwrap();
    assert!(
        text.contains("agent_engine_operator_workspaces{reason=\"AsDeclared\"} 3\n"),
        "{text}"
    );
    assert!(
        text.contains("agent_engine_operator_workspaces{reason=\"AlreadyExists\"} 0\n"),
        "{text}"
    );
}
