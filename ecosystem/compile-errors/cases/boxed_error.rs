//! `?` on an error that does not implement `std::error::Error`.
fn read() -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    Ok(1)
}

fn main() {
    let _run = terzetto::run(async {
        let number = read()?;
        assert_eq!(number, 1);
        Ok(())
    });
}
