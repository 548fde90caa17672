//! `redis` with a real Redis.

use redis::{AsyncCommands, AsyncConnectionConfig, aio::MultiplexedConnection};
use terzetto::{Error, compat::tokio::in_tokio, fail_after, move_on_after, nursery, sleep};
use terzetto_ecosystem::{Server, redis};

async fn connect(server: &Server) -> Result<MultiplexedConnection, Error> {
    let client = redis::Client::open(format!("redis://{}", server.address))?;
    // Time limits are the matter of scopes.
    let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    Ok(in_tokio(client.get_multiplexed_async_connection_with_config(&config)).await??)
}

#[test]
fn redis_commands_are_cancelled_and_end_with_the_server() {
    terzetto::run(async {
        nursery(async |n| {
            let server = redis(n).await?;
            let mut connection = connect(&server).await?;
            in_tokio(connection.set::<_, _, ()>("answer", 42)).await??;
            assert_eq!(in_tokio(connection.get::<_, i32>("answer")).await??, 42);
            // Many tasks share a connection.
            nursery(async |many| {
                for _ in 0..100 {
                    let mut connection = connection.clone();
                    many.start_soon(async move {
                        in_tokio(connection.incr::<_, _, i64>("count", 1)).await??;
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
            assert_eq!(in_tokio(connection.get::<_, i64>("count")).await??, 100);
            let (first, second): (i32, i64) = in_tokio(async {
                redis::pipe().atomic().get("answer").incr("count", 1).query_async(&mut connection).await
            })
            .await??;
            assert_eq!((first, second), (42, 101));

            // Cancelled in mid-command. The answer is skipped when it comes, so the next one gets its own.
            let mut waiting = connect(&server).await?;
            let late = move_on_after(0.1, async {
                Ok(in_tokio(waiting.blpop::<_, Option<(String, String)>>("queue", 0.0)).await??)
            });
            assert!(late.await?.is_none());
            in_tokio(connection.rpush::<_, _, ()>("queue", "late")).await??;
            assert_eq!(fail_after(5.0, in_tokio(waiting.get::<_, i32>("answer"))).await??, 42);

            // Killed in mid-command.
            nursery(async |n| {
                let waiting = &mut waiting;
                n.start_soon(async move {
                    let pop = waiting.blpop::<_, Option<(String, String)>>("queue", 0.0);
                    let end = fail_after(10.0, in_tokio(pop)).await?;
                    let error = end.unwrap_err();
                    assert!(error.is_connection_dropped() || error.is_io_error(), "{error}");
                    Ok(())
                });
                sleep(0.1).await?;
                Ok(server.process.kill()?)
            })
            .await?;
            assert!(in_tokio(connection.get::<_, i32>("answer")).await?.is_err());
            Ok(())
        })
        .await
    })
    .unwrap();
}
