use terzetto::{
    Error,
    io::{Listener, ReceiveStream, SendStream, TcpListener, UdpSocket, open_tcp_stream},
    move_on_after, nursery, sleep,
    testing::{
        Everywhere, Strike, explore,
        net::{Fault, Link, Network},
    },
};

const ANY: [u8; 4] = [0, 0, 0, 0];

/// A host that crashes and comes back, and a client that talks to it by both protocols.
async fn program() -> Result<(), Error> {
    let network = Network::install(5)?;
    network.set_link(Link::new().latency(0.01..=0.05).loss(0.05));
    let (server, client) = (network.host("server"), network.host("client"));
    network.script([(0.2, Fault::crash("server")), (0.5, Fault::restart("server"))]);
    nursery(async |n| {
        n.start_soon(async {
            server
                .serve(async || {
                    let (listener, socket) = (TcpListener::bind((ANY, 80))?, UdpSocket::bind((ANY, 53))?);
                    nursery(async |n| {
                        n.start_soon(async {
                            loop {
                                let stream = listener.accept().await?;
                                let mut buffer = [0; 16];
                                if let Ok(received) = stream.receive_some(&mut buffer).await {
                                    let _failed = stream.send_all(&buffer[..received]).await;
                                }
                            }
                        });
                        let mut buffer = [0; 16];
                        loop {
                            let (received, from) = socket.recv_from(&mut buffer).await?;
                            socket.send_to(&buffer[..received], from).await?;
                        }
                    })
                    .await
                })
                .await
        });
        client
            .run(async {
                for round in 0..4 {
                    let answered = move_on_after(1.0, async {
                        let stream = open_tcp_stream("server", 80).await?;
                        stream.send_all(b"hello").await?;
                        stream.receive_some(&mut [0; 16]).await?;
                        let socket = UdpSocket::bind((ANY, 0))?;
                        socket.connect((server.address(), 53))?;
                        socket.send(b"hello").await?;
                        Ok(socket.recv(&mut [0; 16]).await?)
                    });
                    match answered.await {
                        Err(error) if error.is_cancelled() => return Err(error),
                        _ => sleep(0.1 * f64::from(round)).await?,
                    }
                }
                Ok(())
            })
            .await?;
        n.cancel_scope().cancel();
        Ok(())
    })
    .await
}

#[test]
fn net_54_the_network_is_sound_wherever_a_program_is_cancelled_dropped_or_panics() {
    let coverage = Everywhere::new(program).strikes([Strike::Cancel, Strike::Drop, Strike::Panic]).run();
    assert!(coverage.points > 50, "{}", coverage.points);
}

#[test]
fn net_55_a_simulated_connection_works_under_every_schedule() {
    let explored = explore(async || {
        let network = Network::install(1)?;
        let listener = TcpListener::bind((ANY, 80))?;
        nursery(async |n| {
            for name in ["a", "b"] {
                let client = network.host(name);
                n.start_soon(async move {
                    client
                        .run(async {
                            let stream = open_tcp_stream("main", 80).await?;
                            stream.send_all(client.name().as_bytes()).await?;
                            assert_eq!(stream.receive_some(&mut [0; 1]).await?, 0);
                            Ok(())
                        })
                        .await
                });
            }
            let mut names = Vec::new();
            for _ in 0..2 {
                let stream = listener.accept().await?;
                let mut name = [0; 1];
                assert_eq!(stream.receive_some(&mut name).await?, 1);
                names.push(name);
            }
            names.sort_unstable();
            assert_eq!(names, [*b"a", *b"b"]);
            Ok(())
        })
        .await
    });
    assert!(explored.schedules > 10);
}
