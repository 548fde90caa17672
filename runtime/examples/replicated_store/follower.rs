//! A follower: it writes what the leader sends, and says how much of it is durable.

use crate::{
    disk::Disk,
    protocol::{Command, FOLLOWER_PORT, Lines, unless_cancelled},
};
use terzetto::{
    Error, TaskStatus,
    io::{TcpStream, serve_tcp},
};

pub async fn follow(disk: &Disk) -> Result<(), Error> {
    disk.recover();
    let handler = async |stream| unless_cancelled(obey(disk, stream).await).map(drop);
    serve_tcp(FOLLOWER_PORT, None, handler, TaskStatus::ignored()).await
}

/// Takes batches from the leader. A batch is a line with the place of its first command and the commands.
async fn obey(disk: &Disk, stream: TcpStream) -> Result<(), Error> {
    let lines = Lines::new(stream);
    loop {
        disk.sync().await?;
        lines.send(disk.len()).await?;
        let batch = lines.receive().await?;
        let (start, commands) = batch.split_once(';').ok_or_else(|| Error::msg("a batch has no place"))?;
        for (place, command) in (start.parse::<usize>()?..).zip(commands.split(';')) {
            let command: Command = command.parse()?;
            match place.cmp(&disk.len()) {
                // An older connection has brought it.
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => drop(disk.append(command)),
                std::cmp::Ordering::Greater => {
                    return Err(Error::msg("commands are missing before the batch"));
                }
            }
        }
    }
}
