//! The network under load, small: `load` runs the same with ten thousand connections.

use terzetto::{CancelScope, io::open_tcp_listeners, lowlevel::current_statistics, nursery, sleep};
use terzetto_tests::load::{Behaviour, EchoServer, Protocol, Tally, open_descriptors, run_clients};

const CONNECTIONS: u64 = 200;

// One test in this file: descriptors are counted, and they are the process's.
#[test]
fn sock_04_06_many_connections_mix_nothing_up_and_leave_nothing() {
    let before = open_descriptors();
    let (tally, posts) = (Tally::default(), Tally::default());
    terzetto::run(async {
        // Patient with clients that a busy machine holds up; a second one is not.
        let server = EchoServer { protocol: Protocol::Plain, patience: 60.0, tally: &tally };
        let strict = EchoServer { protocol: Protocol::Plain, patience: 0.5, tally: &tally };
        let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
        let address = listeners[0].local_addr()?;
        let none = async || Ok(());
        nursery(async |n| {
            n.start(async |status| server.serve(listeners, status).await).await?;
            // Every byte comes back to who has sent it.
            let done = run_clients(address, 0, CONNECTIONS, Behaviour::Rounds(20), none).await?;
            assert_eq!((done, tally.messages.get()), (CONNECTIONS * 20, CONNECTIONS * 20));
            assert_eq!(tally.most.get() as u64, CONNECTIONS);
            // The same as HTTP.
            let http = EchoServer { protocol: Protocol::Http, patience: 5.0, tally: &posts };
            let web = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
            let web_address = web[0].local_addr()?;
            let scope = CancelScope::new();
            nursery(async |server| {
                server.start(async |status| scope.run(http.serve(web, status)).await.map(drop)).await?;
                let done = run_clients(web_address, 0, CONNECTIONS, Behaviour::Posts(5), none).await?;
                assert_eq!((done, posts.messages.get()), (CONNECTIONS * 5, CONNECTIONS * 5));
                scope.cancel();
                Ok(())
            })
            .await?;
            assert_eq!(posts.open.get(), 0);
            // Clients that die amid a message are noticed.
            nursery(async |dying| {
                dying.start_soon(async {
                    run_clients(address, 0, CONNECTIONS, Behaviour::Stall, none).await.map(drop)
                });
                while (tally.open.get() as u64) < CONNECTIONS {
                    sleep(0.001).await?;
                }
                sleep(0.05).await?;
                dying.cancel_scope().cancel();
                Ok(())
            })
            .await?;
            while tally.open.get() > 0 {
                sleep(0.001).await?;
            }
            assert_eq!(tally.broken.get() as u64, CONNECTIONS);
            // Clients that dawdle are dropped.
            let other = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
            let strict_address = other[0].local_addr()?;
            n.start(async |status| strict.serve(other, status).await).await?;
            let dropped = run_clients(strict_address, 0, CONNECTIONS, Behaviour::Drip, none).await?;
            assert_eq!((dropped, tally.too_slow.get() as u64), (CONNECTIONS, CONNECTIONS));
            // And those that are there at the end go with the server.
            n.start_soon(async {
                run_clients(address, 0, CONNECTIONS, Behaviour::Stall, none).await.map(drop)
            });
            while (tally.open.get() as u64) < CONNECTIONS {
                sleep(0.001).await?;
            }
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert_eq!((tally.open.get(), current_statistics().tasks_living), (0, 1));
        Ok(())
    })
    .unwrap();
    assert_eq!(open_descriptors(), before, "every descriptor is closed");
}
