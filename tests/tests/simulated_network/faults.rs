use crate::{ECONNRESET, ETIMEDOUT, code, receive_all, simulated};
use std::panic::catch_unwind;
use terzetto::{
    Error, current_time, fail_after,
    io::{Listener, ReceiveStream, SendStream, TcpListener, TcpStream, open_tcp_stream},
    move_on_after, nursery, sleep,
    testing::net::{Fault, Link, Network, RandomFaults, Simulation},
};

const ANY: [u8; 4] = [0, 0, 0, 0];

/// A connection from the host `client` to the host `main`.
async fn connected(network: &Network, port: u16) -> Result<(TcpStream, TcpStream), Error> {
    let listener = TcpListener::bind((ANY, port))?;
    let client = network.host("client").run(open_tcp_stream("main", port)).await?;
    Ok((client, listener.accept().await?))
}

#[test]
fn net_40_a_partition_delays_what_is_sent_until_it_heals() -> Result<(), Error> {
    simulated(1, async |network| {
        let (client, server) = connected(network, 80).await?;
        network.script([(0.0, Fault::partition(["client"], ["main"])), (100.0, Fault::Heal)]);
        sleep(1.0).await?;
        client.send_all(b"late").await?;
        let mut buffer = [0; 16];
        let n = server.receive_some(&mut buffer).await?;
        assert_eq!(&buffer[..n], b"late");
        // The packet is sent again after 0.2, 0.6, 1.4 … 102.2 seconds.
        assert!((100.0..110.0).contains(&current_time()), "{}", current_time());
        Ok(network.report().all_happened()?)
    })
}

#[test]
fn net_41_a_one_way_partition_loses_the_acknowledgements_of_the_other_way() -> Result<(), Error> {
    simulated(1, async |network| {
        let (client, server) = connected(network, 80).await?;
        network.inject(Fault::cut(["main"], ["client"]));
        client.send_all(b"arrives").await?;
        let mut buffer = [0; 16];
        let n = fail_after(1.0, async { Ok(server.receive_some(&mut buffer).await?) }).await?;
        assert_eq!(&buffer[..n], b"arrives");
        server.send_all(b"does not").await?;
        let error = client.receive_some(&mut buffer).await.unwrap_err();
        assert_eq!(code(&error), Some(ETIMEDOUT), "the client has had no acknowledgement");
        Ok(network.report().all_happened()?)
    })
}

#[test]
fn net_42_a_reset_in_the_middle_of_a_message() -> Result<(), Error> {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..20 {
        simulated(seed, async |network| {
            let (client, server) = connected(network, 80).await?;
            client.send_all(b"before").await?;
            network.inject(Fault::reset("client", "main"));
            client.send_all(b"a message of some length").await?;
            let (mut got, mut buffer) = (Vec::new(), [0; 64]);
            let error = loop {
                match server.receive_some(&mut buffer).await {
                    Ok(n) => got.extend_from_slice(&buffer[..n]),
                    Err(error) => break error,
                }
            };
            assert_eq!(code(&error), Some(ECONNRESET));
            assert!(b"beforea message of some length".starts_with(&got) && got.len() < 30);
            lengths.insert(got.len());
            sleep(1.0).await?;
            let error = client.send_all(b"more").await.unwrap_err();
            assert_eq!(code(&error), Some(ECONNRESET));
            // A new connection is not affected.
            let (client, server) = connected(network, 81).await?;
            client.send_all(b"whole").await?;
            client.close().await?;
            assert_eq!(receive_all(&server).await?, b"whole");
            Ok(network.report().all_happened()?)
        })?;
    }
    assert!(lengths.len() > 5, "the seed chooses the place: {lengths:?}");
    Ok(())
}

#[test]
fn net_43_a_half_open_connection_is_silent_and_others_go_on() -> Result<(), Error> {
    simulated(1, async |network| {
        let (old, server) = connected(network, 80).await?;
        network.inject(Fault::half_open("client", "main"));
        let silent = move_on_after(1e4, async { Ok(server.receive_some(&mut [0; 1]).await?) }).await?;
        assert!(silent.is_none());
        old.send_all(b"x").await?;
        let error = old.receive_some(&mut [0; 1]).await.unwrap_err();
        assert_eq!(code(&error), Some(ETIMEDOUT));
        let (new, server) = connected(network, 81).await?;
        new.send_all(b"x").await?;
        assert_eq!(server.receive_some(&mut [0; 1]).await?, 1);
        Ok(network.report().all_happened()?)
    })
}

