//! Names of Services, for Pods: a name server that knows no other names. A Service is answered by its Pods that are ready, as a
//! headless one is: nothing here carries what is sent to a Service's own address.

use std::net::Ipv4Addr;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{Api, Client, api::ListParams};
use tokio::net::UdpSocket;

const DOMAIN: [&str; 3] = ["svc", "cluster", "local"];
const HEADER: usize = 12;
const TYPE_A: u16 = 1;
/// An answer may be kept for so long, in seconds.
const KEPT: u32 = 1;

/// Runs as long as it is polled.
pub async fn serve(socket: UdpSocket, client: Client) {
    let mut query = [0_u8; 512];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut query).await else {
            continue;
        };
        let Some(question) = Question::read(&query[..length]) else {
            continue;
        };
        let answer = question.answer(addresses(&client, &question.labels).await);
        // Who asked may be gone.
        socket.send_to(&answer, from).await.ok();
    }
}

/// None: there is no such Service.
async fn addresses(client: &Client, labels: &[String]) -> Option<Vec<Ipv4Addr>> {
    let [service, namespace, domain @ ..] = labels else {
        return None;
    };
    if domain != DOMAIN {
        return None;
    }
    let slices = Api::<EndpointSlice>::namespaced(client.clone(), namespace);
    let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
    let slices = slices.list(&of_service).await.ok()?.items;
    let endpoints = slices.into_iter().flat_map(|slice| slice.endpoints);
    let ready = endpoints.filter(|endpoint| {
        let conditions = endpoint.conditions.as_ref();
        conditions.and_then(|conditions| conditions.ready) != Some(false)
    });
    let addresses: Vec<Ipv4Addr> = ready
        .flat_map(|endpoint| endpoint.addresses)
        .filter_map(|address| address.parse().ok())
        .collect();
    (!addresses.is_empty()).then_some(addresses)
}

/// The one question of a query.
struct Question {
    id: [u8; 2],
    /// As it was asked, to be said again.
    bytes: Vec<u8>,
    labels: Vec<String>,
    kind: u16,
}

impl Question {
    fn read(query: &[u8]) -> Option<Self> {
        let id = [*query.first()?, *query.get(1)?];
        let mut at = HEADER;
        let mut labels = Vec::new();
        loop {
            let length = usize::from(*query.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            let label = query.get(at..at + length)?;
            labels.push(String::from_utf8(label.to_ascii_lowercase()).ok()?);
            at += length;
        }
        let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
        Some(Self {
            id,
            bytes: query.get(HEADER..at + 4)?.to_vec(),
            labels,
            kind,
        })
    }

    fn answer(&self, addresses: Option<Vec<Ipv4Addr>>) -> Vec<u8> {
        // An answer, recursion available; code 3: no such name.
        let code = if addresses.is_some() { 0x8180_u16 } else { 0x8183 };
        let addresses = match self.kind {
            TYPE_A => addresses.unwrap_or_default(),
            _ => Vec::new(),
        };
        let count = u16::try_from(addresses.len()).unwrap_or_default();
        let mut answer = self.id.to_vec();
        for number in [code, 1, count, 0, 0] {
            answer.extend(number.to_be_bytes());
        }
        answer.extend(&self.bytes);
        for address in addresses {
            // The name that was asked for, an address of the internet.
            answer.extend([0xc0, 0x0c, 0, 1, 0, 1]);
            answer.extend(KEPT.to_be_bytes());
            answer.extend([0, 4]);
            answer.extend(address.octets());
        }
        answer
    }
}
