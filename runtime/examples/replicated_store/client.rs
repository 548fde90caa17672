//! A client: it asks, and asks again until it has an answer.

use crate::{
    linearizable::History,
    protocol::{Action, CLIENT_PORT, Command, Lines, unless_cancelled},
};
use std::cell::RefCell;
use terzetto::{Error, current_time, move_on_after, sleep};

/// How long a client may have to wait for an answer, whatever happens, in seconds.
const LIVENESS: f64 = 600.0;

/// Sends commands at random until the time `end`, with a pause of up to `think` seconds between two. Returns how many.
pub async fn use_store(
    client: u64,
    think: f64,
    end: f64,
    mut random: fastrand::Rng,
    history: &RefCell<History>,
) -> Result<u64, Error> {
    let mut connection = None;
    for number in 1.. {
        sleep(think * random.f64()).await?;
        let action = match random.u8(0..3) {
            0 => Action::Get,
            1 => Action::Put(random.u64(0..1000)),
            _ => Action::Add(1 + random.u64(0..9)),
        };
        let command = Command { client, number, key: random.u64(0..2), action };
        history.borrow_mut().begins(command);
        match move_on_after(LIVENESS, ask(&mut connection, command, &mut random)).await? {
            Some(answer) => history.borrow_mut().ends(command, answer)?,
            None => return Err(Error::msg(format!("\"{command}\" got no answer within {LIVENESS} s"))),
        }
        if current_time() > end {
            return Ok(number);
        }
    }
    Ok(0)
}

async fn ask(
    connection: &mut Option<Lines>,
    command: Command,
    random: &mut fastrand::Rng,
) -> Result<u64, Error> {
    loop {
        if let Some(answer) = unless_cancelled(ask_once(connection, command).await)? {
            return Ok(answer);
        }
        *connection = None;
        sleep(0.1 + 0.4 * random.f64()).await?;
    }
}

async fn ask_once(connection: &mut Option<Lines>, command: Command) -> Result<u64, Error> {
    let lines = match connection.take() {
        Some(lines) => lines,
        None => Lines::open("leader", CLIENT_PORT).await?,
    };
    let lines = connection.insert(lines);
    lines.send(command).await?;
    let answer = lines.receive_soon().await?;
    let (number, answer) = answer.split_once(' ').ok_or_else(|| Error::msg("an answer has two words"))?;
    match number.parse::<u64>()? == command.number {
        true => Ok(answer.parse()?),
        false => Err(Error::msg("an answer to another command")),
    }
}