#[test]
fn net_44_a_fault_without_effect_is_reported_as_missing() -> Result<(), Error> {
    simulated(1, async |network| {
        let (client, server) = connected(network, 80).await?;
        network.script([
            (1.0, Fault::partition(["client"], ["main"])),
            (2.0, Fault::Heal),
            (3.0, Fault::crash("client")),
            (1e6, Fault::crash("main")),
        ]);
        sleep(5.0).await?;
        drop((client, server));
        let missing = network.report().all_happened().unwrap_err();
        // Nobody sent during the partition, nothing ran on the client, and the last one never came.
        let names: Vec<_> = missing.missing().iter().map(|fault| fault.fault.as_str()).collect();
        assert_eq!(names, ["no packets between client and main", "client crashes", "main crashes"]);
        assert!(missing.to_string().contains("client crashes (from 3.002 s)"), "{missing}");
        Ok(())
    })
}

#[test]
fn net_45_a_simulation_fails_if_a_fault_never_happened_in_any_seed() {
    let run = || {
        Simulation::new(async |network: &Network| {
            network.host("idle");
            network.script([(1.0, Fault::crash("idle"))]);
            Ok(sleep(2.0).await?)
        })
        .seeds(0..3)
        .run()
    };
    let text = *catch_unwind(run).unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("has not tested what it was to test, in 3 runs"), "{text}");
    assert!(text.contains("idle crashes"), "{text}");
}

#[test]
fn net_46_a_simulation_names_the_seed_that_fails_and_repeats_it() {
    let program = async |network: &Network| {
        let mut random = network.random();
        sleep(1.0).await?;
        if random.u8(0..10) == 7 { Err(Error::msg("seven")) } else { Ok(()) }
    };
    let text = |simulation: Simulation<'_, _>| {
        let outcome = catch_unwind(std::panic::AssertUnwindSafe(|| simulation.run()));
        *outcome.unwrap_err().downcast::<String>().unwrap()
    };
    let failure = text(Simulation::new(program));
    let (_, seed) = failure.rsplit_once(".only(").unwrap();
    let seed: u64 = seed.trim_end_matches(')').parse().unwrap();
    assert!(failure.contains("seven"), "{failure}");
    assert_eq!(text(Simulation::new(program).only(seed)), failure);
}

#[test]
fn net_47_faults_at_random_happen_and_differ_from_seed_to_seed() {
    let simulated = Simulation::new(async |network: &Network| {
        network.set_link(Link::new().latency(0.001..=0.01).loss(0.01));
        for name in ["a", "b", "c"] {
            network.host(name);
        }
        let faults = RandomFaults::among(["a", "b", "c"])
            .partitions(30.0, 1.0..=20.0)
            .crashes(60.0, 0.1..=10.0)
            .resets(10.0)
            .half_open(100.0);
        network.random_faults(faults);
        let served = move_on_after(
            600.0,
            nursery(async |n| {
                for name in ["a", "b", "c"] {
                    let host = network.host(name);
                    n.start_soon(async move { host.serve(chatter).await });
                }
                Ok(())
            }),
        );
        served.await.map(drop)
    })
    .seeds(0..10)
    .run();
    for fault in simulated.report.faults() {
        assert!(fault.effects >= 10, "{fault:?}");
    }
    assert_eq!(simulated.report.faults().len(), 5);
}

/// Sends to all others again and again, and takes what comes.
async fn chatter() -> Result<(), Error> {
    let listener = TcpListener::bind((ANY, 80))?;
    nursery(async |n| {
        for peer in ["a", "b", "c"] {
            n.start_soon(async move {
                loop {
                    let _failed = move_on_after(30.0, async {
                        let stream = open_tcp_stream(peer, 80).await?;
                        loop {
                            stream.send_all(b"a message").await?;
                            sleep(1.0).await?;
                        }
                    })
                    .await
                    .map_err(|error| match error.is_cancelled() {
                        true => Err(error),
                        false => Ok::<Option<()>, Error>(None),
                    })
                    .or_else(|outcome| outcome)?;
                    sleep(0.5).await?;
                }
            });
        }
        loop {
            let stream = listener.accept().await?;
            n.start_soon(async move {
                let mut buffer = [0; 64];
                while let Ok(1..) = stream.receive_some(&mut buffer).await {}
                Ok(terzetto::checkpoint().await?)
            });
        }
    })
    .await
}
