use terzetto::{Builder, Error, Receiver, Sender, channel, nursery, testing::MockClock};

enum Request {
    Deposit(i64),
    Balance(Sender<i64>),
}

/// A task that owns its state. Others talk with it by messages only.
async fn account(requests: Receiver<Request>) -> Result<(), Error> {
    let mut balance = 0;
    while let Some(request) = requests.next().await? {
        match request {
            Request::Deposit(amount) => balance += amount,
            Request::Balance(answer) => {
                // The task that asked may have ended meanwhile. That is no failure of the account.
                let _ = answer.send_nowait(balance);
            }
        }
    }
    Ok(())
}

async fn balance(account: &Sender<Request>) -> Result<i64, Error> {
    let (answer, answers) = channel(1);
    account.send(Request::Balance(answer)).await?;
    Ok(answers.receive().await?)
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (requests, received) = channel(10);
        nursery(async |n| {
            n.start_soon_named("account", account(received));
            let requests = requests; // dropped at the end of the body: then the account ends
            for amount in [100, -30] {
                requests.send(Request::Deposit(amount)).await?;
            }
            println!("the balance is {}", balance(&requests).await?);
            Ok(())
        })
        .await
    })
}
