//! What trio's own tests of its `SSLStream` assert, where `compat_tls.rs` does not.

mod closing;
mod rules;
#[path = "../tls_configs/mod.rs"]
mod tls_configs;
mod unwrapping;

use rustls::pki_types::ServerName;
use std::sync::Arc;
use terzetto::{
    Error,
    compat::tls::TlsStream,
    io::Stream,
    nursery,
    testing::{MemoryStream, memory_stream_pair},
};
use tls_configs::Configs;

type Pair<S> = (TlsStream<S>, TlsStream<S>);

/// A client and a server that trust an authority made just now, for `localhost`; they agree on these protocols.
fn configs(protocols: &[&str]) -> Configs {
    let (mut client, mut server) = tls_configs::configs(rustls::DEFAULT_VERSIONS).unwrap();
    let protocols: Vec<Vec<u8>> = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::make_mut(&mut client).alpn_protocols = protocols.clone();
    Arc::make_mut(&mut server).alpn_protocols = protocols;
    (client, server)
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
