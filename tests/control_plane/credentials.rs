//! Everything that a cluster's parts and users need to trust each other: certificates, tokens, kubeconfigs.

use std::{
    fs::{self, File, Permissions},
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use serde_json::json;

use crate::node;

/// Users that tests may hand out, one to each operator, so that the audit log tells them apart.
pub const USERS: usize = 800;
const USERS_GROUP: &str = "operators";

const CONTROLLER_MANAGER: &str = "system:kube-controller-manager";
const SCHEDULER: &str = "system:kube-scheduler";

/// Paths of files that are written before anything starts.
pub struct Credentials {
    pub ca_file: PathBuf,
    pub server_certificate: PathBuf,
    pub server_key: PathBuf,
    pub service_account_key: PathBuf,
    pub service_account_public_key: PathBuf,
    pub token_file: PathBuf,
    pub admin_kubeconfig: PathBuf,
    pub controller_manager_kubeconfig: PathBuf,
    pub scheduler_kubeconfig: PathBuf,
    /// With it the API server asks the kubelet for logs.
    pub kubelet_client: (PathBuf, PathBuf),
    pub kubelet_kubeconfig: PathBuf,
    pub users_dir: PathBuf,
}

impl Credentials {
    /// Writes all of them below `dir`, for an API server at `api_url`.
    pub fn write(dir: &Path, api_url: &str) -> anyhow::Result<Self> {
        let pki = private_folder(dir.join("pki"))?;
        let users_dir = private_folder(dir.join("users"))?;
        let certificates = Certificates::issue()?;
        let ca_file = write(dir.join("ca.crt"), &certificates.ca)?;
        let kubeconfig = |path: PathBuf, user: &str, token: &str| {
            write(path, &kubeconfig(api_url, &ca_file, user, token).to_string())
        };

        let service_accounts = KeyPair::generate()?;
        let admin_token = random_token()?;
        let manager_token = random_token()?;
        let scheduler_token = random_token()?;
        let kubelet_token = random_token()?;
        let kubelet = format!("system:node:{}", node::NAME);
        let mut tokens = format!(
            "{admin_token},admin,admin,\"system:masters\"\n\
             {manager_token},{CONTROLLER_MANAGER},{CONTROLLER_MANAGER}\n\
             {scheduler_token},{SCHEDULER},{SCHEDULER}\n\
             {kubelet_token},{kubelet},{kubelet},\"system:nodes\"\n"
        );
        for number in 0..USERS {
            let (user, token) = (format!("user-{number:03}"), random_token()?);
            tokens.push_str(&format!("{token},{user},{user},\"{USERS_GROUP}\"\n"));
            kubeconfig(users_dir.join(format!("{user}.kubeconfig")), &user, &token)?;
        }
        Ok(Self {
            admin_kubeconfig: kubeconfig(dir.join("kubeconfig"), "admin", &admin_token)?,
            controller_manager_kubeconfig: kubeconfig(
                pki.join("controller-manager.kubeconfig"),
                CONTROLLER_MANAGER,
                &manager_token,
            )?,
            scheduler_kubeconfig: kubeconfig(pki.join("scheduler.kubeconfig"), SCHEDULER, &scheduler_token)?,
            kubelet_kubeconfig: kubeconfig(pki.join("kubelet.kubeconfig"), &kubelet, &kubelet_token)?,
            server_certificate: write(pki.join("server.crt"), &certificates.server.0)?,
            server_key: write(pki.join("server.key"), &certificates.server.1)?,
            kubelet_client: (
                write(pki.join("kubelet-client.crt"), &certificates.kubelet_client.0)?,
                write(pki.join("kubelet-client.key"), &certificates.kubelet_client.1)?,
            ),
            service_account_key: write(pki.join("service-account.key"), &service_accounts.serialize_pem())?,
            service_account_public_key: write(
                pki.join("service-account.pub"),
                &service_accounts.public_key_pem(),
            )?,
            token_file: write(pki.join("tokens.csv"), &tokens)?,
            ca_file,
            users_dir,
        })
    }
}

/// In PEM: of a new authority, and those that it signed, each with its key.
struct Certificates {
    ca: String,
    server: (String, String),
    kubelet_client: (String, String),
}

impl Certificates {
    fn issue() -> anyhow::Result<Self> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority
            .distinguished_name
            .push(DnType::CommonName, "cluster authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

        let names = [
            "127.0.0.1",
            node::HOST_ADDRESS,
            node::API_SERVICE,
            "localhost",
            "kubernetes.default.svc",
        ];
        let mut server = CertificateParams::new(names.map(String::from).to_vec())?;
        server
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");

        let mut client = CertificateParams::default();
        client
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver-kubelet-client");
        client
            .distinguished_name
            .push(DnType::OrganizationName, "system:masters");
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];

        let signed = |parameters: CertificateParams| -> anyhow::Result<(String, String)> {
            let key = KeyPair::generate()?;
            let certificate = parameters.signed_by(&key, &authority)?;
            Ok((certificate.pem(), key.serialize_pem()))
        };
        Ok(Self {
            server: signed(server)?,
            kubelet_client: signed(client)?,
            ca: authority.pem(),
        })
    }
}

/// JSON, which is YAML too.
fn kubeconfig(api_url: &str, ca_file: &Path, user: &str, token: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "cluster",
        "contexts": [{ "name": "cluster", "context": { "cluster": "cluster", "user": user } }],
        "clusters": [{
            "name": "cluster",
            "cluster": { "server": api_url, "certificate-authority": ca_file },
        }],
        "users": [{ "name": user, "user": { "token": token } }],
    })
}

fn random_token() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn private_folder(path: PathBuf) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o700))?;
    Ok(path)
}

fn write(path: PathBuf, text: &str) -> anyhow::Result<PathBuf> {
    let mut file = File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}
