//! An `Rc` goes into a worker thread.
fn main() {
    let _run = terzetto::run(async {
        let shared = std::rc::Rc::new(1);
        let sum = terzetto::to_thread::run_sync(move || *shared + 1).await?;
        assert_eq!(sum, 2);
        Ok(())
    });
}
