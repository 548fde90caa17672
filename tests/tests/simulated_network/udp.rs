use crate::simulated;
use std::collections::BTreeMap;
use terzetto::{
    Error,
    io::UdpSocket,
    move_on_after, nursery, sleep,
    testing::net::{Fault, Link},
};

const ANY: [u8; 4] = [0, 0, 0, 0];

#[test]
fn net_20_datagrams_arrive_whole_and_know_their_sender() -> Result<(), Error> {
    simulated(1, async |network| {
        let socket = UdpSocket::bind((ANY, 53))?;
        let to = (network.host("main").address(), 53);
        network
            .host("client")
            .run(async {
                let client = UdpSocket::bind((ANY, 0))?;
                client.send_to(b"question", to).await?;
                client.connect(to)?;
                let mut buffer = [0; 16];
                let (n, from) = socket.recv_from(&mut buffer).await?;
                assert_eq!(&buffer[..n], b"question");
                assert_eq!(from.ip(), network.host("client").address());
                socket.send_to(b"answer", from).await?;
                let n = client.recv(&mut buffer[..3]).await?;
                // The rest of a datagram that does not fit is lost.
                assert_eq!((&buffer[..n], client.peer_addr()?), (&b"ans"[..], to.into()));
                client.close().await?;
                assert!(client.send(b"x").await.is_err());
                Ok(())
            })
            .await
    })
}

#[test]
fn net_21_datagrams_get_lost_come_twice_and_overtake_others() -> Result<(), Error> {
    simulated(3, async |network| {
        network.set_link(Link::new().latency(0.01..=0.1).loss(0.2).duplicates(0.2));
        let socket = UdpSocket::bind((ANY, 53))?;
        let to = (network.host("main").address(), 53);
        let mut order = Vec::new();
        nursery(async |n| {
            let client = network.host("client");
            n.start_soon(async move {
                client
                    .run(async {
                        let client = UdpSocket::bind((ANY, 0))?;
                        for number in 0..200_u8 {
                            client.send_to(&[number], to).await?;
                            sleep(0.005).await?;
                        }
                        Ok(())
                    })
                    .await
            });
            let mut buffer = [0; 1];
            while move_on_after(1.0, async { Ok(socket.recv_from(&mut buffer).await?) }).await?.is_some() {
                order.push(buffer[0]);
            }
            Ok(())
        })
        .await?;
        let mut counts = BTreeMap::new();
        order.iter().for_each(|number| *counts.entry(number).or_insert(0) += 1);
        assert!((120..190).contains(&counts.len()), "{} of 200 came", counts.len());
        assert!(counts.values().filter(|&&count| count == 2).count() > 10);
        assert!(order.windows(2).filter(|pair| pair[0] > pair[1]).count() > 10);
        Ok(network.report().all_happened()?)
    })
}

#[test]
fn net_22_a_partition_stops_datagrams_and_nobody_is_told() -> Result<(), Error> {
    simulated(1, async |network| {
        let socket = UdpSocket::bind((ANY, 53))?;
        let to = (network.host("main").address(), 53);
        network.host("client");
        network.inject(Fault::cut(["client"], ["main"]));
        network
            .host("client")
            .run(async {
                let client = UdpSocket::bind((ANY, 9))?;
                client.send_to(b"lost", to).await?;
                sleep(1.0).await?;
                // The other way is open.
                socket.send_to(b"x", (network.host("client").address(), 9)).await?;
                assert_eq!(client.recv_from(&mut [0; 4]).await?.0, 1);
                network.inject(Fault::Heal);
                client.send_to(b"second", to).await?;
                Ok(())
            })
            .await?;
        let mut buffer = [0; 16];
        let n = socket.recv(&mut buffer).await?;
        assert_eq!(&buffer[..n], b"second");
        Ok(network.report().all_happened()?)
    })
}
