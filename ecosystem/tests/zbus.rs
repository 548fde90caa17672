//! D-Bus by `zbus`, between two ends of a socket pair, so that no bus is needed. `zbus` has its own thread for its
//! socket; its futures need nothing but wakers.

use std::os::unix::net::UnixStream;
use terzetto::{Error, cancellable, fail_after, move_on_after, nursery};
use zbus::{Guid, connection, interface, proxy};

struct Counter {
    count: u32,
}

#[interface(name = "org.example.Counter")]
impl Counter {
    /// Adds, and returns the sum.
    fn add(&mut self, amount: u32) -> u32 {
        self.count += amount;
        self.count
    }

    /// Does not answer.
    async fn wait(&self) {
        std::future::pending::<()>().await;
    }
}

#[proxy(interface = "org.example.Counter", default_path = "/counter")]
trait CounterProxied {
    /// As above.
    fn add(&self, amount: u32) -> zbus::Result<u32>;
    /// As above.
    fn wait(&self) -> zbus::Result<()>;
}

#[test]
fn zbus_calls_methods_and_is_cancelled() {
    terzetto::run(async {
        let (here, there) = UnixStream::pair()?;
        let guid = Guid::generate();
        let server = connection::Builder::async_io_unix_stream(there)
            .server(guid)?
            .p2p()
            .serve_at("/counter", Counter { count: 40 })?
            .build();
        let client = connection::Builder::async_io_unix_stream(here).p2p().build();
        // The two sides greet each other, so they are made side by side.
        let (server, client) = fail_after(10.0, async {
            Ok(cancellable(futures_util::future::try_join(server, client)).await??)
        })
        .await?;
        let proxy = cancellable(CounterProxiedProxy::new(&client, "org.example.Counter")).await??;
        nursery(async |n| {
            for _ in 0..2 {
                n.start_soon(async {
                    assert!(cancellable(proxy.add(1)).await?? > 40);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert_eq!(cancellable(proxy.add(0)).await??, 42);
        assert!(move_on_after(0.05, async { Ok(cancellable(proxy.wait()).await??) }).await?.is_none());
        drop(server);
        Ok::<_, Error>(())
    })
    .unwrap();
}
