use std::{cell::RefCell, collections::BTreeSet};
use terzetto::{
    Builder, Error, Nursery, current_time, nursery, sleep, sync::CapacityLimiter, testing::MockClock,
};

/// A web in memory. A real one would use an HTTP client here.
async fn links_of(page: &str) -> Result<Vec<&'static str>, Error> {
    sleep(1).await?;
    Ok(match page {
        "/" => vec!["/news", "/about", "/shop"],
        "/news" => vec!["/", "/news/1", "/news/2"],
        "/shop" => vec!["/about", "/cart"],
        _ => vec![],
    })
}

struct Crawler {
    seen: RefCell<BTreeSet<&'static str>>,
    at_once: CapacityLimiter,
}

impl Crawler {
    /// Visits a page, and starts a task for each link that is new.
    async fn visit<'scope>(
        &'scope self,
        n: &'scope Nursery<'scope, '_>,
        page: &'static str,
    ) -> Result<(), Error> {
        let links = {
            let _token = self.at_once.acquire().await?;
            links_of(page).await?
        };
        for link in links {
            if self.seen.borrow_mut().insert(link) {
                n.start_soon(self.visit(n, link));
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let crawler = Crawler { seen: RefCell::new(BTreeSet::from(["/"])), at_once: CapacityLimiter::new(2) };
        nursery(async |n| crawler.visit(n, "/").await).await?;
        println!("{:?}", crawler.seen.borrow());
        println!("after {} seconds", current_time());
        Ok(())
    })
}
