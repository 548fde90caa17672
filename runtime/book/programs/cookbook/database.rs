use std::{
    cell::{Cell, RefCell},
    ops::Deref,
};
use terzetto::{
    Builder, Error, current_time, nursery, sleep,
    sync::{Permit, Semaphore},
    testing::MockClock,
};

struct Connection(u32);

impl Connection {
    async fn query(&self, text: &str) -> Result<String, Error> {
        sleep(1).await?;
        Ok(format!("{text} by connection {}", self.0))
    }
}

/// At most so many connections. They are opened when they are needed, and kept.
struct Pool {
    permits: Semaphore,
    idle: RefCell<Vec<Connection>>,
    opened: Cell<u32>,
}

/// A connection on loan. It goes back when it is dropped, also by a cancellation.
struct Loan<'a> {
    connection: Option<Connection>,
    pool: &'a Pool,
    _permit: Permit,
}

impl Pool {
    fn new(size: usize) -> Pool {
        Pool { permits: Semaphore::new(size), idle: RefCell::default(), opened: Cell::new(0) }
    }

    async fn get(&self) -> Result<Loan<'_>, Error> {
        let permit = self.permits.acquire().await?;
        let idle = self.idle.borrow_mut().pop();
        let connection = idle.unwrap_or_else(|| {
            self.opened.set(self.opened.get() + 1);
            Connection(self.opened.get())
        });
        Ok(Loan { connection: Some(connection), pool: self, _permit: permit })
    }
}

impl Deref for Loan<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("it is on loan until it is dropped")
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        self.pool.idle.borrow_mut().extend(self.connection.take());
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let pool = Pool::new(2);
        let pool = &pool;
        nursery(async |n| {
            for user in 1..=4 {
                n.start_soon(async move {
                    let connection = pool.get().await?;
                    let answer = connection.query(&format!("user {user}")).await?;
                    println!("{:.0} {answer}", current_time());
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        println!("{} connections were opened", pool.opened.get());
        Ok(())
    })
}
