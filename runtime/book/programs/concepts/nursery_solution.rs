use std::cell::Cell;
use terzetto::{Error, checkpoint, nursery};

/// The sum of each row, computed in a task of its own.
async fn sums(rows: &[Vec<u64>]) -> Result<Vec<u64>, Error> {
    let sums: Vec<Cell<u64>> = rows.iter().map(|_| Cell::new(0)).collect();
    nursery(async |n| {
        for (row, sum) in rows.iter().zip(&sums) {
            n.start_soon(async move {
                for number in row {
                    sum.set(sum.get() + number);
                    checkpoint().await?;
                }
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    Ok(sums.into_iter().map(Cell::into_inner).collect())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let rows = [vec![1, 2, 3], vec![10, 20], vec![]];
        println!("{:?}", sums(&rows).await?);
        Ok(())
    })
}
