use crate::{ECONNRESET, ETIMEDOUT, code, simulated};
use std::cell::{Cell, RefCell};
use terzetto::{
    Error, current_time, fail_after,
    io::{
        Listener, NameFlags, ReceiveStream, SendStream, TcpListener, TcpStream, UdpSocket, getaddrinfo,
        getnameinfo, open_tcp_stream,
    },
    nursery, sleep, sleep_forever,
    testing::net::{Fault, HostCrashed},
};

const ANY: [u8; 4] = [0, 0, 0, 0];

#[test]
fn net_30_tasks_inherit_their_host() -> Result<(), Error> {
    simulated(1, async |network| {
        let (a, b) = (network.host("a"), network.host("b"));
        // The same port on two hosts, from a grandchild of the host's program.
        let bind = async || {
            nursery(async |n| {
                n.start_soon(async {
                    nursery(async |n| {
                        n.start_soon(async {
                            let listener = TcpListener::bind((ANY, 80))?;
                            listener.accept().await?;
                            Ok(())
                        });
                        Ok(())
                    })
                    .await
                });
                Ok(())
            })
            .await
        };
        nursery(async |n| {
            n.start_soon(async { a.run(bind()).await });
            n.start_soon(async { b.run(bind()).await });
            sleep(1.0).await?;
            assert!(TcpListener::bind((ANY, 80)).is_ok(), "the task itself has stayed on its host");
            open_tcp_stream("a", 80).await?;
            open_tcp_stream("b", 80).await?;
            Ok(())
        })
        .await
    })
}

#[test]
fn net_31_a_crash_drops_the_programs_and_a_restart_begins_them_anew() -> Result<(), Error> {
    simulated(1, async |network| {
        let host = network.host("host");
        let (begun, dropped) = (Cell::new(0), Cell::new(0));
        struct Count<'a>(&'a Cell<u32>);
        impl Drop for Count<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        network.script([(10.0, Fault::crash("host")), (15.0, Fault::restart("host"))]);
        host.serve(async || {
            begun.set(begun.get() + 1);
            let _count = Count(&dropped);
            if begun.get() == 2 {
                assert_eq!(current_time(), 15.0);
                return Ok(());
            }
            nursery(async |n| {
                n.start_soon(async { Ok(sleep_forever().await?) });
                Ok(())
            })
            .await
        })
        .await?;
        assert_eq!((begun.get(), dropped.get()), (2, 2));
        Ok(network.report().all_happened()?)
    })
}

#[test]
fn net_32_run_ends_with_an_error_at_a_crash_and_on_a_host_that_is_down() -> Result<(), Error> {
    simulated(1, async |network| {
        let host = network.host("host");
        network.script([(1.0, Fault::crash("host"))]);
        let error = host.run(async { Ok(sleep_forever().await?) }).await.unwrap_err();
        assert_eq!(error.downcast_ref::<HostCrashed>().unwrap().host(), "host");
        assert_eq!(current_time(), 1.0);
        assert!(!host.is_up());
        let error = host.run(async { Ok(()) }).await.unwrap_err();
        assert!(error.downcast_ref::<HostCrashed>().is_some());
        Ok(())
    })
}

#[test]
fn net_33_a_host_that_crashes_itself_stops_at_once() -> Result<(), Error> {
    simulated(1, async |network| {
        let host = network.host("host");
        let after = Cell::new(0);
        let crashed = host
            .run(nursery(async |n| {
                for _ in 0..3 {
                    n.start_soon(async {
                        loop {
                            terzetto::checkpoint().await?;
                            if !host.is_up() {
                                after.set(after.get() + 1);
                            }
                        }
                    });
                }
                n.start_soon(async {
                    terzetto::checkpoint().await?;
                    host.crash();
                    assert!(
                        TcpListener::bind((ANY, 1)).is_err(),
                        "nothing of it reaches the network any more"
                    );
                    Ok(sleep_forever().await?)
                });
                Ok(())
            }))
            .await;
        assert!(crashed.is_err());
        // The others had a turn in the same tick at most.
        assert!(after.get() <= 3, "{}", after.get());
        Ok(())
    })
}

#[test]
fn net_34_the_peers_of_a_crashed_host_learn_of_it_when_they_send() -> Result<(), Error> {
    simulated(1, async |network| {
        let server = network.host("server");
        let accepted = RefCell::new(0);
        nursery(async |n| {
            n.start_soon(async {
                server
                    .serve(async || {
                        let listener = TcpListener::bind((ANY, 80))?;
                        let _stream = listener.accept().await?;
                        *accepted.borrow_mut() += 1;
                        Ok(sleep_forever().await?)
                    })
                    .await
            });
            sleep(1.0).await?;
            let stream = open_tcp_stream("server", 80).await?;
            server.crash();
            sleep(3600.0).await?;
            server.restart();
            // Half open: nothing has come to this end.
            let receive = fail_after(3600.0, async { Ok(stream.receive_some(&mut [0; 1]).await?) });
            assert!(receive.await.is_err());
            stream.send_all(b"x").await?;
            let error = stream.receive_some(&mut [0; 1]).await.unwrap_err();
            assert_eq!(code(&error), Some(ECONNRESET));
            // And a host that does not come back: the sender gives up after a quarter of an hour.
            let stream = open_tcp_stream("server", 80).await?;
            server.crash();
            stream.send_all(b"x").await?;
            let begun = current_time();
            let error = stream.receive_some(&mut [0; 1]).await.unwrap_err();
            assert_eq!(code(&error), Some(ETIMEDOUT));
            assert!((900.0..1100.0).contains(&(current_time() - begun)), "{}", current_time() - begun);
            assert_eq!(*accepted.borrow(), 2);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}

#[test]
fn net_35_names_are_those_of_the_hosts() -> Result<(), Error> {
    simulated(1, async |network| {
        let host = network.host("printer");
        host.add_address([192, 168, 1, 9].into());
        let found = getaddrinfo("printer", 631).await?;
        assert_eq!(found, [(host.address(), 631).into(), ([192, 168, 1, 9], 631).into()]);
        let flags = NameFlags { numeric_service: true, ..NameFlags::default() };
        assert_eq!(getnameinfo(found[1], flags).await?, ("printer".into(), "631".into()));
        assert!(getaddrinfo("scanner", 1).await.is_err());
        Ok(())
    })
}

#[test]
fn net_36_sockets_that_outlive_their_run_fail() -> Result<(), Error> {
    let (listener, client, server, socket) = simulated(1, async |_network| {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let server = listener.accept().await?;
        Ok((listener, client, server, UdpSocket::bind((ANY, 0))?))
    })?;
    simulated(1, async |_network| {
        assert!(client.receive_some(&mut [0; 1]).await.is_err());
        assert!(client.send_all(b"x").await.is_err());
        assert!(listener.accept().await.is_err());
        assert!(socket.recv(&mut [0; 1]).await.is_err());
        Ok(())
    })?;
    drop((listener, client, server, socket));
    Ok(())
}
