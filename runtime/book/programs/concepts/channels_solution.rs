use terzetto::{Builder, Error, channel, current_time, nursery, sleep, testing::MockClock};

/// The squares of the numbers, computed by so many workers.
async fn squares(numbers: &[u64], workers: usize) -> Result<Vec<u64>, Error> {
    let (give, take) = channel(0);
    let (answer, answers) = channel(0);
    nursery(async |n| {
        for _ in 0..workers {
            let (take, answer) = (take.clone(), answer.clone());
            n.start_soon(async move {
                while let Some(number) = take.next().await? {
                    sleep(1.0).await?;
                    answer.send(number * number).await?;
                }
                Ok(())
            });
        }
        // Only the workers have the ends that end the channels.
        drop((take, answer));
        n.start_soon(async move {
            for &number in numbers {
                give.send(number).await?;
            }
            Ok(())
        });
        let mut squares = Vec::new();
        while let Some(square) = answers.next().await? {
            squares.push(square);
        }
        squares.sort_unstable();
        Ok(squares)
    })
    .await
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        println!("{:?}", squares(&[1, 2, 3, 4, 5, 6], 3).await?);
        println!("after {} seconds", current_time());
        Ok(())
    })
}
