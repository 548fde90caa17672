//! QUIC by `quinn`, on tokio's socket: its own interface for runtimes demands that sockets and tasks are `Send`, which
//! those of a single thread are not.

use quinn::{ClientConfig, Endpoint, ServerConfig};
use rcgen::generate_simple_self_signed;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use terzetto::{
    Error,
    compat::tokio::{handle, in_tokio},
    fail_after, move_on_after, nursery,
};

/// A server's endpoint, and the configuration of clients that trust it.
fn endpoints() -> Result<(Endpoint, Endpoint), Error> {
    let certified = generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let certificate = certified.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone())?;
    // An endpoint starts tasks where it is made.
    let _context = handle()?.enter();
    let server = ServerConfig::with_single_cert(vec![certificate], key)?;
    let server = Endpoint::server(server, ([127, 0, 0, 1], 0).into())?;
    let mut client = Endpoint::client(([127, 0, 0, 1], 0).into())?;
    client.set_default_client_config(ClientConfig::with_root_certificates(Arc::new(roots))?);
    Ok((server, client))
}

#[test]
fn quinn_opens_streams_and_is_cancelled() {
    terzetto::run(async {
        let (server, client) = endpoints()?;
        let address = server.local_addr()?;
        nursery(async |n| {
            n.start_soon(async {
                let Some(incoming) = in_tokio(server.accept()).await? else {
                    return Err(Error::msg("the endpoint is closed"));
                };
                let connection = in_tokio(async { incoming.await }).await??;
                for _ in 0..3 {
                    let (mut send, mut receive) = in_tokio(connection.accept_bi()).await??;
                    let data = in_tokio(receive.read_to_end(1 << 20)).await??;
                    in_tokio(send.write_all(&data)).await??;
                    send.finish()?;
                }
                in_tokio(connection.closed()).await?;
                Ok(())
            });
            let connection =
                in_tokio(async { Ok::<_, Error>(client.connect(address, "localhost")?.await?) }).await??;
            for length in [0, 10, 200_000] {
                let data = vec![3; length];
                let (mut send, mut receive) = in_tokio(connection.open_bi()).await??;
                in_tokio(send.write_all(&data)).await??;
                send.finish()?;
                assert_eq!(in_tokio(receive.read_to_end(1 << 20)).await??, data);
            }
            let late = move_on_after(0.05, async { Ok(in_tokio(connection.accept_uni()).await??.id()) });
            assert!(late.await?.is_none());
            connection.close(0_u32.into(), b"done");
            fail_after(5.0, in_tokio(client.wait_idle())).await
        })
        .await
    })
    .unwrap();
}
