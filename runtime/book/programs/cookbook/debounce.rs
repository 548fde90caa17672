use terzetto::{
    Builder, Error, ReceiveError, Receiver, channel, current_time, move_on_after, nursery, sleep,
    testing::MockClock,
};

/// The last value before a pause of so many seconds. `None` at the end.
async fn debounced<T>(values: &Receiver<T>, pause: f64) -> Result<Option<T>, Error> {
    let Some(mut last) = values.next().await? else { return Ok(None) };
    loop {
        match move_on_after(pause, async { Ok(values.receive().await?) }).await {
            Ok(Some(value)) => last = value,
            Ok(None) => return Ok(Some(last)),
            Err(error) if matches!(error.find(), Some(ReceiveError::EndOfChannel)) => return Ok(Some(last)),
            Err(error) => return Err(error),
        }
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (typed, texts) = channel(10);
        nursery(async |n| {
            n.start_soon(async move {
                for (pause, text) in [(0.0, "t"), (0.1, "te"), (0.1, "tea"), (2.0, "tea p"), (0.1, "tea pot")]
                {
                    sleep(pause).await?;
                    typed.send(text).await?;
                }
                Ok(())
            });
            while let Some(text) = debounced(&texts, 0.5).await? {
                println!("{:.1} search for {text:?}", current_time());
            }
            Ok(())
        })
        .await
    })
}
