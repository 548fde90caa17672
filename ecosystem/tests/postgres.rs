//! `tokio-postgres` and `sqlx` with a real PostgreSQL.

use sqlx::{Row, postgres::PgPoolOptions};
use std::time::Duration;
use terzetto::{CancelScope, Error, compat::tokio::in_tokio, fail_after, move_on_after, nursery, sleep};
use terzetto_ecosystem::{Server, postgres};
use tokio_postgres::{Client, NoTls, error::SqlState};

fn url(server: &Server) -> String {
    format!("host=127.0.0.1 port={} user=postgres dbname=postgres", server.address.port())
}

/// How many sessions sleep in a query now.
async fn sleeping(client: &Client) -> Result<i64, Error> {
    let query =
        "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'";
    Ok(in_tokio(client.query_one(query, &[])).await??.get(0))
}

#[test]
fn tokio_postgres_queries_are_cancelled_and_end_with_the_server() {
    terzetto::run(async {
        nursery(async |n| {
            let server = postgres(n).await?;
            let (client, connection) = in_tokio(tokio_postgres::connect(&url(&server), NoTls)).await??;
            let (watcher, watched) = in_tokio(tokio_postgres::connect(&url(&server), NoTls)).await??;
            for connection in [connection, watched] {
                n.start_soon(async {
                    // The server is killed below. Whether that is an error here depends on the last message.
                    let _end = in_tokio(connection).await?;
                    Ok(())
                });
            }

            // Values.
            in_tokio(client.batch_execute("create table words (id int primary key, word text)")).await??;
            nursery(async |many| {
                for (id, word) in ["one", "two", "three"].iter().enumerate() {
                    let client = &client;
                    many.start_soon(async move {
                        let id = i32::try_from(id)?;
                        let insert = "insert into words values ($1, $2)";
                        assert_eq!(in_tokio(client.execute(insert, &[&id, word])).await??, 1);
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
            let rows = in_tokio(client.query("select id, word from words order by id", &[])).await??;
            let got: Vec<(i32, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            assert_eq!(got, [(0, "one".into()), (1, "two".into()), (2, "three".into())]);
            let twice = in_tokio(client.execute("insert into words values (0, '')", &[])).await?;
            assert_eq!(twice.unwrap_err().code(), Some(&SqlState::UNIQUE_VIOLATION));

            // Cancelled in mid-query: the wait ends at once, and the server is told.
            let late = move_on_after(0.2, async {
                Ok(in_tokio(client.query("select pg_sleep(60)", &[])).await??.len())
            });
            assert!(late.await?.is_none());
            assert_eq!(sleeping(&watcher).await?, 1, "nobody has told the server yet");
            in_tokio(client.cancel_token().cancel_query(NoTls)).await??;
            fail_after(10.0, async {
                while sleeping(&watcher).await? != 0 {
                    sleep(0.01).await?;
                }
                Ok(())
            })
            .await?;
            // The same connection goes on.
            let sum: i32 = in_tokio(client.query_one("select 20 + 22", &[])).await??.get(0);
            assert_eq!(sum, 42);

            // Killed in mid-query: an error, and no hang.
            nursery(async |n| {
                n.start_soon(async {
                    let end = fail_after(30.0, in_tokio(client.query("select pg_sleep(60)", &[]))).await?;
                    assert!(end.unwrap_err().is_closed());
                    Ok(())
                });
                while sleeping(&watcher).await? == 0 {
                    sleep(0.01).await?;
                }
                Ok(server.process.kill()?)
            })
            .await
        })
        .await
    })
    .unwrap();
}

#[test]
fn sqlx_pools_survive_a_cancelled_query_and_a_killed_server() {
    terzetto::run(async {
        nursery(async |n| {
            let server = postgres(n).await?;
            let url = format!("postgres://postgres@{}/postgres?sslmode=disable", server.address);
            let options = PgPoolOptions::new().max_connections(2).acquire_timeout(Duration::from_secs(5));
            let pool = in_tokio(options.connect(&url)).await??;
            let row = sqlx::query("select $1::int + 1 as more, upper($2) as big").bind(41).bind("word");
            let row = in_tokio(row.fetch_one(&pool)).await??;
            assert_eq!((row.get::<i32, _>("more"), row.get::<String, _>("big")), (42, "WORD".to_owned()));

            // A transaction that is cut off leaves nothing, and the pool goes on with its two connections.
            in_tokio(sqlx::query("create table amounts (n int)").execute(&pool)).await??;
            for _ in 0..5 {
                let cut_off = move_on_after(0.1, async {
                    in_tokio(async {
                        let mut transaction = pool.begin().await?;
                        sqlx::query("insert into amounts values (1)").execute(&mut *transaction).await?;
                        sqlx::query("select pg_sleep(0.5)").execute(&mut *transaction).await?;
                        transaction.commit().await
                    })
                    .await
                });
                assert!(cut_off.await?.is_none());
            }
            let count = sqlx::query("select count(*) from amounts");
            let count: i64 = fail_after(20.0, in_tokio(count.fetch_one(&pool))).await??.get(0);
            assert_eq!(count, 0);

            let scope = CancelScope::new();
            nursery(async |n| {
                n.start_soon(async {
                    let end = in_tokio(sqlx::query("select pg_sleep(60)").execute(&pool)).await?;
                    assert!(end.is_err(), "the server was killed");
                    scope.cancel();
                    Ok(())
                });
                sleep(0.3).await?;
                Ok(server.process.kill()?)
            })
            .await?;
            assert!(scope.cancel_called());
            // Without a server the pool fails by its own time limit, or a scope's.
            let late = async { Ok(in_tokio(sqlx::query("select 1").execute(&pool)).await?.is_err()) };
            assert_ne!(move_on_after(0.5, late).await?, Some(false));
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}
