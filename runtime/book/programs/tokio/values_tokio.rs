use std::time::Duration;
use tokio::time::sleep;

async fn price(article: &str) -> u32 {
    sleep(Duration::from_secs(1)).await;
    article.len() as u32
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let tea = tokio::spawn(price("tea"));
    let coffee = tokio::spawn(price("coffee"));
    println!("{}", tea.await.expect("no panic") + coffee.await.expect("no panic"));
}
