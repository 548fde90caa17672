//! `reqwest` with a server of `hyper` in the same run.

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use serde_json::{Value, json};
use std::{cell::Cell, rc::Rc};
use terzetto::{
    CancelScope, Error,
    compat::{
        HyperIo, HyperTimer, drive_connection,
        tokio::{handle, in_tokio},
    },
    io::{TcpStream, serve_tcp},
    move_on_after, nursery, sleep, sleep_forever,
};

thread_local! {
    static BEGUN: Rc<Cell<u32>> = Rc::default();
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Error> {
    let path = request.uri().path().to_owned();
    if path == "/never" {
        BEGUN.with(|begun| begun.set(begun.get() + 1));
        sleep_forever().await?;
    }
    let body: Value = match request.into_body().collect().await?.to_bytes() {
        empty if empty.is_empty() => Value::Null,
        text => serde_json::from_slice(&text)?,
    };
    let text = json!({ "path": path, "body": body }).to_string();
    Ok(Response::new(Full::new(text.into())))
}

async fn connection(stream: TcpStream) -> Result<(), Error> {
    let served = http1::Builder::new()
        .timer(HyperTimer::new())
        .serve_connection(HyperIo::new(stream), service_fn(answer));
    match drive_connection(served).await {
        Err(error) if error.is_cancelled() => Err(error),
        _ => Ok(()),
    }
}

#[test]
fn reqwest_gets_posts_and_is_cancelled() {
    terzetto::run(async {
        let server = CancelScope::new();
        nursery(async |n| {
            let listeners = n
                .start(async |status| {
                    server.run(serve_tcp(0, Some("127.0.0.1"), connection, status)).await.map(drop)
                })
                .await?;
            let base = format!("http://{}", listeners[0].local_addr()?);
            let client = {
                let _context = handle()?.enter();
                reqwest::Client::new()
            };
            nursery(async |many| {
                for number in 0..20 {
                    let (client, base) = (&client, &base);
                    many.start_soon(async move {
                        let request = client.post(format!("{base}/{number}")).json(&json!({ "n": number }));
                        let response = in_tokio(request.send()).await??;
                        assert_eq!(response.status(), 200);
                        let got: Value = in_tokio(response.json()).await??;
                        assert_eq!(got, json!({ "path": format!("/{number}"), "body": { "n": number } }));
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;

            // Cancelled while the server thinks.
            let never = || client.get(format!("{base}/never")).send();
            let late = move_on_after(0.1, async { Ok(in_tokio(never()).await??.status()) });
            assert!(late.await?.is_none());
            assert_eq!(BEGUN.with(|begun| begun.get()), 1);
            // The client still works.
            let got: Value = in_tokio(in_tokio(client.get(&base).send()).await??.json()).await??;
            assert_eq!(got["path"], "/");

            // The server ends in the middle of a request.
            nursery(async |n| {
                n.start_soon(async {
                    let end = in_tokio(never()).await?;
                    assert!(end.unwrap_err().is_request());
                    Ok(())
                });
                while BEGUN.with(|begun| begun.get()) < 2 {
                    sleep(0.005).await?;
                }
                server.cancel();
                Ok(())
            })
            .await?;
            let refused = in_tokio(client.get(&base).send()).await?;
            assert!(refused.unwrap_err().is_connect());
            Ok(())
        })
        .await
    })
    .unwrap();
}
