//! SOCK-06: names of sockets that are no files, as Linux has them.
#![cfg(target_os = "linux")]

use std::{io::ErrorKind, os::linux::net::SocketAddrExt};
use terzetto::io::{
    Listener, ReceiveStream, SendStream, StreamError, UnixDatagram, UnixListener, UnixStream,
};

#[test]
fn sock_06_abstract_names_are_taken_wherever_a_path_is() {
    terzetto::run(async {
        let name = format!("terzetto-{}", std::process::id());
        let path = format!("\0{name}");
        let listener = UnixListener::bind(&path)?;
        assert_eq!(listener.local_addr()?.as_abstract_name(), Some(name.as_bytes()));
        let client = UnixStream::connect(&path).await?;
        let server = listener.accept().await?;
        assert_eq!(client.peer_addr()?.as_abstract_name(), Some(name.as_bytes()));
        client.send_all(b"hello").await?;
        assert_eq!(server.receive_some(&mut [0; 8]).await?, 5);
        assert!(UnixListener::bind(&path).is_err(), "it is taken");
        listener.close().await?;
        UnixListener::bind(&path)?;

        let path = format!("{path}-datagrams");
        let receiver = UnixDatagram::bind(&path)?;
        let sender = UnixDatagram::unbound()?;
        sender.send_to(b"by name", &path).await?;
        sender.connect(&path)?;
        sender.send(b"connected").await?;
        for length in [7, 9] {
            assert_eq!(receiver.recv(&mut [0; 16]).await?, length);
        }
        // A zero byte elsewhere would cut the name off.
        let cut = "socket\0elsewhere";
        assert!(UnixListener::bind(cut).is_err_and(|error| error.kind() == ErrorKind::InvalidInput));
        let connected = UnixStream::connect(cut).await;
        assert!(matches!(connected, Err(StreamError::Io(error)) if error.kind() == ErrorKind::InvalidInput));
        Ok(())
    })
    .unwrap();
}
