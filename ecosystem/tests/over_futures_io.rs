//! Libraries that need only the traits of `futures-io`, or only wakers.

use async_compression::futures::{
    bufread::{GzipDecoder, ZstdDecoder},
    write::{GzipEncoder, ZstdEncoder},
};
use futures_util::{AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt, io::BufReader};
use std::cell::Cell;
use terzetto::{
    cancellable,
    compat::{FuturesIo, tokio::in_tokio},
    io::{Listener, TcpListener, TcpStream},
    move_on_after, nursery,
    testing::memory_stream_pair,
    to_thread,
};
use tokio_util::{
    codec::{Framed, LinesCodec},
    compat::FuturesAsyncReadCompatExt,
};

#[test]
fn async_compression_packs_and_unpacks_what_goes_over_sockets() {
    terzetto::run(async {
        let data: Vec<u8> = (0..500_000_u32).map(|i| (i / 100) as u8).collect();
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        nursery(async |n| {
            n.start_soon(async {
                let mut gzip = GzipEncoder::new(TcpStream::connect(listener.local_addr()?).await?);
                gzip.write_all(&data).await?;
                Ok(gzip.close().await?)
            });
            let packed = listener.accept().await?;
            let mut unpacked = Vec::new();
            GzipDecoder::new(BufReader::new(&packed)).read_to_end(&mut unpacked).await?;
            assert!(unpacked == data);
            Ok(())
        })
        .await?;
        let (here, there) = memory_stream_pair();
        nursery(async |n| {
            n.start_soon(async {
                let mut zstd = ZstdEncoder::new(FuturesIo::new(here));
                zstd.write_all(&data).await?;
                Ok(zstd.close().await?)
            });
            let mut unpacked = Vec::new();
            ZstdDecoder::new(BufReader::new(FuturesIo::new(there))).read_to_end(&mut unpacked).await?;
            assert!(unpacked == data);
            Ok(())
        })
        .await?;
        // A wait for compressed data ends with its scope.
        let (_here, there) = memory_stream_pair();
        let mut never = GzipDecoder::new(BufReader::new(FuturesIo::new(there)));
        let late = move_on_after(0.01, async { Ok(never.read(&mut [0; 10]).await?) });
        assert!(late.await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn codecs_of_tokio_util_cut_streams_into_lines() {
    terzetto::run(async {
        let (here, there) = memory_stream_pair();
        nursery(async |n| {
            n.start_soon(async {
                let mut lines = Framed::new(FuturesIo::new(here).compat(), LinesCodec::new());
                for word in ["one", "two", "three"] {
                    futures_util::SinkExt::send(&mut lines, word).await?;
                }
                Ok(())
            });
            let lines = Framed::new(FuturesIo::new(there).compat(), LinesCodec::new());
            let lines: Vec<Result<String, _>> = lines.collect().await;
            let lines: Vec<String> = lines.into_iter().collect::<Result<_, _>>()?;
            assert_eq!(lines, ["one", "two", "three"]);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn channels_of_others_connect_threads_with_tasks() {
    terzetto::run(async {
        let (sender, receiver) = async_channel::bounded(1);
        let (back, answers) = flume::bounded(1);
        let worker = std::thread::spawn(move || {
            while let Ok(number) = receiver.recv_blocking() {
                let number: u64 = number;
                let square = number * number;
                if back.send(square).is_err() {
                    break;
                }
            }
        });
        let sum = Cell::new(0);
        nursery(async |n| {
            n.start_soon(async {
                for number in 1..=10 {
                    cancellable(sender.send(number)).await??;
                }
                sender.close();
                Ok(())
            });
            while let Ok(square) = cancellable(answers.recv_async()).await? {
                sum.set(sum.get() + square);
            }
            Ok(())
        })
        .await?;
        assert_eq!(sum.get(), 385);
        assert!(worker.join().is_ok());
        let (_kept, silent) = flume::bounded::<()>(0);
        assert!(move_on_after(0.01, async { Ok(cancellable(silent.recv_async()).await?) }).await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn rayon_computes_in_a_worker_thread() {
    terzetto::run(async {
        let sum = to_thread::run_sync(|| {
            use rayon::prelude::*;
            (0..1_000_000_u64).into_par_iter().map(|n| n % 7).sum::<u64>()
        });
        assert_eq!(sum.await?, (0..1_000_000_u64).map(|n| n % 7).sum());
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_shared_future_of_futures_util_is_awaited_by_many() {
    terzetto::run(async {
        let made = Cell::new(0);
        let shared = async {
            made.set(made.get() + 1);
            in_tokio(async { tokio::time::sleep(std::time::Duration::from_millis(5)).await }).await.is_ok()
        }
        .shared();
        nursery(async |n| {
            for _ in 0..10 {
                let shared = shared.clone();
                n.start_soon(async {
                    assert!(cancellable(shared).await?);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert_eq!(made.get(), 1);
        Ok(())
    })
    .unwrap();
}
