//! The leader: it writes each command into its log, syncs it, and sends it to the followers. A command is committed
//! when the leader and one follower have it on their disks. Then it is applied and answered.
//!
//! The followers get only what the leader has synced. So their logs are always the beginning of the leader's.

use crate::{
    disk::Disk,
    protocol::{CLIENT_PORT, Command, Lines, unless_cancelled},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    convert::Infallible,
};
use terzetto::{
    Error, TaskStatus,
    io::{TcpStream, serve_tcp},
    nursery, sleep,
    sync::{ParkingLot, Watch},
};

pub const FOLLOWERS: [&str; 2] = ["first", "second"];
/// The most commands in one batch.
const BATCH: usize = 100;

/// A mistake that is put in on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Replication looks whether there is something to send, and then waits. What comes in between wakes nobody.
    LostWakeUp,
    /// The leader takes for durable what is only written.
    AcknowledgeBeforeSync,
    /// A command that comes a second time is applied a second time.
    DoubleApply,
}

pub struct Leader<'a> {
    disk: &'a Disk,
    bug: Option<Bug>,
    /// How many commands are durable here, and on each follower.
    durable: Watch<usize>,
    followed: [Cell<usize>; 2],
    /// Where the last command of each client is: its number and its place.
    last: RefCell<BTreeMap<u64, (u64, usize)>>,
    values: RefCell<BTreeMap<u64, u64>>,
    /// The answers to the commands that are applied.
    answers: RefCell<Vec<u64>>,
    applied: Watch<usize>,
    /// Wakes replication, if it has that bug.
    bell: ParkingLot,
}

pub async fn lead(disk: &Disk, bug: Option<Bug>) -> Result<(), Error> {
    let last = disk.recover().iter().enumerate().map(|(place, c)| (c.client, (c.number, place))).collect();
    let leader = Leader {
        disk,
        bug,
        durable: Watch::new(disk.len()),
        followed: Default::default(),
        last: RefCell::new(last),
        values: RefCell::default(),
        answers: RefCell::new(Vec::with_capacity(disk.len())),
        applied: Watch::new(0),
        bell: ParkingLot::new(),
    };
    nursery(async |n| {
        for place in 0..FOLLOWERS.len() {
            n.start_soon(leader.replicate(place));
        }
        if bug == Some(Bug::AcknowledgeBeforeSync) {
            n.start_soon(async {
                loop {
                    sleep(0.2).await?;
                    disk.sync().await?;
                }
            });
        }
        let handler = async |stream| unless_cancelled(leader.serve(stream).await).map(drop);
        serve_tcp(CLIENT_PORT, None, handler, TaskStatus::ignored()).await
    })
    .await
}

impl Leader<'_> {
    /// Serves a client.
    async fn serve(&self, stream: TcpStream) -> Result<Infallible, Error> {
        let lines = Lines::new(stream);
        loop {
            let command: Command = lines.receive().await?.parse()?;
            let answer = self.execute(command).await?;
            lines.send(format_args!("{} {answer}", command.number)).await?;
        }
    }

    /// Executes a command once, however often it comes. Returns the answer.
    async fn execute(&self, command: Command) -> Result<u64, Error> {
        let last = self.last.borrow().get(&command.client).copied();
        let place = match last.filter(|_| self.bug != Some(Bug::DoubleApply)) {
            Some((number, place)) if number == command.number => place,
            // It comes late, over a connection that the client has given up. (The simulation has found this.)
            Some((number, _)) if number > command.number => return Err(Error::msg("an old command")),
            _ => self.append(command).await?,
        };
        self.applied.wait_value(move |applied| *applied > place).await?;
        Ok(self.answers.borrow()[place])
    }

    async fn append(&self, command: Command) -> Result<usize, Error> {
        let place = self.disk.append(command);
        self.last.borrow_mut().insert(command.client, (command.number, place));
        if self.bug != Some(Bug::AcknowledgeBeforeSync) {
            self.disk.sync().await?;
        }
        self.durable.set(self.durable.get().max(place + 1));
        self.bell.unpark_all();
        self.apply();
        Ok(place)
    }

    /// Applies what is committed.
    fn apply(&self) {
        let followed = self.followed.iter().map(Cell::get).max().unwrap_or_default();
        let committed = self.durable.get().min(followed);
        let applied = self.applied.get();
        let (log, mut values) = (self.disk.log(), self.values.borrow_mut());
        for command in &log[applied..committed.max(applied)] {
            let value = values.entry(command.key).or_default();
            *value = command.action.apply(*value);
            self.answers.borrow_mut().push(*value);
        }
        drop((log, values));
        self.applied.set(committed.max(applied));
    }

    /// Keeps a follower up to date. Begins again whenever that fails.
    async fn replicate(&self, follower: usize) -> Result<(), Error> {
        loop {
            unless_cancelled(self.replicate_over_one_connection(follower).await)?;
            sleep(0.2).await?;
        }
    }

    async fn replicate_over_one_connection(&self, follower: usize) -> Result<Infallible, Error> {
        let lines = Lines::open(FOLLOWERS[follower], crate::protocol::FOLLOWER_PORT).await?;
        loop {
            // The follower says how many commands are durable there.
            let sent: usize = lines.receive_soon().await?.parse()?;
            self.followed[follower].set(sent);
            self.apply();
            self.wait_for_more_than(sent).await?;
            let upto = self.durable.get().min(sent + BATCH);
            let batch: Vec<String> = self.disk.log()[sent..upto].iter().map(Command::to_string).collect();
            lines.send(format_args!("{sent};{}", batch.join(";"))).await?;
        }
    }

    async fn wait_for_more_than(&self, sent: usize) -> Result<(), Error> {
        if self.bug != Some(Bug::LostWakeUp) {
            self.durable.wait_value(move |durable| *durable > sent).await?;
            return Ok(());
        }
        while self.durable.get() <= sent {
            // It notes how far the follower is, and does not look again after that.
            self.disk.sync().await?;
            self.bell.park().await?;
        }
        Ok(())
    }
}
