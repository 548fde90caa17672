//! What trio's own tests of its `SSLStream` assert, where `compat_tls.rs` does not.

mod closing;
mod rules;
mod unwrapping;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use std::sync::Arc;
use terzetto::{
    Error,
    compat::tls::TlsStream,
    io::Stream,
    nursery,
    testing::{MemoryStream, memory_stream_pair},
};

type Configs = (Arc<ClientConfig>, Arc<ServerConfig>);
type Pair<S> = (TlsStream<S>, TlsStream<S>);

/// A client and a server that trust an authority made just now, for `localhost`; they agree on these protocols.
fn configs(protocols: &[&str]) -> Configs {
    let made = || -> Result<Configs, Error> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let mut roots = RootCertStore::empty();
        roots.add(authority.self_signed(&authority_key)?.der().clone())?;
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["localhost".into()])?.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let mut server = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        client.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        server.alpn_protocols = client.alpn_protocols.clone();
        Ok((client.into(), server.into()))
    };
    made().unwrap()
}

fn over<S: Stream>(configs: &Configs, transports: (S, S)) -> Result<Pair<S>, Error> {
    let name = ServerName::try_from("localhost")?;
    let client = TlsStream::client(configs.0.clone(), name, transports.0)?;
    Ok((client, TlsStream::server(configs.1.clone(), transports.1)?))
}

fn fresh(configs: &Configs) -> Result<Pair<MemoryStream>, Error> {
    over(configs, memory_stream_pair())
}

/// Does the handshake at both ends.
async fn shaken<S: Stream>(pair: Pair<S>) -> Result<Pair<S>, Error> {
    nursery(async |n| {
        n.start_soon(async { Ok(pair.0.handshake().await?) });
        Ok(pair.1.handshake().await?)
    })
    .await?;
    Ok(pair)
}

fn web(pair: Pair<MemoryStream>) -> Pair<MemoryStream> {
    (pair.0.https_compatible(true), pair.1.https_compatible(true))
}
