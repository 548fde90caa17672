use std::{cell::Cell, panic::catch_unwind, time::Duration};
use terzetto::{
    Builder, Error,
    io::{Listener, ReceiveStream, SendStream, TcpListener, open_tcp_stream},
    move_on_after, nursery, sleep,
    testing::{
        MockClock,
        net::{Fault, Link, Network, RandomFaults, Simulation},
    },
};

const ANY: [u8; 4] = [0, 0, 0, 0];

/// Hosts that send numbers at random to each other, under all faults, for five minutes.
async fn program(network: &Network) -> Result<(), Error> {
    network.set_link(Link::new().latency(0.001..=0.05).bandwidth(1e6).loss(0.02));
    let names = ["a", "b", "c"];
    names.iter().for_each(|name| drop(network.host(name)));
    let faults = RandomFaults::among(names)
        .partitions(20.0, 1.0..=10.0)
        .crashes(40.0, 0.1..=5.0)
        .resets(10.0)
        .half_open(50.0);
    network.random_faults(faults);
    network.script([(30.0, Fault::crash("a")), (31.0, Fault::restart("a"))]);
    let served = nursery(async |n| {
        for name in names {
            let (host, random) = (network.host(name), network.random());
            n.start_soon(async move { host.serve(async || talk(random.clone()).await).await });
        }
        Ok(())
    });
    move_on_after(300.0, served).await.map(drop)
}

async fn talk(mut random: fastrand::Rng) -> Result<(), Error> {
    let listener = TcpListener::bind((ANY, 80))?;
    nursery(async |n| {
        n.start_soon(async move {
            loop {
                sleep(random.f64()).await?;
                let peer = ["a", "b", "c"][random.usize(0..3)];
                let data: Vec<u8> = (0..random.usize(1..5000)).map(|_| random.u8(..)).collect();
                let sent = move_on_after(5.0, async {
                    let stream = open_tcp_stream(peer, 80).await?;
                    stream.send_all(&data).await?;
                    Ok(stream.receive_some(&mut [0; 8]).await?)
                });
                if let Err(error) = sent.await
                    && error.is_cancelled()
                {
                    return Err(error);
                }
            }
        });
        loop {
            let stream = listener.accept().await?;
            n.start_soon(async move {
                let mut buffer = [0; 512];
                while let Ok(1..) = stream.receive_some(&mut buffer).await {
                    if stream.send_all(b"taken").await.is_err() {
                        break;
                    }
                }
                Ok(terzetto::checkpoint().await?)
            });
        }
    })
    .await
}

fn trace_of(seed: u64, pause: Duration) -> Vec<String> {
    let builder = Builder::new().clock(MockClock::autojump()).seed(seed);
    let run = builder.run(async {
        let network = Network::install(seed)?;
        network.record_trace();
        let waster = async {
            // Real time passes between the steps, and must not matter.
            for _ in 0..20 {
                std::thread::sleep(pause);
                sleep(1.0).await?;
            }
            Ok(())
        };
        nursery(async |n| {
            n.start_soon(waster);
            program(&network).await
        })
        .await?;
        Ok(network.trace())
    });
    run.unwrap()
}

#[test]
fn net_50_one_seed_gives_one_trace_whatever_the_real_time() {
    let one = trace_of(7, Duration::ZERO);
    let other = trace_of(7, Duration::from_millis(3));
    assert!(one.len() > 1000, "{}", one.len());
    for (line, (one, other)) in one.iter().zip(&other).enumerate() {
        assert_eq!(one, other, "line {line}");
    }
    assert_eq!(one.len(), other.len());
    assert_ne!(one, trace_of(8, Duration::ZERO));
}

#[test]
fn net_51_a_simulation_compares_two_runs_of_each_seed() {
    let simulated = Simulation::new(program).seeds(0..2).twice().run();
    assert_eq!(simulated.runs, 2);
    assert!(simulated.events > 2000, "{}", simulated.events);
    let again = Simulation::new(program).seeds(0..2).run();
    assert_eq!(simulated, again);
}

#[test]
fn net_52_a_program_that_the_seed_does_not_decide_is_found() {
    let runs = Cell::new(0_u8);
    let run = std::panic::AssertUnwindSafe(|| {
        Simulation::new(async |network: &Network| {
            runs.set(runs.get() + 1);
            let listener = TcpListener::bind((ANY, 80))?;
            let stream = network.host("client").run(open_tcp_stream("main", 80)).await?;
            stream.send_all(&[runs.get()]).await?;
            listener.accept().await?.receive_some(&mut [0; 1]).await?;
            Ok(())
        })
        .twice()
        .run()
    });
    let text = *catch_unwind(run).unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("two runs with the seed 0 differ after 1 events"), "{text}");
}

#[test]
fn net_53_an_hour_takes_milliseconds() {
    let begun = std::time::Instant::now();
    let outcome = Builder::new().clock(MockClock::autojump()).run(async {
        let network = Network::install(1)?;
        let listener = TcpListener::bind((ANY, 80))?;
        let client = network.host("client").run(open_tcp_stream("main", 80)).await?;
        let server = listener.accept().await?;
        for _ in 0..360 {
            sleep(10.0).await?;
            client.send_all(b"still here").await?;
            server.receive_some(&mut [0; 16]).await?;
        }
        Ok(())
    });
    outcome.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn net_56_under_the_systems_clock_latency_takes_real_time() {
    let begun = std::time::Instant::now();
    let outcome = terzetto::run(async {
        let network = Network::install(1)?;
        network.set_link(Link::new().latency(0.02..=0.02));
        let _listener = TcpListener::bind((ANY, 80))?;
        network.host("client").run(open_tcp_stream("main", 80)).await.map(drop)
    });
    outcome.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(40), "{:?}", begun.elapsed());
}

#[test]
fn net_58_one_seed_gives_one_trace_on_each_machine() {
    // Only one task at a time has something to do here, so the order of tasks does not matter.
    let fingerprint = Builder::new().clock(MockClock::autojump()).run(async {
        let network = Network::install(58)?;
        network.set_link(Link::new().latency(0.001..=0.3).bandwidth(1e5).loss(0.2));
        let listener = TcpListener::bind((ANY, 80))?;
        let client = network.host("client").run(open_tcp_stream("main", 80)).await?;
        let server = listener.accept().await?;
        let (mut random, mut buffer) = (network.random(), [0; 1400]);
        for _ in 0..100 {
            client.send_all(&[random.u8(..); 1400][..1 + random.u8(..) as usize * 5]).await?;
            server.receive_some(&mut buffer).await?;
            sleep(random.f64()).await?;
        }
        Ok(network.fingerprint())
    });
    assert_eq!(
        fingerprint.unwrap(),
        18_168_989_491_090_142_994,
        "a change of the model changes this number, and a machine must not"
    );
}
